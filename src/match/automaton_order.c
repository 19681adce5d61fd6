/*
 * Where a backtracking matcher ends the match that begins at a place, without going back: the ways on are followed side
 * by side in the order in which it would try them, and a match ends all that it would have tried later (Pike's way, as
 * in Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009). States are such sequences.
 */
#include "match/automaton_internal.h"

/* Adds `from` and what it leads to without a byte, in order, through assertions that hold as well. */
static void settle_from(const struct automaton *a, struct automaton_cache *c, uint32_t from, enum before before,
			uint32_t class)
{
	struct sparse *settled = &c->settled;
	uint32_t depth = 0;
	c->stack[depth++] = from;
	while (depth > 0) {
		uint32_t at = c->stack[--depth];
		if (sparse_has(settled, at))
			continue;
		sparse_add(settled, at);
		const struct instruction *in = &a->instructions[at];
		if (in->kind == INSTRUCTION_SPLIT) {
			c->stack[depth++] = in->other;
			c->stack[depth++] = in->next;
		} else if (in->kind == INSTRUCTION_ASSERT && automaton_holds(a, in->operand, before, class)) {
			c->stack[depth++] = in->next;
		}
	}
}

/* From c->now to c->next by a class. True if a match ends before the class's byte. */
static bool advance(const struct automaton *a, struct automaton_cache *c, enum before before, uint32_t class)
{
	c->settled.count = c->next.count = 0;
	for (uint32_t i = 0; i < c->now.count; i++)
		settle_from(a, c, c->now.dense[i], before, class);
	for (uint32_t i = 0; i < c->settled.count; i++) {
		const struct instruction *in = &a->instructions[c->settled.dense[i]];
		if (in->kind == INSTRUCTION_MATCH)
			return true;
		if (in->kind == INSTRUCTION_SET && class != a->class_count - 1 &&
		    pattern_set_has(&a->class_sets[in->operand], (uint8_t) class))
			automaton_close(a, &c->next, in->next, c->stack);
	}
	return false;
}

static void load(struct automaton_cache *c, const struct state *s)
{
	c->now.count = 0;
	for (uint32_t i = 0; i < s->count; i++)
		sparse_add(&c->now, c->members[s->members + i]);
}

static uint32_t make_transition(const struct automaton *a, struct automaton_cache *c, uint32_t row, uint32_t class)
{
	const struct state *from = automaton_state(a, c, row);
	uint64_t emptied = c->facts.emptied;
	load(c, from);
	bool matched = advance(a, c, from->before, class);
	uint32_t to = automaton_row_of(a, c, automaton_before_after(a, class), matched);
	if (c->facts.emptied == emptied) /* else `from` is no more */
		c->rows[row + class] = to;
	return to;
}

/* For want of credit: from c->now on, at `at`, where `end` is the best so far. */
static size_t go_without_states(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t at,
				size_t end, bool any)
{
	for (; at <= value.len && c->now.count > 0 && !(any && end != SIZE_MAX); at++) {
		if (advance(a, c, before_at(a, value, at), class_at(a, value, at)))
			end = at;
		automaton_reduce(a, c);
		struct sparse kept = c->now;
		c->now = c->next;
		c->next = kept;
	}
	return end;
}

/* The last end of a match in some blocks, of which the rows behind each are known; SIZE_MAX: none. */
static size_t last_end(const struct automaton *a, const struct automaton_cache *c, struct slice value, size_t at,
		       uint32_t row, const uint32_t *rows, size_t blocks)
{
	size_t end = SIZE_MAX;
	for (size_t block = blocks; block-- > 0 && end == SIZE_MAX;) {
		uint32_t now = block > 0 ? rows[block - 1] : row;
		size_t from = at + block * AUTOMATON_BLOCK_BYTES;
		for (size_t i = from; i < from + AUTOMATON_BLOCK_BYTES; i++) {
			now = c->rows[now + a->class_of[value.ptr[i]]];
			end = automaton_state(a, c, now)->matched != 0 ? i : end;
		}
	}
	return end;
}

