/* What both building an automaton and running it need; and what is known of beginnings before any value is. */
#include "base/error.h"
#include "base/vector.h"
#include "match/automaton_internal.h"
#include "match/pattern_width.h"

#include <stdlib.h>

/* Of plain text; with more beginners skipping takes longer than going over all. */
static const double SKIPPING_SHARE_MOST = 0.1;

int sparse_make(struct sparse *s, size_t count)
{
	s->dense = malloc(count * sizeof(uint32_t));
	s->place = calloc(count, sizeof(uint32_t));
	s->count = 0;
	return s->dense == NULL || s->place == NULL ? -ENOMEM : 0;
}

void sparse_free(struct sparse *s)
{
	free(s->dense);
	free(s->place);
}

static void add(struct sparse *set, uint32_t at)
{
	if (!sparse_has(set, at))
		sparse_add(set, at);
}

/* Through the instructions themselves. */
static void close_by_walking(const struct automaton *a, struct sparse *set, uint32_t from, uint32_t *stack)
{
	uint32_t depth = 0;
	stack[depth++] = from;
	while (depth > 0) {
		uint32_t at = stack[--depth];
		if (sparse_has(set, at))
			continue;
		sparse_add(set, at);
		const struct instruction *in = &a->instructions[at];
		if (in->kind == INSTRUCTION_SPLIT) {
			stack[depth++] = in->other;
			stack[depth++] = in->next;
		}
	}
}

void automaton_close(const struct automaton *a, struct sparse *set, uint32_t from, uint32_t *stack)
{
	if (a->instructions[from].kind != INSTRUCTION_SPLIT) {
		add(set, from);
		return;
	}
	if (a->closure_of == NULL || a->closure_of[from] == NO_CLOSURE) {
		close_by_walking(a, set, from, stack);
		return;
	}
	const uint32_t *closure = &a->closures[a->closure_of[from]];
	for (uint32_t i = 1; i <= closure[0]; i++)
		add(set, closure[i]);
}

bool automaton_holds(const struct automaton *a, uint32_t assertion, enum before before, uint32_t class)
{
	bool end = class == a->class_count - 1;
	bool edge = (before == BEFORE_WORD) != (!end && a->class_is_word[class]);
	if (assertion >= PATTERN_OTHER_NEXT)
		return end || !pattern_set_has(&a->class_sets[assertion - PATTERN_OTHER_NEXT], (uint8_t) class);
	switch ((enum pattern_assertion)assertion) {
	case PATTERN_SUBJECT_START:
		return before == BEFORE_START;
	case PATTERN_LINE_START:
		return before == BEFORE_START || (before == BEFORE_NEWLINE && !end);
	case PATTERN_SUBJECT_END:
		return end;
	case PATTERN_LINE_END:
		return end || a->class_is_newline[class];
	case PATTERN_WORD_EDGE:
		return edge;
	case PATTERN_NO_WORD_EDGE:
		return !edge;
	case PATTERN_SUBJECT_END_OR_LAST_NEWLINE:
	case PATTERN_OTHER_NEXT:
		break; /* never built, and asked above */
	}
	return false;
}

void automaton_settle(const struct automaton *a, struct sparse *set, enum before before, uint32_t class,
		      uint32_t *stack)
{
	for (uint32_t i = 0; i < set->count; i++) { /* it grows as we go */
		const struct instruction *in = &a->instructions[set->dense[i]];
		if (in->kind == INSTRUCTION_ASSERT && automaton_holds(a, in->operand, before, class))
			automaton_close(a, set, in->next, stack);
	}
}

/* What the work below needs. */
struct work {
	struct sparse start; /* all that waits at beginnings */
	struct sparse now;
	struct sparse next;
	uint32_t *stack;
	size_t capacity; /* of a->places */
};

static void find_starts(struct automaton *a, struct work *w)
{
	for (uint32_t i = 0; i < a->pattern_count; i++)
		automaton_close(a, &w->start, a->starts[i], w->stack);
	for (uint32_t i = 0; i < w->start.count; i++) {
		uint32_t at = w->start.dense[i];
		a->at_start[at] = !a->for_places;
		a->starts_assert = a->starts_assert || a->instructions[at].kind == INSTRUCTION_ASSERT;
	}
}

