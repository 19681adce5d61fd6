#include "engine/candidate.h"

#include "codec/byte_kind.h"
#include "engine/operator.h"
#include "engine/probe.h"
#include "engine/profile.h"
#include "engine/remembered.h"
#include "engine/variable.h"

#include <errno.h>
#include <stdlib.h>

enum {
	KINDS_MAX_BYTES = 1024,    /* of a longer value the transformations find out by themselves */
	CONFIRMED_MAX_BYTES = 512, /* a value for which more is asked than the scan */
	LEVEL_BYTES = 64 * 1024,   /* of a buffer at first: pages that are never touched cost nothing */
};

/* What a value, or a name and its value, make candidates of. */
struct found {
	struct transaction *t;
	uint16_t steps[REMEMBERED_STEPS];
	size_t step_count; /* may pass the room above: then nothing is remembered */
};

/* A value on its way through a set. */
struct asking {
	struct transaction *t;
	const struct probe_set *set;
	struct found *found;
	struct operand operand;
};

static void found_add(struct found *found, uint16_t step)
{
	found->t->candidates[step / 64] |= (uint64_t)1 << step % 64;
	for (size_t i = 0; i < found->step_count && i < REMEMBERED_STEPS; i++)
		if (found->steps[i] == step)
			return;
	if (found->step_count < REMEMBERED_STEPS)
		found->steps[found->step_count] = step;
	found->step_count++;
}

static void found_add_known(struct found *found, const struct remembered_answer *known)
{
	for (size_t i = 0; i < known->step_count; i++)
		found_add(found, known->steps[i]);
}

static void add(struct asking *a, uint16_t step)
{
	found_add(a->found, step);
}

/* ---- the value, through nodes that leave the same bytes ---- */

static int ask_question(struct asking *a, const struct probe_question *question, struct slice bytes)
{
	a->operand.rule = question->rule;
	a->operand.argument = &question->argument;
	a->operand.bytes = bytes;
	struct profile_timer timer = profile_begin(a->t->worker->profile);
	int r = operator_evaluate(&a->operand);
	profile_end_question(timer, question->rule);
	if (r > 0)
		add(a, question->step);
	return r < 0 ? r : 0;
}

/* What a scan leaves open of a long value is left to the rule: it would be asked twice. */
static int settle_bit(struct asking *a, const struct probe_bit *bit, struct slice bytes)
{
	if (bit->confirm > 0 && bytes.len <= CONFIRMED_MAX_BYTES)
		return ask_question(a, &a->set->confirmations[bit->confirm - 1], bytes);
	add(a, bit->step);
	return 0;
}

/* Negated operators: a clear bit is a match; a set one is none, if it is certain. */
static int ask_clear_bits(struct asking *a, const struct probe_scan *scan, struct slice bytes, uint64_t nodes)
{
	const uint64_t *words = a->t->worker->scan_words;
	int r = 0;
	for (size_t i = 0; i < scan->clear_count && r == 0; i++) {
		const struct probe_bit *clear = &scan->clear[i];
		if ((nodes >> clear->node & 1) == 0)
			continue;
		if ((words[clear->bit / 64] >> clear->bit % 64 & 1) == 0)
			add(a, clear->step);
		else if (clear->confirm > 0)
			r = settle_bit(a, clear, bytes);
	}
	return r;
}

static int ask_scan(struct asking *a, const struct probe_scan *scan, struct slice bytes, uint64_t nodes)
{
	uint64_t *words = a->t->worker->scan_words;
	int r = 0;
	profile_note_scan(a->t->worker->profile);
	memset(words, 0, scan->words * sizeof(*words));
	if (bytes.len >= scan->min_width && scan_run(scan->set, a->t->worker->scan_scratch, bytes, words) < 0)
		return -EIO;
	for (size_t word = 0; word < scan->words; word++) {
		for (uint64_t left = words[word]; left != 0; left &= left - 1) {
			size_t bit = word * 64 + (size_t)__builtin_ctzll(left);
			for (size_t i = scan->first_of_bit[bit]; i < scan->first_of_bit[bit + 1] && r == 0; i++)
				if ((nodes >> scan->bits[i].node & 1) != 0)
					r = settle_bit(a, &scan->bits[i], bytes);
		}
	}
	return r != 0 || scan->clear_count == 0 ? r : ask_clear_bits(a, scan, bytes, nodes);
}

