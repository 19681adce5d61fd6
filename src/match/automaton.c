/*
 * A state is the set of instructions that wait for the next byte, with what came before as far as assertions ask for
 * it. Assertions are settled when the next byte is known, and a match is told by the state after that byte: each state
 * lags by one, and the end of the value is one more byte.
 */
#include "match/automaton.h"

#include "base/error.h"
#include "match/automaton_internal.h"

#include <stdlib.h>

enum {
	ROWS_BYTES = 6 * 1024 * 1024,    /* tables of transitions */
	MEMBERS_BYTES = 4 * 1024 * 1024, /* the states' instructions */
	STATES_MAX = 32 * 1024,

	UNKNOWN = 0,            /* a transition not yet made; state 0 is never used */
	TELLS = (int)(1 << 30), /* flag of a transition: its state has matches to tell */
};

enum before {
	BEFORE_OTHER,
	BEFORE_START,
	BEFORE_WORD,
	BEFORE_NEWLINE,
};

struct state {
	uint64_t matched; /* patterns, on the way here */
	uint64_t hash;
	uint32_t members; /* place in cache->members */
	uint32_t count;
	uint32_t chain; /* next state of the same bucket */
	enum before before;
};

/* A set of instructions with constant-time insert and membership. */
struct sparse {
	uint32_t *dense;
	uint32_t *place;
	uint32_t count;
};

struct automaton_cache {
	uint32_t *rows; /* by state, then class: where the next state's row begins */
	uint32_t *members;
	struct state *states;
	uint32_t *buckets;
	uint32_t *stack;
	struct sparse now, next;
	uint32_t stride;
	uint32_t row_limit; /* states that fit */
	uint32_t member_limit;
	uint32_t bucket_mask;
	uint32_t state_count;
	uint32_t member_count;
	uint32_t start; /* row; UNKNOWN: not made yet */
	struct automaton_cache_facts facts;
};

static int sparse_make(struct sparse *s, size_t count)
{
	s->dense = malloc(count * sizeof(uint32_t));
	s->place = calloc(count, sizeof(uint32_t));
	return s->dense == NULL || s->place == NULL ? -ENOMEM : 0;
}

static inline bool sparse_has(const struct sparse *s, uint32_t item)
{
	return s->place[item] < s->count && s->dense[s->place[item]] == item;
}

static inline void sparse_add(struct sparse *s, uint32_t item)
{
	s->place[item] = s->count;
	s->dense[s->count++] = item;
}

static int cache_fill(const struct automaton *a, struct automaton_cache *c)
{
	size_t instructions = a->instruction_count + 1;
	c->stride = a->class_count;
	c->row_limit = (uint32_t)(ROWS_BYTES / (c->stride * sizeof(uint32_t)));
	if (c->row_limit > STATES_MAX)
		c->row_limit = STATES_MAX;
	c->member_limit = MEMBERS_BYTES / sizeof(uint32_t);
	if (c->member_limit < 4 * instructions)
		c->member_limit = (uint32_t)(4 * instructions);
	c->bucket_mask = STATES_MAX - 1;
	c->rows = malloc((size_t)c->row_limit * c->stride * sizeof(uint32_t));
	c->members = malloc((size_t)c->member_limit * sizeof(uint32_t));
	c->states = malloc((size_t)c->row_limit * sizeof(*c->states));
	c->buckets = calloc((size_t)c->bucket_mask + 1, sizeof(uint32_t));
	c->stack = malloc(2 * instructions * sizeof(uint32_t));
	if (c->rows == NULL || c->members == NULL || c->states == NULL || c->buckets == NULL || c->stack == NULL)
		return -ENOMEM;
	c->state_count = 1;
	c->facts.instructions = a->instruction_count;
	c->facts.classes = a->class_count;
	int r = sparse_make(&c->now, instructions);
	return r != 0 ? r : sparse_make(&c->next, instructions);
}