/* A match that goes on for long: blocks of which all is known are passed over, and only then is its end sought. */
static void go_far(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t *at, uint32_t *row,
		   size_t *end)
{
	uint32_t rows[AUTOMATON_AHEAD_BLOCKS];
	size_t blocks;
	while (automaton_state(a, c, *row)->count > 0 &&
	       (blocks = automaton_go_ahead(a, c, value, *at, *row, rows)) > 0) {
		size_t last = last_end(a, c, value, *at, *row, rows, blocks);
		*end = last != SIZE_MAX ? last : *end;
		*row = rows[blocks - 1];
		*at += blocks * AUTOMATON_BLOCK_BYTES;
	}
}

enum { AHEAD_BYTES = 256 };

/*
 * From a row on, at `at`, up to `to`, as long as the transitions are known and something is under way; with `any` up to
 * an end.
 */
static void go_near(const struct automaton *a, const struct automaton_cache *c, struct slice value, size_t to, bool any,
		    size_t *at, uint32_t *row, size_t *end)
{
	const uint32_t *rows = c->rows, class_count = a->class_count;
	size_t i = *at;
	uint32_t now = *row;
	if (automaton_state(a, c, now)->count == 0)
		return;
	for (; i < to; i++) {
		uint32_t next = rows[now + a->class_of[value.ptr[i]]];
		if (next == UNKNOWN)
			break;
		const struct state *s = &c->states[rows[next + class_count]];
		now = next;
		*end = s->matched != 0 ? i : *end;
		if (s->count == 0 || (any && s->matched != 0)) {
			i++;
			break;
		}
	}
	*at = i;
	*row = now;
}

/* From a row on, at `at`. `any`: the first end found will do. */
static size_t go(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t at, uint32_t row,
		 bool any)
{
	size_t end = SIZE_MAX, far = any ? SIZE_MAX : at + AHEAD_BYTES;
	automaton_earn(c, value.len - at);
	for (; at <= value.len; at++) {
		go_near(a, c, value, far < value.len ? far : value.len, any, &at, &row, &end);
		if (at == far) {
			go_far(a, c, value, &at, &row, &end);
			far = at + AHEAD_BYTES;
		}
		if (automaton_state(a, c, row)->count == 0 || (any && end != SIZE_MAX))
			break;
		uint32_t class = class_at(a, value, at);
		uint32_t next = c->rows[row + class];
		if (next == UNKNOWN && c->credit_bytes <= 0) {
			load(c, automaton_state(a, c, row));
			return go_without_states(a, c, value, at, end, any);
		}
		row = next != UNKNOWN ? next : make_transition(a, c, row, class);
		const struct state *s = automaton_state(a, c, row);
		if (s->matched != 0)
			end = at;
		if (any && s->matched != 0)
			break;
	}
	return end;
}

/* The row of all that the pattern may begin with. */
static uint32_t start_row(const struct automaton *a, struct automaton_cache *c, enum before before)
{
	if (c->starts[before] == UNKNOWN) {
		c->next.count = 0;
		automaton_close(a, &c->next, a->starts[0], c->stack);
		uint32_t row = automaton_row_of(a, c, before, 0);
		c->starts[before] = row;
	}
	return c->starts[before];
}

size_t automaton_ordered_end(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t from)
{
	return go(a, c, value, from, start_row(a, c, before_at(a, value, from)), false);
}

size_t automaton_ordered_begin(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t from,
			       size_t to, size_t steps)
{
	automaton_earn(c, to - from);
	for (size_t begin = from; begin <= to; begin++) {
		uint32_t row = start_row(a, c, before_at(a, value, begin));
		for (size_t at = begin; at <= value.len; at++) {
			uint32_t class = class_at(a, value, at), next = c->rows[row + class];
			if (steps-- == 0 || (next == UNKNOWN && c->credit_bytes <= 0))
				return SIZE_MAX;
			row = next != UNKNOWN ? next : make_transition(a, c, row, class);
			const struct state *s = automaton_state(a, c, row);
			if (s->matched != 0)
				return begin;
			if (s->count == 0)
				break;
		}
	}
	return SIZE_MAX;
}

bool automaton_leads_on(const struct automaton *a, struct automaton_cache *c, struct slice value, size_t at,
			const uint32_t *instructions, uint32_t count)
{
	c->next.count = 0;
	for (uint32_t i = 0; i < count; i++)
		sparse_add(&c->next, instructions[i]);
	if (at > value.len)
		return false;
	uint32_t row = automaton_row_of(a, c, before_at(a, value, at), 0);
	return go(a, c, value, at, row, true) != SIZE_MAX;
}