static int ask(struct asking *a, struct slice bytes, uint64_t nodes)
{
	int r = 0;
	for (size_t i = 0; i < a->set->scan_count && r == 0; i++)
		if ((a->set->scans[i].nodes & nodes) != 0)
			r = ask_scan(a, &a->set->scans[i], bytes, nodes);
	for (size_t i = 0; i < a->set->question_count && r == 0; i++)
		if ((nodes & a->set->questions[i].nodes) != 0)
			r = ask_question(a, &a->set->questions[i], bytes);
	return r;
}

/* ---- the tree of pipelines ---- */

/* Where a level of the tree keeps its bytes; grows to the longest value. NULL: no memory. */
static uint8_t *level_buffer(struct worker *worker, unsigned level, size_t bytes)
{
	struct worker_buffer *buffer = &worker->levels[level];
	if (buffer->capacity < bytes) {
		size_t capacity = buffer->capacity < LEVEL_BYTES ? LEVEL_BYTES : buffer->capacity * 2;
		capacity = capacity < bytes ? bytes : capacity;
		uint8_t *ptr = realloc(buffer->ptr, capacity);
		if (ptr == NULL)
			return NULL;
		*buffer = (struct worker_buffer){ptr, capacity};
	}
	return buffer->ptr;
}

/* What the transformations make of the bytes at one level. */
struct fork {
	uint64_t same;                     /* nodes that leave the bytes as they are */
	uint64_t changed[TRANSFORM_COUNT]; /* by transformation: the nodes that change them, all in the same way */
	uint64_t transforms;               /* that do */
	uint64_t tried;                    /* transformations known to change nothing */
};

static int apply(struct asking *a, unsigned level, enum transform transform, struct slice bytes,
		 struct slice *ret_bytes)
{
	struct transform_context context = {.unicode_map = a->t->ruleset->settings.unicode_map};
	size_t len;
	uint8_t *out = level_buffer(a->t->worker, level, transform_bound(transform, bytes.len) + 1);
	if (out == NULL)
		return -ENOMEM;
	if (!transform_apply(transform, &context, bytes, out, &len))
		return 0;
	*ret_bytes = slice_make(out, len);
	return 1;
}

static int try_node(struct asking *a, unsigned level, size_t index, struct slice bytes, uint32_t kinds,
		    struct fork *fork)
{
	const struct probe_node *node = &a->set->nodes[index];
	uint64_t bit = (uint64_t)1 << index;
	uint64_t transform = (uint64_t)1 << node->transform;
	struct slice out;
	if ((fork->tried & transform) != 0 || (bytes.len > 0 && (node->triggers & kinds) == 0)) {
		fork->same |= bit;
		return 0;
	}
	int r = (fork->transforms & transform) != 0 ? 1 : apply(a, level, node->transform, bytes, &out);
	if (r < 0)
		return r;
	if (r == 0) {
		fork->tried |= transform;
		fork->same |= bit;
		return 0;
	}
	fork->changed[node->transform] =
		(fork->transforms & transform) == 0 ? bit : fork->changed[node->transform] | bit;
	fork->transforms |= transform;
	return 0;
}

static uint64_t touched_by(const struct probe_set *set, uint32_t kinds)
{
	uint64_t touched = 0;
	for (; kinds != 0; kinds &= kinds - 1)
		touched |= set->touched[__builtin_ctz(kinds)];
	return touched;
}

/* Nodes behind `nodes` that see the same bytes, and what the others make of them. */
static int fork_level(struct asking *a, unsigned level, struct slice bytes, uint64_t nodes, struct fork *fork)
{
	uint64_t all = ~(uint64_t)0 >> (64 - a->set->node_count);
	uint32_t kinds = bytes.len <= KINDS_MAX_BYTES ? byte_kinds(bytes) : BYTES_ANY;
	int r = 0;
	fork->same = nodes;
	fork->transforms = fork->tried = 0;
	/* Behind the value as it came are all nodes; those that no byte of it touches need not be looked at. */
	if (nodes == 1 && bytes.len > 0)
		fork->same |= all & ~touched_by(a->set, kinds);
	for (uint64_t left = all & ~fork->same & ~(nodes - 1); left != 0 && r == 0; left &= left - 1) {
		size_t i = (size_t)__builtin_ctzll(left);
		if ((fork->same >> a->set->nodes[i].parent & 1) != 0)
			r = try_node(a, level, i, bytes, kinds, fork);
	}
	return r;
}

