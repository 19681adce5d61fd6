/*
 * A state is the set of instructions that wait for the next byte, but those that always do, with what came before as
 * far as assertions ask for it. Assertions are settled when the next byte is known, and a match is told by the state
 * after that byte: each state lags by one, and the end of the value is one more byte.
 */
#include "match/automaton.h"

#include "base/error.h"
#include "match/automaton_internal.h"

#include <stdlib.h>

enum {
	ROWS_BYTES = 6 * 1024 * 1024,    /* tables of transitions */
	MEMBERS_BYTES = 4 * 1024 * 1024, /* the states' instructions */
	STATES_MAX = 32 * 1024,

	STATE_COST_BYTES = 512,
	RUN_EARNS_BYTES = 16,
	CREDIT_BYTES = 2048 * STATE_COST_BYTES, /* at first, and at most */

	UNKNOWN = 0,            /* a transition not yet made; state 0 is never used */
	TELLS = (int)(1 << 30), /* flag of a transition: its state has matches to tell */
};

struct state {
	uint64_t matched; /* patterns, on the way here */
	uint64_t hash;
	uint32_t members; /* place in cache->members */
	uint32_t count;
	uint32_t chain; /* next state of the same bucket */
	enum before before;
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
	int64_t credit_bytes;
	struct automaton_cache_facts facts;
};

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
	c->credit_bytes = CREDIT_BYTES;
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
	sparse_free(&cache->now);
	sparse_free(&cache->next);
	free(cache);
}

