/* Where the matches of one pattern begin and end. */
#include "match/automaton_internal.h"

static uint32_t follow(const struct automaton *a, struct automaton_cache *c, uint32_t row, uint32_t class)
{
	uint32_t next = c->rows[row + class];
	return next != UNKNOWN ? next : automaton_make_transition(a, c, row, class);
}

/* The state after a byte tells of the place before it: read backwards, the place behind it. */
size_t automaton_leftmost(const struct automaton *automaton, struct automaton_cache *cache, struct slice value,
			  size_t from)
{
	automaton_cache_take(cache, automaton);
	uint32_t row = automaton_start_row(automaton, cache, BEFORE_START);
	size_t leftmost = SIZE_MAX;
	for (size_t at = value.len; at > from; at--) {
		uint32_t next = follow(automaton, cache, row, automaton->class_of[value.ptr[at - 1]]);
		leftmost = (next & TELLS) != 0 ? at : leftmost;
		row = next & ~(uint32_t)TELLS;
	}
	uint32_t class = from > 0 ? automaton->class_of[value.ptr[from - 1]] : automaton->class_count - 1;
	return (follow(automaton, cache, row, class) & TELLS) != 0 ? from : leftmost;
}

static bool is_dead(const struct automaton_cache *c, uint32_t row)
{
	return c->states[row / c->stride].count == 0;
}

size_t automaton_longest(const struct automaton *automaton, struct automaton_cache *cache, struct slice value,
			 size_t from)
{
	automaton_cache_take(cache, automaton);
	enum before before =
		from == 0 ? BEFORE_START : automaton_before_after(automaton, automaton->class_of[value.ptr[from - 1]]);
	uint32_t row = automaton_start_row(automaton, cache, before);
	size_t longest = SIZE_MAX;
	for (size_t at = from; at < value.len; at++) {
		uint32_t next = follow(automaton, cache, row, automaton->class_of[value.ptr[at]]);
		longest = (next & TELLS) != 0 ? at : longest;
		row = next & ~(uint32_t)TELLS;
		if ((at & 63) == 0 && is_dead(cache, row))
			return longest;
	}
	uint32_t end = automaton->class_count - 1;
	return (follow(automaton, cache, row, end) & TELLS) != 0 ? value.len : longest;
}