/* Recursion is as deep as the longest pipeline, which the builder bounds. */
static int ask_level(struct asking *a, unsigned level, struct slice bytes, uint64_t nodes)
{
	struct fork fork;
	int r = fork_level(a, level, bytes, nodes, &fork);
	if (r == 0 && (fork.same & a->set->asked) != 0)
		r = ask(a, bytes, fork.same);
	for (uint64_t left = fork.transforms; left != 0 && r == 0; left &= left - 1) {
		enum transform transform = (enum transform)__builtin_ctzll(left);
		struct slice out = bytes;
		r = apply(a, level, transform, bytes, &out);
		if (r > 0)
			r = ask_level(a, level + 1, out, fork.changed[transform]);
	}
	return r;
}

_Static_assert(TRANSFORM_COUNT <= 64, "a bit for each transformation");

/* ---- a value ---- */

static int ask_all(struct found *found, const struct probe_set *first, struct slice value)
{
	struct asking a = {.t = found->t, .found = found};
	a.operand.t = found->t;
	a.operand.asks_only = true;
	for (const struct probe_set *set = first; set != NULL; set = set->base) {
		a.set = set;
		for (size_t i = 0; i < set->step_count; i++)
			add(&a, set->steps[i]);
		int r = set->asked == 0 ? 0 : ask_level(&a, 0, value, 1);
		if (r != 0)
			return r;
	}
	return 0;
}

static int ask_value(struct found *found, const struct probe_set *set, struct slice value)
{
	if (set == NULL)
		return 0;
	struct remembered *remembered = found->t->worker->remembered;
	struct remembered_key key = {.number = set->id, .first = value, .second = SLICE("")};
	const struct remembered_answer *known = remembered_find(remembered, &key);
	profile_note_value(found->t->worker->profile, known != NULL);
	if (known != NULL) {
		found_add_known(found, known);
		return 0;
	}
	struct found here = {.t = found->t};
	int r = ask_all(&here, set, value);
	if (r != 0)
		return r;
	remembered_add(remembered, &key, 0, here.steps, here.step_count);
	for (size_t i = 0; i < here.step_count && i < REMEMBERED_STEPS; i++)
		found_add(found, here.steps[i]);
	/* What does not fit there does not fit here. */
	found->step_count += here.step_count > REMEMBERED_STEPS ? REMEMBERED_STEPS + 1 : 0;
	return 0;
}

/* ---- variables ---- */

static unsigned part_of(const struct value *value)
{
	switch ((int)value->part) {
	case VARIABLE_ARGS_GET:
	case VARIABLE_ARGS_GET_NAMES:
		return 1;
	case VARIABLE_ARGS_POST:
	case VARIABLE_ARGS_POST_NAMES:
		return 2;
	default:
		return 0;
	}
}

/* The index of a name that rules select, or -1. */
static int name_of(const struct transaction *t, const struct probe_family *family, struct slice key)
{
	if (family->name_count == 0)
		return -1;
	size_t mask = family->table_size - 1;
	for (size_t at = hash_quick_nocase(&t->plan->hash_key, key) & mask;; at = (at + 1) & mask) {
		if (family->table[at] == 0)
			return -1;
		if (slice_equal_nocase(family->names[family->table[at] - 1], key))
			return family->table[at] - 1;
	}
}

static const struct probe_set *set_of(const struct probe_family *family, int name, unsigned part)
{
	return name < 0 ? family->sets[part] : family->named[name][part];
}

/* A value is told what was found for it. */
static void tell(struct value *value, const struct found *found)
{
	value->knows_steps = found->step_count <= VALUE_STEPS;
	value->step_count = value->knows_steps ? (uint8_t)found->step_count : 0;
	memcpy(value->steps, found->steps, value->step_count * sizeof(value->steps[0]));
}

_Static_assert((int)VALUE_STEPS == (int)REMEMBERED_STEPS, "what is remembered of a value fits into it");