int automaton_cache_create(const struct automaton *automaton, struct automaton_cache **ret_cache)
{
	struct automaton_cache *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	int r = cache_fill(automaton, c);
	if (r != 0) {
		automaton_cache_free(c);
		return r;
	}
	*ret_cache = c;
	return 0;
}

void automaton_cache_free(struct automaton_cache *cache)
{
	if (cache == NULL)
		return;
	free(cache->rows);
	free(cache->members);
	free(cache->states);
	free(cache->buckets);
	free(cache->stack);
	free(cache->now.dense);
	free(cache->now.place);
	free(cache->next.dense);
	free(cache->next.place);
	free(cache);
}

struct automaton_cache_facts automaton_cache_facts(const struct automaton_cache *cache)
{
	return cache->facts;
}

/* Whether an assertion holds between what came before and the class that comes. */
static bool holds(const struct automaton *a, uint32_t assertion, enum before before, uint32_t class)
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

/* Adds `from` and what it leads to without a byte. Assertions are left in the set, to be settled later. */
static void add_closure(const struct automaton *a, struct automaton_cache *c, struct sparse *set, uint32_t from)
{
	uint32_t depth = 0;
	c->stack[depth++] = from;
	while (depth > 0) {
		uint32_t at = c->stack[--depth];
		if (sparse_has(set, at))
			continue;
		sparse_add(set, at);
		const struct instruction *in = &a->instructions[at];
		if (in->kind == INSTRUCTION_SPLIT) {
			c->stack[depth++] = in->other;
			c->stack[depth++] = in->next;
		}
	}
}

/* Fills c->now with a state's instructions, and those behind assertions that hold before `class`. */
static void settle(const struct automaton *a, struct automaton_cache *c, const struct state *s, uint32_t class)
{
	c->now.count = 0;
	for (uint32_t i = 0; i < s->count; i++)
		sparse_add(&c->now, c->members[s->members + i]);
	for (uint32_t i = 0; i < c->now.count; i++) { /* it grows as we go */
		const struct instruction *in = &a->instructions[c->now.dense[i]];
		if (in->kind == INSTRUCTION_ASSERT && holds(a, in->operand, s->before, class))
			add_closure(a, c, &c->now, in->next);
	}
}

static uint64_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15u;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	return x ^ x >> 32;
}

static bool same_members(const struct automaton_cache *c, const struct state *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (!sparse_has(&c->next, c->members[s->members + i]))
			return false;
	return true;
}

/* Keeps in c->next what waits for a byte; the rest has done its work. True if an assertion is among it. */
static bool drop_done(const struct automaton *a, struct automaton_cache *c)
{
	bool asserts = false;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < c->next.count; i++) {
		uint32_t at = c->next.dense[i];
		uint8_t kind = a->instructions[at].kind;
		if (kind == INSTRUCTION_SPLIT)
			continue;
		asserts = asserts || kind == INSTRUCTION_ASSERT;
		c->next.dense[kept] = at;
		c->next.place[at] = kept++;
	}
	c->next.count = kept;
	return asserts;
}

static void cache_empty(struct automaton_cache *c)
{
	memset(c->buckets, 0, ((size_t)c->bucket_mask + 1) * sizeof(uint32_t));
	c->state_count = 1;
	c->member_count = 0;
	c->start = UNKNOWN;
	c->facts.emptied++;
}

/* The state of what is in c->next, made if it is new. Emptying the cache on the way is told by facts.emptied. */
static uint32_t find_state(const struct automaton *a, struct automaton_cache *c, enum before before, uint64_t matched)
{
	if (!drop_done(a, c))
		before = BEFORE_OTHER; /* nobody will ask */
	uint64_t hash = mix(matched ^ mix(before));
	for (uint32_t i = 0; i < c->next.count; i++)
		hash += mix(c->next.dense[i] + 1);
	uint32_t *bucket = &c->buckets[mix(hash) & c->bucket_mask];
	for (uint32_t at = *bucket; at != UNKNOWN; at = c->states[at].chain) {
		const struct state *s = &c->states[at];
		if (s->hash == hash && s->matched == matched && s->before == before && s->count == c->next.count &&
		    same_members(c, s))
			return at;
	}
	if (c->state_count == c->row_limit || c->member_limit - c->member_count < c->next.count)
		cache_empty(c);
	uint32_t number = c->state_count++;
	c->states[number] = (struct state){
		.matched = matched,
		.hash = hash,
		.members = c->member_count,
		.count = c->next.count,
		.chain = *bucket,
		.before = before,
	};
	*bucket = number;
	memcpy(c->members + c->member_count, c->next.dense, c->next.count * sizeof(uint32_t));
	c->member_count += c->next.count;
	memset(c->rows + (size_t)number * c->stride, 0, c->stride * sizeof(uint32_t));
	c->facts.states_made++;
	return number;
}

