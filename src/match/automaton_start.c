/* What both building an automaton and running it need; and what is known of beginnings before any value is. */
#include "base/error.h"
#include "base/vector.h"
#include "match/automaton_internal.h"

#include <stdlib.h>

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

void automaton_close(const struct automaton *a, struct sparse *set, uint32_t from, uint32_t *stack)
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

bool automaton_holds(const struct automaton *a, uint32_t assertion, enum before before, uint32_t class)
{
	bool end = class == a->class_count - 1;
	bool edge = (before == BEFORE_WORD) != (!end && a->class_is_word[class]);
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
		break; /* never built */
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
	find_starts(a, w);
	for (unsigned before = 0; before < BEFORE_COUNT; before++)
		for (uint32_t class = 0; class < a->class_count; class ++)
			if (add_places(a, w, (enum before)before, class) != 0)
				return -ENOMEM;
	a->from[contexts] = (uint32_t)a->place_count;
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