static int ask_member(struct found *found, const struct probe_family *family, const struct value *value, int *ret_name)
{
	*ret_name = name_of(found->t, family, value->key);
	if (*ret_name >= 0)
		found->t->name_counts[family->first_count + (size_t)*ret_name]++;
	return ask_value(found, set_of(family, *ret_name, part_of(value)), value->bytes);
}

static int ask_collection(struct transaction *t, const struct probe_family *family, uint32_t *asked)
{
	const struct value_set *set = &t->sets[family->variable];
	int name;
	int r = 0;
	for (; *asked < set->count && r == 0; ++*asked) {
		struct found found = {.t = t};
		r = ask_member(&found, family, set->items[*asked], &name);
		tell(set->items[*asked], &found);
	}
	return r;
}

/* A name and its value that came together before are known together. */
static int ask_pair(struct transaction *t, const struct probe_pair *pair, const struct value *name,
		    const struct value *value, struct found *found)
{
	struct remembered_key key = {
		.number = pair->numbers[part_of(value)], .first = name->bytes, .second = value->bytes};
	const struct remembered_answer *known = remembered_find(t->worker->remembered, &key);
	if (known != NULL) {
		profile_note_value(t->worker->profile, true);
		if (known->name > 0)
			t->name_counts[known->name - 1]++;
		found_add_known(found, known);
		return 0;
	}
	int selected = -1;
	int selects_names = -1;
	int r = pair->values == NULL ? 0 : ask_member(found, pair->values, value, &selected);
	if (r == 0 && pair->names != NULL)
		r = ask_member(found, pair->names, name, &selects_names);
	if (r == 0 && selects_names < 0)
		remembered_add(t->worker->remembered, &key,
			       selected < 0 ? 0 : (uint16_t)(pair->values->first_count + (size_t)selected + 1),
			       found->steps, found->step_count);
	return r;
}

static int ask_pair_of(struct transaction *t, const struct probe_pair *pair, struct value *name, struct value *value)
{
	struct found found = {.t = t};
	int r = ask_pair(t, pair, name, value, &found);
	tell(name, &found);
	tell(value, &found);
	return r;
}

static int ask_pairs(struct transaction *t, const struct probe_pair *pair, uint32_t *asked)
{
	const struct value_set *values = &t->sets[pair->value_variable];
	const struct value_set *names = &t->sets[pair->name_variable];
	int r = 0;
	for (; *asked < values->count && *asked < names->count && r == 0; ++*asked)
		r = ask_pair_of(t, pair, names->items[*asked], values->items[*asked]);
	return r;
}

/* Each XPath expression is asked of the document once. */
static int ask_document(struct transaction *t, const struct probe_family *family, uint32_t *asked)
{
	int r = 0;
	if (t->xml == NULL || *asked > 0)
		return 0;
	*asked = 1;
	for (size_t i = 0; i < family->name_count && r == 0; i++) {
		const struct value_set *set;
		r = variable_values(t, VARIABLE_XML, family->rules[i], family->targets[i], &set);
		for (uint32_t j = 0; r == 0 && j < set->count; j++)
			r = ask_value(&(struct found){.t = t}, family->named[i][0], set->items[j]->bytes);
	}
	return r;
}

/* A scalar is asked again when it was set anew. */
static int ask_scalar(struct transaction *t, const struct probe_family *family, const struct value **asked)
{
	static const struct value absent = {.bytes = SLICE_INIT("")};
	const struct value_set *set = &t->sets[family->variable];
	if (set->count == 0 && variable_is_made(family->variable)) {
		int r = variable_values(t, family->variable, NULL, NULL, &set);
		if (r != 0)
			return r;
	}
	const struct value *value = set->count == 0 ? &absent : set->items[0];
	if (value == *asked)
		return 0;
	*asked = value;
	return ask_value(&(struct found){.t = t}, family->sets[0], value->bytes);
}

static bool compare(const struct probe_count *count, int64_t number)
{
	bool matches = false;
	switch ((int)count->rule->operation.kind) {
	case OPERATOR_EQ:
		matches = number == count->number;
		break;
	case OPERATOR_GE:
		matches = number >= count->number;
		break;
	case OPERATOR_GT:
		matches = number > count->number;
		break;
	case OPERATOR_LE:
		matches = number <= count->number;
		break;
	case OPERATOR_LT:
		matches = number < count->number;
		break;
	}
	return matches != count->rule->operation.negated;
}