static void add_starts(const struct automaton *a, struct automaton_cache *c, uint64_t matched)
{
	for (uint32_t i = 0; i < a->pattern_count; i++)
		if ((matched >> i & 1) == 0)
			add_closure(a, c, &c->next, a->starts[i]);
}

/* The patterns that have matched once c->now is settled. */
static uint64_t matches_now(const struct automaton *a, const struct automaton_cache *c)
{
	uint64_t matches = 0;
	for (uint32_t i = 0; i < c->now.count; i++) {
		const struct instruction *in = &a->instructions[c->now.dense[i]];
		if (in->kind == INSTRUCTION_MATCH)
			matches |= (uint64_t)1 << in->pattern;
	}
	return matches;
}

/* Fills c->next with what comes after a class, leaving out patterns that have matched. */
static void advance(const struct automaton *a, struct automaton_cache *c, uint32_t class, uint64_t matched)
{
	c->next.count = 0;
	if (class == a->class_count - 1)
		return;
	for (uint32_t i = 0; i < c->now.count; i++) {
		const struct instruction *in = &a->instructions[c->now.dense[i]];
		if (in->kind == INSTRUCTION_SET && (matched >> in->pattern & 1) == 0 &&
		    pattern_set_has(&a->class_sets[in->operand], (uint8_t) class))
			add_closure(a, c, &c->next, in->next);
	}
	add_starts(a, c, matched);
}

static enum before before_after(const struct automaton *a, uint32_t class)
{
	if (a->class_is_word[class])
		return BEFORE_WORD;
	return a->class_is_newline[class] ? BEFORE_NEWLINE : BEFORE_OTHER;
}

/* Makes the transition from a row by a class; returns the row it leads to. */
static uint32_t make_transition(const struct automaton *a, struct automaton_cache *c, uint32_t row, uint32_t class)
{
	const struct state *from = &c->states[row / c->stride];
	uint64_t emptied = c->facts.emptied;
	settle(a, c, from, class);
	uint64_t matched = from->matched | matches_now(a, c);
	advance(a, c, class, matched);
	uint32_t to = find_state(a, c, before_after(a, class), matched) * c->stride;
	if (c->facts.emptied == emptied) /* else `from` is no more */
		c->rows[row + class] = to;
	return to;
}

static uint32_t start_row(const struct automaton *a, struct automaton_cache *c)
{
	if (c->start == UNKNOWN) {
		c->next.count = 0;
		add_starts(a, c, 0);
		uint32_t start = find_state(a, c, BEFORE_START, 0);
		c->start = start * c->stride;
	}
	return c->start;
}

uint64_t automaton_run(const struct automaton *automaton, struct automaton_cache *cache, struct slice value)
{
	uint32_t row = start_row(automaton, cache);
	const uint32_t *rows = cache->rows;
	for (size_t i = 0; i < value.len; i++) {
		uint32_t class = automaton->class_of[value.ptr[i]];
		uint32_t next = rows[row + class];
		row = next != UNKNOWN ? next : make_transition(automaton, cache, row, class);
	}
	uint32_t end = automaton->class_count - 1;
	uint32_t next = rows[row + end];
	row = next != UNKNOWN ? next : make_transition(automaton, cache, row, end);
	return cache->states[row / cache->stride].matched;
}