/* The places that one class leads to from a beginning. */
static int add_places(struct automaton *a, struct work *w, enum before before, uint32_t class)
{
	size_t index = (size_t)before * a->class_count + class;
	w->now.count = w->next.count = 0;
	for (uint32_t i = 0; i < w->start.count; i++)
		sparse_add(&w->now, w->start.dense[i]);
	automaton_settle(a, &w->now, before, class, w->stack);
	for (uint32_t i = 0; i < w->now.count; i++) {
		const struct instruction *in = &a->instructions[w->now.dense[i]];
		if (in->kind == INSTRUCTION_MATCH)
			a->start_matches[index] |= (uint64_t)1 << in->pattern;
		else if (in->kind == INSTRUCTION_SET && class != a->class_count - 1 &&
			 pattern_set_has(&a->class_sets[in->operand], (uint8_t) class))
			automaton_close(a, &w->next, in->next, w->stack);
	}
	a->from[index] = (uint32_t)a->place_count;
	for (uint32_t i = 0; i < w->next.count; i++) {
		uint32_t at = w->next.dense[i];
		if (a->at_start[at] || a->instructions[at].kind == INSTRUCTION_SPLIT)
			continue;
		if (vector_grow((void **)&a->places, &w->capacity, a->place_count, sizeof(*a->places)) != 0)
			return -ENOMEM;
		a->places[a->place_count++] = at;
	}
	return 0;
}

/* Those of splits that bytes and assertions lead to, while they are short in all. */
static int find_closures(struct automaton *a, struct work *w)
{
	size_t room = 4096 + 8 * (size_t)a->instruction_count, used = 0;
	uint32_t *closure_of = malloc((a->instruction_count + 1) * sizeof(*closure_of));
	a->closures = malloc(room * sizeof(*a->closures));
	if (closure_of == NULL || a->closures == NULL) {
		free(closure_of);
		return -ENOMEM;
	}
	memset(closure_of, 0xff, (a->instruction_count + 1) * sizeof(*closure_of));
	for (uint32_t i = 0; i < a->instruction_count; i++) {
		uint32_t to = a->instructions[i].next;
		uint8_t kind = a->instructions[i].kind;
		if ((kind != INSTRUCTION_SET && kind != INSTRUCTION_ASSERT) || closure_of[to] != NO_CLOSURE ||
		    a->instructions[to].kind != INSTRUCTION_SPLIT)
			continue;
		w->now.count = 0;
		close_by_walking(a, &w->now, to, w->stack);
		if (room - used <= w->now.count)
			break;
		uint32_t *count = &a->closures[used];
		closure_of[to] = (uint32_t)used++;
		*count = 0;
		for (uint32_t k = 0; k < w->now.count; k++) {
			if (a->instructions[w->now.dense[k]].kind == INSTRUCTION_SPLIT)
				continue;
			a->closures[used++] = w->now.dense[k];
			*count += 1;
		}
	}
	w->now.count = 0;
	a->closure_of = closure_of;
	a->closure_words = used;
	uint32_t *fitting = realloc(a->closures, (used + 1) * sizeof(*fitting));
	a->closures = fitting != NULL ? fitting : a->closures;
	return 0;
}

/* Whether something can begin with a class, after what came before. */
static bool begins(const struct automaton *a, enum before before, uint32_t class)
{
	size_t index = (size_t)before * a->class_count + class;
	return a->from[index] != a->from[index + 1] || a->start_matches[index] != 0;
}

static void find_beginners(struct automaton *a)
{
	double shares[2] = {0};
	uint32_t end = a->class_count - 1;
	a->starts_late = begins(a, BEFORE_OTHER, end) || begins(a, BEFORE_WORD, end) || begins(a, BEFORE_NEWLINE, end);
	for (unsigned c = 0; c < 256; c++) {
		const uint16_t classes[2] = {a->class_of[c], a->lowered_class_of[c]};
		for (unsigned lowered = 0; lowered < 2; lowered++) {
			bool after_others =
				begins(a, BEFORE_OTHER, classes[lowered]) || begins(a, BEFORE_WORD, classes[lowered]);
			a->starts_late = a->starts_late || after_others || begins(a, BEFORE_NEWLINE, classes[lowered]);
			if (!after_others && !(a->asks_lines && c == '\n'))
				continue;
			byte_set_add(&a->beginners[lowered], (uint8_t)c);
			shares[lowered] += pattern_byte_frequency((uint8_t)c);
		}
	}
	for (unsigned lowered = 0; lowered < 2; lowered++)
		a->skips[lowered] = !a->for_places && shares[lowered] <= SKIPPING_SHARE_MOST;
}