static void ask_counts(struct transaction *t, const struct probes *probes, unsigned phase)
{
	for (size_t i = 0; i < probes->count_count; i++) {
		const struct probe_count *count = &probes->counts[i];
		if (count->phase != phase)
			continue;
		uint32_t number =
			count->name < 0 ? t->sets[count->target->variable].count : t->name_counts[count->name];
		if (compare(count, number))
			t->candidates[count->step / 64] |= (uint64_t)1 << count->step % 64;
	}
}

/* ---- a phase ---- */

static int begin(struct transaction *t, const struct probes *probes)
{
	size_t counts = PROBE_PAIRS + probes->single_count;
	t->candidates = arena_alloc(&t->arena, (probes->words + 1) * sizeof(*t->candidates));
	t->name_counts = arena_zalloc(&t->arena, probes->name_count + 1, sizeof(*t->name_counts));
	t->asked_scalars = arena_zalloc(&t->arena, probes->scalar_count + 1, sizeof(struct value *));
	t->asked_counts = arena_zalloc(&t->arena, counts, sizeof(*t->asked_counts));
	if (t->candidates == NULL || t->name_counts == NULL || t->asked_scalars == NULL || t->asked_counts == NULL)
		return -ENOMEM;
	memcpy(t->candidates, t->worker->options.verdicts_only ? probes->lean : probes->always,
	       probes->words * sizeof(*t->candidates));
	return 0;
}

static int ask_scalars(struct transaction *t, const struct probes *probes, unsigned phase, bool first)
{
	int r = 0;
	for (size_t i = 0; i < probes->scalar_count && r == 0; i++) {
		if (!first && (probes->scalar_phases[i] >> phase & 1) == 0)
			continue;
		const struct probe_family *family = &probes->families[i];
		struct profile_timer timer = profile_begin_family(t->worker->profile, family->variable);
		r = ask_scalar(t, family, &t->asked_scalars[i]);
		profile_end_family(timer);
	}
	return r;
}

static int ask_collections(struct transaction *t, const struct probes *probes)
{
	int r = 0;
	for (size_t i = 0; i < PROBE_PAIRS && r == 0; i++) {
		const struct probe_pair *pair = &probes->pairs[i];
		struct profile_timer timer = profile_begin_family(t->worker->profile, pair->value_variable);
		r = ask_pairs(t, pair, &t->asked_counts[i]);
		profile_end_family(timer);
	}
	for (size_t i = 0; i < probes->single_count && r == 0; i++) {
		const struct probe_family *family = &probes->families[probes->singles[i]];
		struct profile_timer timer = profile_begin_family(t->worker->profile, family->variable);
		uint32_t *asked = &t->asked_counts[PROBE_PAIRS + i];
		r = family->variable == VARIABLE_XML ? ask_document(t, family, asked)
						     : ask_collection(t, family, asked);
		profile_end_family(timer);
	}
	return r;
}

int candidates_find(struct transaction *t, unsigned phase)
{
	const struct probes *probes = t->plan->probes;
	bool first = t->asked_counts == NULL;
	int r = first ? begin(t, probes) : 0;
	if (r == 0)
		r = ask_scalars(t, probes, phase, first);
	if (r == 0)
		r = ask_collections(t, probes);
	if (r == 0)
		ask_counts(t, probes, phase);
	return r;
}

size_t candidate_next(const struct transaction *t, const struct course *course, size_t step)
{
	const uint64_t *words = t->candidates + course->first_bit / 64;
	if (step >= course->count)
		return course->count;
	size_t word = step / 64;
	uint64_t left = words[word] & ~(uint64_t)0 << step % 64;
	while (left == 0) {
		if (++word * 64 >= course->count)
			return course->count;
		left = words[word];
	}
	size_t found = word * 64 + (size_t)__builtin_ctzll(left);
	return found < course->count ? found : course->count;
}

bool candidate_conditions_hold(const struct transaction *t, const struct course_step *step)
{
	for (size_t i = step->first_condition; i < (size_t)step->first_condition + step->condition_count; i++)
		if ((t->candidates[i / 64] >> i % 64 & 1) == 0)
			return false;
	return true;
}
