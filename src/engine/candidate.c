/*
 * First the request line, whose parts are known together; then scalars that may have changed since; then members of
 * collections that were not asked yet; counts last, as names are counted while members are asked.
 */
#include "engine/candidate.h"

#include "engine/asking.h"
#include "engine/member.h"
#include "engine/operator_kind.h"
#include "engine/profile.h"
#include "engine/remembered.h"
#include "engine/variable.h"

#include <errno.h>
#include <stdlib.h>

/* Each XPath expression is asked of the document once. */
static int ask_document(struct transaction *t, const struct probe_family *family, uint32_t *asked)
{
	int r = 0;
	*asked = 1;
	for (size_t i = 0; i < family->name_count && r == 0; i++) {
		const struct value_set *set;
		r = variable_values(t, VARIABLE_XML, family->rules[i], family->targets[i], &set);
		for (uint32_t j = 0; r == 0 && j < set->count; j++)
			r = ask_value(&(struct found){.t = t}, family->named[i][0], set->items[j]->bytes);
	}
	return r;
}

/* What was found of a page is kept: it should not be gone over again when the rules' turn comes. */
static int ask_page(struct found *found, const struct probe_set *set, struct slice page)
{
	struct transaction *t = found->t;
	struct found here = {.t = t};
	int r = ask_value(&here, set, page);
	bool fits = r == 0 && here.step_count <= VALUE_STEPS;
	t->page_is_told = fits;
	t->page_step_count = fits ? (uint8_t)here.step_count : 0;
	memcpy(t->page_steps, here.steps, sizeof(t->page_steps));
	found_join(found, &here);
	return r;
}

/* A scalar is asked again when it was set anew. */
static int ask_scalar(struct transaction *t, const struct probe_family *family, const struct value **asked,
		      struct found *found)
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
	if (family->variable == VARIABLE_RESPONSE_BODY && set->count > 0)
		return ask_page(found, family->sets[0], value->bytes);
	struct found here = {.t = t};
	int r = ask_value(&here, family->sets[0], value->bytes);
	if (here.step_count == 0)
		return r;
	if (set->count > 0)
		found_tell(set->items[0], &here);
	found_join(found, &here);
	return r;
}

static bool compare(const struct probe_count *count, int64_t number)
{
	const struct rule_operator *operation = &count->rule->operation;
	return operator_compare_numbers(operation->kind, number, count->number) != operation->negated;
}

static void ask_counts(struct transaction *t, const struct probes *probes, unsigned phase)
{
	for (size_t i = probes->first_count[phase]; i < probes->first_count[phase + 1]; i++) {
		const struct probe_count *count = &probes->counts[i];
		uint32_t number =
			count->name < 0 ? t->sets[count->target->variable].count : t->name_counts[count->name];
		if (compare(count, number))
			t->candidates[count->step / 64] |= (uint64_t)1 << count->step % 64;
	}
}

static int begin(struct transaction *t, const struct probes *probes)
{
	size_t counts = PROBE_PAIRS + probes->singles.count;
	t->candidates = arena_alloc(&t->arena, (probes->words + 1) * sizeof(*t->candidates));
	t->name_counts = arena_zalloc(&t->arena, probes->name_count + 1, sizeof(*t->name_counts));
	t->asked_scalars = arena_zalloc(&t->arena, probes->scalar_count + 1, sizeof(struct value *));
	t->asked_counts = arena_zalloc(&t->arena, counts, sizeof(*t->asked_counts));
	if (t->candidates == NULL || t->name_counts == NULL || t->asked_scalars == NULL || t->asked_counts == NULL)
		return -ENOMEM;
	memcpy(t->candidates, t->worker->options.verdicts_only ? probes->lean : probes->always,
	       probes->words * sizeof(*t->candidates));
	t->tx.candidates = t->candidates;
	if (t->tx.order_count > 0)
		gate_wake_all(&t->tx);
	return 0;
}

static int ask_scalars(struct transaction *t, const struct probes *probes, const struct probe_list *list,
		       struct found *found)
{
	int r = 0;
	for (size_t i = 0; i < list->count && r == 0; i++) {
		const struct probe_family *family = &probes->families[list->indexes[i]];
		struct profile_timer timer = profile_begin_family(t->worker->profile, family->variable);
		r = ask_scalar(t, family, &t->asked_scalars[list->indexes[i]], found);
		profile_end_family(timer);
	}
	return r;
}

/* Each may have made any of them a candidate. */
static void tell_line(struct transaction *t, const struct probes *probes, const struct found *found)
{
	for (size_t i = 0; i < probes->line_scalars.count && found->step_count > 0; i++) {
		const struct value_set *set = &t->sets[probes->families[probes->line_scalars.indexes[i]].variable];
		if (set->count > 0)
			found_tell(set->items[0], found);
	}
}

/* The parts of a request line are known together, by the line and where they lie in it. */
static int ask_line(struct transaction *t, const struct probes *probes)
{
	uint64_t places[] = {t->method.len, t->protocol.len};
	struct remembered_key key = {
		.number = probes->line_number, .first = t->line, .second = slice_make(places, sizeof(places))};
	struct found found = {.t = t};
	struct profile_timer timer = profile_begin_family(t->worker->profile, VARIABLE_REQUEST_LINE);
	const struct remembered_answer *known = remembered_find(t->worker->remembered, &key);
	if (known != NULL) {
		profile_note_value(t->worker->profile, true);
		found_add_known(&found, known);
		tell_line(t, probes, &found);
		profile_end_family(timer);
		return 0;
	}
	int r = ask_scalars(t, probes, &probes->line_scalars, &found);
	if (r == 0)
		remembered_add(t->worker->remembered, &key, 0, found.steps, found.step_count);
	return r;
}

static int ask_pairs(struct transaction *t, const struct probe_pair *pair, uint32_t *asked)
{
	if (*asked >= t->sets[pair->value_variable].count)
		return 0;
	struct profile_timer timer = profile_begin_family(t->worker->profile, pair->value_variable);
	int r = members_ask_pairs(t, pair, asked);
	profile_end_family(timer);
	return r;
}

static int ask_single(struct transaction *t, const struct probe_family *family, uint32_t *asked)
{
	bool is_document = family->variable == VARIABLE_XML;
	if (is_document ? t->xml == NULL || *asked > 0 : *asked >= t->sets[family->variable].count)
		return 0;
	struct profile_timer timer = profile_begin_family(t->worker->profile, family->variable);
	int r = is_document ? ask_document(t, family, asked) : members_ask(t, family, asked);
	profile_end_family(timer);
	return r;
}

static int ask_collections(struct transaction *t, const struct probes *probes)
{
	int r = 0;
	for (size_t i = 0; i < PROBE_PAIRS && r == 0; i++)
		r = ask_pairs(t, &probes->pairs[i], &t->asked_counts[i]);
	for (size_t i = 0; i < probes->singles.count && r == 0; i++)
		r = ask_single(t, &probes->families[probes->singles.indexes[i]], &t->asked_counts[PROBE_PAIRS + i]);
	return r;
}

int candidates_find(struct transaction *t, unsigned phase)
{
	const struct probes *probes = t->plan->probes;
	bool first = t->asked_counts == NULL;
	int r = first ? begin(t, probes) : 0;
	if (r == 0 && first)
		r = ask_line(t, probes);
	struct found found = {.t = t};
	if (r == 0)
		r = ask_scalars(t, probes, &probes->scalars[first ? 0 : phase], &found);
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
