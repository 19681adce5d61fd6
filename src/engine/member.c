/*
 * Three layers: a run's note, which tells the pair that each step was found for; the answer of a pair; and what
 * ask_value() knows of a value. What is not known in one is asked in the next. Names that rules select are looked up in
 * the family's open-addressed table.
 */
#include "engine/member.h"

#include "engine/asking.h"
#include "engine/profile.h"
#include "engine/remembered.h"

static enum probe_part part_of(const struct value *value)
{
	switch ((int)value->part) {
	case VARIABLE_ARGS_GET:
	case VARIABLE_ARGS_GET_NAMES:
		return PROBE_PART_QUERY;
	case VARIABLE_ARGS_POST:
	case VARIABLE_ARGS_POST_NAMES:
		return PROBE_PART_BODY;
	default:
		return PROBE_PART_OTHER;
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

static void tell(struct value *value, const uint16_t steps[static REMEMBERED_STEPS], size_t count)
{
	value->knows_steps = true;
	value->step_count = (uint8_t)count;
	memcpy(value->steps, steps, sizeof(value->steps));
}

_Static_assert((int)VALUE_STEPS == (int)REMEMBERED_STEPS, "what is remembered of a value fits into it");

void found_tell(struct value *value, const struct found *found)
{
	if (found->step_count <= VALUE_STEPS)
		tell(value, found->steps, found->step_count);
	value->all_steps = found->all;
	value->knows_steps |= found->all != NULL;
}

static int ask_member(struct found *found, const struct probe_family *family, const struct value *value, int *ret_name)
{
	*ret_name = name_of(found->t, family, value->key);
	if (*ret_name >= 0)
		found->t->name_counts[family->first_count + (size_t)*ret_name]++;
	return ask_value(found, set_of(family, *ret_name, part_of(value)), value->bytes);
}

int members_ask(struct transaction *t, const struct probe_family *family, uint32_t *asked)
{
	const struct value_set *set = &t->sets[family->variable];
	int name;
	int r = 0;
	for (; *asked < set->count && r == 0; ++*asked) {
		struct found found = {.t = t};
		r = ask_member(&found, family, set->items[*asked], &name);
		found_tell(set->items[*asked], &found);
	}
	return r;
}

enum { TOO_MANY = UINT16_MAX /* steps: more than any note has room for */ };

static int ask_new_pair(struct transaction *t, const struct probe_pair *pair, const struct remembered_key *key,
			struct value *name, struct value *value, struct remembered_answer *ret_answer)
{
	struct found of_value = {.t = t};
	struct found of_name = {.t = t};
	int selected = -1;
	int selects_names = -1;
	int r = pair->values == NULL ? 0 : ask_member(&of_value, pair->values, value, &selected);
	if (r == 0 && pair->names != NULL)
		r = ask_member(&of_name, pair->names, name, &selects_names);
	/* What is remembered is told of both. */
	found_tell(name, &of_name);
	found_tell(value, &of_value);
	found_join(&of_value, &of_name);
	*ret_answer = (struct remembered_answer){.step_count = TOO_MANY};
	if (r == 0 && selects_names < 0 && of_value.step_count <= REMEMBERED_STEPS) {
		ret_answer->name = selected < 0 ? 0 : (uint16_t)(pair->values->first_count + (size_t)selected + 1);
		ret_answer->step_count = (uint16_t)of_value.step_count;
		memcpy(ret_answer->steps, of_value.steps, sizeof(of_value.steps));
		remembered_add(t->worker->remembered, key, ret_answer->name, of_value.steps, of_value.step_count);
	}
	return r;
}

/* Of most headers of responses no rule asks anything. */
static bool is_looked_at(const struct transaction *t, const struct probe_pair *pair, struct slice name)
{
	return pair->of_any_name || (pair->values != NULL && name_of(t, pair->values, name) >= 0) ||
	       (pair->names != NULL && name_of(t, pair->names, name) >= 0);
}

/* A name and its value that came together before are known together. An answer that is not to be remembered has
 * TOO_MANY steps. */
static int ask_pair(struct transaction *t, const struct probe_pair *pair, struct value *name, struct value *value,
		    struct remembered_answer *ret_answer)
{
	static const struct found nothing;
	struct remembered_key key = {
		.number = pair->numbers[part_of(value)], .first = name->bytes, .second = value->bytes};
	if (!is_looked_at(t, pair, name->bytes)) {
		*ret_answer = (struct remembered_answer){0};
		found_tell(name, &nothing);
		found_tell(value, &nothing);
		return 0;
	}
	const struct remembered_answer *known = remembered_find(t->worker->remembered, &key);
	if (known == NULL)
		return ask_new_pair(t, pair, &key, name, value, ret_answer);
	profile_note_value(t->worker->profile, true);
	if (known->name > 0)
		t->name_counts[known->name - 1]++;
	for (size_t i = 0; i < known->step_count; i++)
		t->candidates[known->steps[i] / 64] |= (uint64_t)1 << known->steps[i] % 64;
	tell(name, known->steps, known->step_count);
	tell(value, known->steps, known->step_count);
	*ret_answer = *known;
	return 0;
}

enum { RUN_STEPS = 10 };

/* What is remembered of a run. */
struct run_note {
	uint16_t names[MEMBER_RUN_PAIRS]; /* by pair, as in an answer */
	uint16_t steps[RUN_STEPS];
	uint8_t owners[RUN_STEPS]; /* by step: the pair that it was found for */
	uint8_t step_count;
};

_Static_assert(sizeof(struct run_note) <= REMEMBERED_NOTE, "a run's note fits");
_Static_assert(MEMBER_RUN_BYTES <= REMEMBERED_BYTES - REMEMBERED_NOTE, "and its key beside it");

/* Where a run's pairs stand. */
struct run {
	struct value *const *names;
	struct value *const *values;
	size_t count;
};

static void tell_run(struct transaction *t, const struct run *run, const struct run_note *note)
{
	for (size_t i = 0; i < run->count; i++) {
		run->names[i]->knows_steps = run->values[i]->knows_steps = true;
		if (note->names[i] > 0)
			t->name_counts[note->names[i] - 1]++;
	}
	for (size_t i = 0; i < note->step_count; i++) {
		struct value *name = run->names[note->owners[i]];
		struct value *value = run->values[note->owners[i]];
		name->steps[name->step_count++] = value->steps[value->step_count++] = note->steps[i];
		t->candidates[note->steps[i] / 64] |= (uint64_t)1 << note->steps[i] % 64;
	}
}

/* False if there is no room for its steps, or it is not to be remembered. */
static bool run_note_add(struct run_note *note, size_t pair, const struct remembered_answer *answer)
{
	if (answer->step_count > RUN_STEPS - note->step_count)
		return false;
	note->names[pair] = answer->name;
	for (size_t i = 0; i < answer->step_count; i++) {
		note->steps[note->step_count] = answer->steps[i];
		note->owners[note->step_count++] = (uint8_t)pair;
	}
	return true;
}

/* Pair by pair. *ret_fits: the note tells all that was found. */
static int ask_new_run(struct transaction *t, const struct probe_pair *pair, const struct run *run,
		       struct run_note *ret_note, bool *ret_fits)
{
	struct remembered_answer answer;
	int r = 0;
	*ret_note = (struct run_note){0};
	*ret_fits = true;
	for (size_t i = 0; i < run->count && r == 0; i++) {
		r = ask_pair(t, pair, run->names[i], run->values[i], &answer);
		*ret_fits = r == 0 && *ret_fits && run_note_add(ret_note, i, &answer);
	}
	return r;
}

static int ask_run(struct transaction *t, const struct probe_pair *pair, const struct member_run *where)
{
	const struct run run = {t->sets[pair->name_variable].items + where->first,
				t->sets[pair->value_variable].items + where->first, where->count};
	struct remembered_key key = {.number = pair->run_number, .first = where->text, .second = SLICE("")};
	struct run_note note;
	struct slice bytes;
	bool fits;
	if (remembered_find_note(t->worker->remembered, &key, &bytes)) {
		memcpy(&note, bytes.ptr, sizeof(note));
		tell_run(t, &run, &note);
		return 0;
	}
	int r = ask_new_run(t, pair, &run, &note, &fits);
	if (fits)
		remembered_add_note(t->worker->remembered, &key, slice_make(&note, sizeof(note)));
	return r;
}

/* From `run` on, the first of the collection that begins at a place or behind it. */
static const struct member_run *run_from(const struct transaction *t, const struct member_run *run,
					 const struct probe_pair *pair, uint32_t place)
{
	while (run < t->runs + t->run_count && (run->variable != pair->value_variable || run->first < place))
		run++;
	return run;
}

int members_ask_pairs(struct transaction *t, const struct probe_pair *pair, uint32_t *asked)
{
	const struct value_set *values = &t->sets[pair->value_variable];
	const struct value_set *names = &t->sets[pair->name_variable];
	const struct member_run *run = run_from(t, t->runs, pair, *asked);
	struct remembered_answer answer;
	int r = 0;
	while (*asked < values->count && *asked < names->count && r == 0) {
		bool runs = run < t->runs + t->run_count && run->first == *asked;
		if (runs && run->count > 1)
			r = ask_run(t, pair, run);
		else
			r = ask_pair(t, pair, names->items[*asked], values->items[*asked], &answer);
		*asked += runs ? run->count : 1;
		if (runs)
			run = run_from(t, run + 1, pair, *asked);
	}
	return r;
}
