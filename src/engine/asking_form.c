/*
 * Scans come first, one for a form and its lowered one where the set can serve both, then operators that no scan stands
 * for. What is found is a short list of steps, and beside it a bitmap once the list is full.
 */
#include "engine/asking_form.h"

#include "engine/profile.h"
#include "engine/wanted.h"

#include <errno.h>

enum {
	PHRASES_MOST = 3,          /* lists that are asked by themselves where the database is not dear */
	PHRASES_BYTES_LEAST = 257, /* of a value; shorter ones are mostly known to have none by their grams */
	PHRASES_SLOT_WORDS = 4,    /* of scans that have no more */
};

static void add_bit(uint64_t *words, uint16_t step)
{
	words[step / 64] |= (uint64_t)1 << step % 64;
}

/* One more than fit. */
static void add_to_many(struct found *found, uint16_t step)
{
	if (found->step_count == REMEMBERED_STEPS) {
		found->step_count++;
		found->all = arena_zalloc(&found->t->arena, found->t->plan->probes->words, sizeof(*found->all));
		for (size_t i = 0; found->all != NULL && i < REMEMBERED_STEPS; i++)
			add_bit(found->all, found->steps[i]);
	}
	if (found->all != NULL)
		add_bit(found->all, step);
}

void found_add(struct found *found, uint16_t step)
{
	add_bit(found->t->candidates, step);
	for (size_t i = 0; i < found->step_count && i < REMEMBERED_STEPS; i++)
		if (found->steps[i] == step)
			return;
	if (found->step_count < REMEMBERED_STEPS)
		found->steps[found->step_count++] = step;
	else
		add_to_many(found, step);
}

void found_join(struct found *found, const struct found *more)
{
	if (more->step_count <= REMEMBERED_STEPS) {
		for (size_t i = 0; i < more->step_count; i++)
			found_add(found, more->steps[i]);
	} else if (more->all != NULL) {
		for (size_t word = 0; word < found->t->plan->probes->words; word++)
			for (uint64_t left = more->all[word]; left != 0; left &= left - 1)
				found_add(found, (uint16_t)(word * 64 + (size_t)__builtin_ctzll(left)));
	} else {
		found->step_count = REMEMBERED_STEPS + 1;
		found->all = NULL;
	}
}

void found_add_known(struct found *found, const struct remembered_answer *known)
{
	for (size_t i = 0; i < known->step_count; i++)
		found_add(found, known->steps[i]);
}

void asking_add(struct asking *a, uint16_t step)
{
	found_add(a->found, step);
}

static int ask_question(struct asking *a, const struct probe_question *question, struct slice bytes)
{
	a->operand.rule = question->rule;
	a->operand.argument = &question->argument;
	a->operand.bytes = bytes;
	struct profile_timer timer = profile_begin(a->t->worker->profile);
	int r = operator_evaluate(&a->operand);
	profile_end_question(timer, question->rule);
	if (r > 0)
		asking_add(a, question->step);
	return r < 0 ? r : 0;
}

/* What a scan leaves open of a long value is left to the rule: it would be asked twice. */
static int settle_bit(struct asking *a, const struct probe_bit *bit, struct slice bytes)
{
	if (bit->confirm > 0 && bytes.len <= ASKING_CONFIRMED_MAX_BYTES)
		return ask_question(a, &a->set->confirmations[bit->confirm - 1], bytes);
	asking_add(a, bit->step);
	return 0;
}

/* Negated operators: a clear bit is a match; a set one is none, if it is certain. `words` NULL: all are clear. */
static int ask_clear_bits(struct asking *a, const struct probe_scan *scan, const struct form *form,
			  const uint64_t *words)
{
	int r = 0;
	for (size_t i = 0; i < scan->clear_count && r == 0; i++) {
		const struct probe_bit *clear = &scan->clear[i];
		if ((form->nodes >> clear->node & 1) == 0)
			continue;
		if (words == NULL || (words[clear->bit / 64] >> clear->bit % 64 & 1) == 0)
			asking_add(a, clear->step);
		else if (clear->confirm > 0)
			r = settle_bit(a, clear, form->bytes);
	}
	return r;
}

static int ask_bits(struct asking *a, const struct probe_scan *scan, const struct form *form, const uint64_t *words)
{
	int r = 0;
	for (size_t word = 0; words != NULL && word < scan->words; word++) {
		for (uint64_t left = words[word]; left != 0; left &= left - 1) {
			size_t bit = word * 64 + (size_t)__builtin_ctzll(left);
			for (size_t i = scan->first_of_bit[bit]; i < scan->first_of_bit[bit + 1] && r == 0; i++)
				if ((form->nodes >> scan->bits[i].node & 1) != 0)
					r = settle_bit(a, &scan->bits[i], form->bytes);
		}
	}
	return r != 0 || scan->clear_count == 0 ? r : ask_clear_bits(a, scan, form, words);
}

/*
 * Whether a form's lists of phrases are to be asked by themselves. The database holds the phrases of all rules and
 * looks at each place where one may end. Of a value full of such ends, or known to match something, that is dearer than
 * the lists.
 */
static bool asks_phrases(const struct asking *a, const struct probe_scan *scan, const struct form *form)
{
	size_t count = 0;
	if (form->bytes.len < PHRASES_BYTES_LEAST || (form->nodes & scan->not_phrases) != 0)
		return false;
	for (size_t i = 0; i < scan->phrases_count; i++)
		count += (scan->phrases[i].nodes & form->nodes) != 0;
	if (count == 0)
		return false;
	return (count <= PHRASES_MOST && a->found->step_count > 0) || scan_set_is_dear(scan->set, form->bytes);
}