struct automaton_cache_facts automaton_cache_facts(const struct automaton_cache *cache)
{
	return cache->facts;
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

/* Keeps in c->next what waits for a byte, beginnings aside; the rest has done its work. True if it asks what came
 * before. */
static bool drop_done(const struct automaton *a, struct automaton_cache *c)
{
	bool asserts = a->starts_assert;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < c->next.count; i++) {
		uint32_t at = c->next.dense[i];
		uint8_t kind = a->instructions[at].kind;
		if (kind == INSTRUCTION_SPLIT || a->at_start[at])
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
	c->credit_bytes -= STATE_COST_BYTES;
	return number;
}

/* The patterns of which a match is in c->now. */
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
static void advance(const struct automaton *a, struct automaton_cache *c, size_t context, uint32_t class,
		    uint64_t matched)
{
	c->next.count = 0;
	if (class == a->class_count - 1)
		return;
	for (uint32_t i = 0; i < c->now.count; i++) {
		const struct instruction *in = &a->instructions[c->now.dense[i]];
		if (in->kind == INSTRUCTION_SET && (matched >> in->pattern & 1) == 0 &&
		    pattern_set_has(&a->class_sets[in->operand], (uint8_t) class))
			automaton_close(a, &c->next, in->next, c->stack);
	}
	for (uint32_t i = a->from[context]; i < a->from[context + 1]; i++) {
		uint32_t at = a->places[i];
		if ((matched >> a->instructions[at].pattern & 1) == 0 && !sparse_has(&c->next, at))
			sparse_add(&c->next, at);
	}
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
	size_t context = (size_t)from->before * a->class_count + class;
	c->now.count = 0;
	for (uint32_t i = 0; i < from->count; i++)
		sparse_add(&c->now, c->members[from->members + i]);
	automaton_settle(a, &c->now, from->before, class, c->stack);
	uint64_t matched = from->matched | matches_now(a, c) | a->start_matches[context];
	advance(a, c, context, class, matched);
	uint32_t to = find_state(a, c, before_after(a, class), matched) * c->stride;
	if (c->facts.emptied == emptied) /* else `from` is no more */
		c->rows[row + class] = to;
	return to;
}

static uint32_t start_row(const struct automaton *a, struct automaton_cache *c)
{
	if (c->start == UNKNOWN) {
		c->next.count = 0;
		uint32_t start = find_state(a, c, BEFORE_START, 0);
		c->start = start * c->stride;
	}
	return c->start;
}

static void earn(struct automaton_cache *c, size_t bytes)
{
	c->credit_bytes += (int64_t)bytes + RUN_EARNS_BYTES;
	if (c->credit_bytes > CREDIT_BYTES)
		c->credit_bytes = CREDIT_BYTES;
}

/*
 * Takes `lanes` automata on from byte `at`, as far as all their transitions are known; returns how far. It is inlined
 * with a constant number of lanes, and unrolled, so that all is in registers.
 */
static inline __attribute__((always_inline)) size_t go_on(struct automaton_run *runs, const size_t lanes,
							  struct slice value, size_t at)
{
	const uint16_t *class_of[4];
	const uint32_t *rows[4];
	uint32_t row[4], next[4];
#pragma GCC unroll 4
	for (size_t k = 0; k < lanes; k++) {
		class_of[k] = runs[k].automaton->class_of;
		rows[k] = runs[k].cache->rows;
		row[k] = runs[k].row;
	}
	for (; at < value.len; at++) {
		bool known = true;
		uint8_t byte = value.ptr[at];
#pragma GCC unroll 4
		for (size_t k = 0; k < lanes; k++) {
			next[k] = rows[k][row[k] + class_of[k][byte]];
			known &= next[k] != UNKNOWN;
		}
		if (__builtin_expect(!known, 0))
			break;
#pragma GCC unroll 4
		for (size_t k = 0; k < lanes; k++)
			row[k] = next[k];
	}
#pragma GCC unroll 4
	for (size_t k = 0; k < lanes; k++)
		runs[k].row = row[k];
	return at;
}

/* One step of one automaton, making the transition if need be. False when its credit is used up. */
static bool step(struct automaton_run *run, uint32_t class)
{
	uint32_t next = run->cache->rows[run->row + class];
	if (next == UNKNOWN) {
		if (run->bounded && run->cache->credit_bytes <= 0)
			return false;
		next = make_transition(run->automaton, run->cache, run->row, class);
	}
	run->row = next;
	return true;
}

static void end_run(struct automaton_run *run, bool busy)
{
	struct automaton_cache *c = run->cache;
	run->busy = busy || !step(run, run->automaton->class_count - 1);
	run->found = c->states[run->row / c->stride].matched;
	c->facts.refused += run->busy;
}

/* An unbounded run, from byte `at` to the end. */
static void finish_alone(struct automaton_run *run, struct slice value, size_t at)
{
	for (at = go_on(run, 1, value, at); at < value.len; at = go_on(run, 1, value, at + 1))
		step(run, run->automaton->class_of[value.ptr[at]]);
	end_run(run, false);
}

/* Number `refused` may not make its transition at byte `at`; those before it have made theirs. */
static void give_up(struct automaton_run *runs, size_t lanes, size_t refused, struct slice value, size_t at)
{
	for (size_t k = 0; k < lanes; k++) {
		if (runs[k].bounded)
			end_run(&runs[k], true);
		else
			finish_alone(&runs[k], value, at + (k < refused));
	}
}

static inline size_t go_on_together(struct automaton_run *runs, size_t lanes, struct slice value, size_t at)
{
	switch (lanes) {
	case 1:
		return go_on(runs, 1, value, at);
	case 2:
		return go_on(runs, 2, value, at);
	case 3:
		return go_on(runs, 3, value, at);
	default:
		return go_on(runs, 4, value, at);
	}
}

/* Up to four: more would not find registers. If one has no more credit, all that are bounded give up. */
static void run_together(struct automaton_run *runs, size_t lanes, struct slice value)
{
	for (size_t at = go_on_together(runs, lanes, value, 0); at < value.len;
	     at = go_on_together(runs, lanes, value, at + 1)) {
		for (size_t k = 0; k < lanes; k++) {
			if (!step(&runs[k], runs[k].automaton->class_of[value.ptr[at]])) {
				give_up(runs, lanes, k, value, at);
				return;
			}
		}
	}
	for (size_t k = 0; k < lanes; k++)
		end_run(&runs[k], false);
}

void automaton_run(struct automaton_run *runs, size_t count, struct slice value)
{
	for (size_t i = 0; i < count; i++) {
		runs[i].row = start_row(runs[i].automaton, runs[i].cache);
		earn(runs[i].cache, value.len);
	}
	for (size_t i = 0; i < count; i += 4)
		run_together(runs + i, count - i < 4 ? count - i : 4, value);
}