/* What came before is told as far as an assertion asks: states that differ in nothing else are one. */
static void find_questions(struct automaton *a)
{
	for (uint32_t i = 0; i < a->instruction_count; i++) {
		const struct instruction *in = &a->instructions[i];
		if (in->kind != INSTRUCTION_ASSERT)
			continue;
		a->asks_words =
			a->asks_words || in->operand == PATTERN_WORD_EDGE || in->operand == PATTERN_NO_WORD_EDGE;
		a->asks_lines = a->asks_lines || in->operand == PATTERN_LINE_START;
	}
}

/* By number of a set of instructions: the kind of all its bytes, if they are of one; else 0. NULL: no memory. */
static uint32_t *kinds_of_sets(const struct automaton *a)
{
	size_t sets = 0;
	for (size_t i = 0; i < a->instruction_count; i++)
		if (a->instructions[i].kind == INSTRUCTION_SET && a->instructions[i].operand >= sets)
			sets = (size_t)a->instructions[i].operand + 1;
	uint32_t *kinds = calloc(sets + 1, sizeof(*kinds));
	for (size_t i = 0; i < sets && kinds != NULL; i++) {
		for (unsigned c = 0; c < 256; c++)
			if (pattern_set_has(&a->class_sets[i], (uint8_t)a->class_of[c]))
				kinds[i] |= byte_kind((uint8_t)c);
		if ((kinds[i] & (kinds[i] - 1)) != 0)
			kinds[i] = 0;
	}
	return kinds;
}

static uint32_t needs_of(const struct automaton *a, const uint32_t *kinds, const struct instruction *in)
{
	switch ((enum instruction_kind)in->kind) {
	case INSTRUCTION_SET:
		return kinds[in->operand] | a->needs[in->next];
	case INSTRUCTION_SPLIT:
		return a->needs[in->next] & a->needs[in->other];
	case INSTRUCTION_ASSERT:
		return a->needs[in->next];
	case INSTRUCTION_MATCH:
		break;
	}
	return 0;
}

/* From all kinds down to what is so: what leads to no match may need anything. */
static int find_needs(struct automaton *a)
{
	size_t count = a->instruction_count;
	uint32_t *kinds = kinds_of_sets(a);
	a->needs = malloc((count + 1) * sizeof(*a->needs));
	if (kinds == NULL || a->needs == NULL) {
		free(kinds);
		return -ENOMEM;
	}
	memset(a->needs, 0xff, (count + 1) * sizeof(*a->needs));
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < count; i++) {
			uint32_t needs = needs_of(a, kinds, &a->instructions[i]);
			changed = changed || needs != a->needs[i];
			a->needs[i] = needs;
		}
	}
	free(kinds);
	return 0;
}

static int prepare(struct automaton *a, struct work *w)
{
	size_t instructions = a->instruction_count + 1, contexts = (size_t)BEFORE_COUNT * a->class_count;
	a->at_start = calloc(instructions, sizeof(*a->at_start));
	a->from = calloc(contexts + 1, sizeof(*a->from));
	a->start_matches = calloc(contexts, sizeof(*a->start_matches));
	w->stack = malloc(2 * instructions * sizeof(*w->stack));
	if (a->at_start == NULL || a->from == NULL || a->start_matches == NULL || w->stack == NULL ||
	    sparse_make(&w->start, instructions) != 0 || sparse_make(&w->now, instructions) != 0 ||
	    sparse_make(&w->next, instructions) != 0)
		return -ENOMEM;
	find_questions(a);
	find_starts(a, w);
	if (find_closures(a, w) != 0 || find_needs(a) != 0)
		return -ENOMEM;
	for (unsigned before = 0; before < BEFORE_COUNT; before++)
		for (uint32_t class = 0; class < a->class_count; class ++)
			if (add_places(a, w, (enum before)before, class) != 0)
				return -ENOMEM;
	a->from[contexts] = (uint32_t)a->place_count;
	find_beginners(a);
	return 0;
}

int automaton_prepare(struct automaton *a)
{
	struct work w = {0};
	int r = prepare(a, &w);
	sparse_free(&w.start);
	sparse_free(&w.now);
	sparse_free(&w.next);
	free(w.stack);
	return r;
}