static int ask_phrases(struct asking *a, const struct probe_scan *scan, const struct form *form)
{
	int r = 0;
	for (size_t i = 0; i < scan->phrases_count && r == 0; i++)
		if ((scan->phrases[i].nodes & form->nodes) != 0)
			r = ask_question(a, &scan->phrases[i], form->bytes);
	return r;
}

/* Takes the database from what is looked for; false: nothing else was. */
static bool take_database(const struct probe_scan *scan, uint64_t *room, struct scan_view *view)
{
	size_t slot = scan_set_database_slot(scan->set);
	uint64_t any = 0;
	memcpy(room, view->slots, scan->slot_words * sizeof(*room));
	room[slot / 64] &= ~((uint64_t)1 << slot % 64);
	for (size_t i = 0; i < scan->slot_words; i++)
		any |= room[i];
	view->slots = room;
	return any != 0;
}

/* What a scan is to look for in a form; *ret_any: anything at all. 0 or an error. */
static int want(struct asking *a, const struct probe_scan *scan, const struct form *form, unsigned number,
		uint64_t room[static PHRASES_SLOT_WORDS], struct scan_view *ret_view, bool *ret_any)
{
	wanted_view(a->t->worker, scan, number, form->nodes, ret_view);
	if (scan->slot_words <= PHRASES_SLOT_WORDS && asks_phrases(a, scan, form)) {
		if (!take_database(scan, room, ret_view))
			ret_view->ret_bits = NULL;
		int r = ask_phrases(a, scan, form);
		if (r != 0)
			return r;
	}
	*ret_any |= ret_view->ret_bits != NULL;
	return 0;
}

/* One scan of the bytes of `read` for what is wanted of a form as it is and of one lowered; NULL: of none. */
static int ask_scan(struct asking *a, const struct probe_scan *scan, const struct form *read,
		    const struct form *const forms[static FORMS])
{
	struct worker *worker = a->t->worker;
	struct scan_view views[SCAN_VIEWS];
	uint64_t rooms[SCAN_VIEWS][PHRASES_SLOT_WORDS];
	int r = 0;
	profile_note_scan(worker->profile);
	if (read->bytes.len >= scan->min_width) {
		bool any = false;
		for (unsigned i = 0; i < FORMS; i++) {
			views[i].ret_bits = NULL;
			r = forms[i] == NULL ? 0 : want(a, scan, forms[i], i, rooms[i], &views[i], &any);
			if (r != 0)
				return r;
		}
		if (any)
			r = scan_run_views(scan->set, worker->scan_scratch, read->bytes, byte_level_of(read->kinds),
					   views);
	}
	if (r < 0)
		return -EIO;
	bool told = r > 0;
	r = 0;
	for (size_t i = 0; i < FORMS && r == 0 && (told || scan->clear_count > 0); i++)
		if (forms[i] != NULL)
			r = ask_bits(a, scan, forms[i], told ? views[i].ret_bits : NULL);
	return r;
}

/* `nodes`: of each form, those through which something may match. */
static int ask_scans(struct asking *a, const struct form *forms, const uint64_t nodes[static FORMS])
{
	int r = 0;
	for (size_t i = 0; i < a->set->scan_count && r == 0; i++) {
		const struct probe_scan *scan = &a->set->scans[i];
		const struct form *asked[FORMS];
		for (size_t k = 0; k < FORMS; k++)
			asked[k] = (scan->nodes & nodes[k]) != 0 ? &forms[k] : NULL;
		if (asked[LOWERED] != NULL && (scan->nodes & forms[LOWERED].nodes & ~scan->lowers) == 0) {
			r = ask_scan(a, scan, &forms[AS_IT_IS], asked);
			continue;
		}
		for (size_t k = 0; k < FORMS && r == 0; k++)
			if (asked[k] != NULL)
				r = ask_scan(a, scan, asked[k], (const struct form *[FORMS]){asked[k]});
	}
	return r;
}

static bool may_match(const struct probe_question *question, uint32_t kinds)
{
	return question->needs == 0 || (question->needs & kinds) != 0;
}

/* The nodes of a form through which something may match it. */
static uint64_t asked_of(const struct asking *a, const struct form *form)
{
	return form->nodes == 0 ? 0 : form->nodes & asking_matter(a->set, form->bytes.len, form->kinds)->asked;
}

int asking_forms(struct asking *a, const struct form forms[static FORMS])
{
	const uint64_t nodes[FORMS] = {asked_of(a, &forms[AS_IT_IS]), asked_of(a, &forms[LOWERED])};
	if ((nodes[AS_IT_IS] | nodes[LOWERED]) == 0)
		return 0;
	int r = ask_scans(a, forms, nodes);
	if (((nodes[AS_IT_IS] | nodes[LOWERED]) & a->set->questioned) == 0)
		return r;
	for (size_t i = 0; i < a->set->question_count && r == 0; i++) {
		const struct probe_question *question = &a->set->questions[i];
		for (size_t k = 0; k < FORMS && r == 0; k++)
			if ((forms[k].nodes & question->nodes) != 0 && may_match(question, forms[k].kinds))
				r = ask_question(a, question, forms[k].bytes);
	}
	return r;
}
