/*
 * A state is the set of instructions that wait for the next byte, but those that always do, with what came before as
 * far as assertions ask for it. Assertions are settled when the next byte is known, and a match is told by the state
 * after that byte: each state lags by one, and the end of the value is one more byte.
 */
#include "match/automaton.h"

#include "base/error.h"
#include "base/hash.h"
#include "match/automaton_internal.h"

#include <stdlib.h>

enum {
	MANY_ROWS_BYTES = 6 * 1024 * 1024,
	MANY_MEMBERS_BYTES = 4 * 1024 * 1024,
	MANY_STATES = 32 * 1024,
	MANY_CREDIT_STATES = 4096, /* 10 KB of plain text needs some hundred, a megabyte of all kinds 7,000 */
	MANY_STATE_COST_BYTES = 512,

	/* One pattern needs some hundred states, up to 2,000 where it is a large one. */
	ONE_INSTRUCTION_BYTES = 512,
	ONE_BYTES_LEAST = 32 * 1024,
	ONE_BYTES_MOST = 1024 * 1024,
	ONE_STATES = 8 * 1024,
	ONE_STATE_COST_BYTES = 32,

	LARGE_BYTES = 384 * 1024, /* in rows */
	FEWEST_STATES = 4,        /* that there must be room for */
	STRIDE_MOST = 258,        /* of a row: a class for each byte and the end, and the state's number */

	/* Of a pool. */
	COMMON_INSTRUCTIONS = 40 * 1000,
	COMMON_BYTES = 256 * 1024,
	COMMON_STATES = 4096,
};

/* Room and prices of a cache. */
struct room {
	size_t instructions;
	size_t rows_bytes;
	size_t members_bytes;
	uint32_t states;        /* a power of 2 */
	uint32_t credit_states; /* at first, and at most */
	uint32_t state_cost_bytes;
};

static struct room room_for_one(size_t instructions, size_t stride)
{
	size_t bytes = instructions * ONE_INSTRUCTION_BYTES;
	bytes = bytes < ONE_BYTES_LEAST ? ONE_BYTES_LEAST : bytes > ONE_BYTES_MOST ? ONE_BYTES_MOST : bytes;
	struct room room = {instructions, bytes, bytes, ONE_STATES, 0, ONE_STATE_COST_BYTES};
	while (room.states / 2 * 4 * sizeof(uint32_t) > bytes) /* no row has less than four */
		room.states /= 2;
	room.credit_states = room.states / 4;
	while (room.states / 2 * stride * sizeof(uint32_t) >= bytes) /* more than have rows */
		room.states /= 2;
	return room;
}

static struct room room_for(const struct automaton *a)
{
	if (a->pattern_count < 2)
		return room_for_one(a->instruction_count, a->class_count + 1);
	return (struct room){a->instruction_count, MANY_ROWS_BYTES,    MANY_MEMBERS_BYTES,
			     MANY_STATES,          MANY_CREDIT_STATES, MANY_STATE_COST_BYTES};
}

static int cache_fill(struct automaton_cache *c, const struct room *room)
{
	size_t instructions = room->instructions + 1;
	c->row_words = room->rows_bytes / sizeof(uint32_t);
	if (c->row_words < FEWEST_STATES * STRIDE_MOST)
		c->row_words = FEWEST_STATES * STRIDE_MOST;
	c->state_room = room->states;
	c->member_limit = (uint32_t)(room->members_bytes / sizeof(uint32_t));
	if (c->member_limit < FEWEST_STATES * instructions)
		c->member_limit = (uint32_t)(FEWEST_STATES * instructions);
	c->bucket_mask = room->states - 1;
	c->rows = malloc(c->row_words * sizeof(uint32_t));
	c->members = malloc((size_t)c->member_limit * sizeof(uint32_t));
	c->states = malloc((size_t)c->state_room * sizeof(*c->states));
	c->buckets = calloc((size_t)c->bucket_mask + 1, sizeof(uint32_t));
	if (c->rows == NULL || c->members == NULL || c->states == NULL || c->buckets == NULL)
		return -ENOMEM;
	c->state_cost_bytes = room->state_cost_bytes;
	c->credit_most_bytes = (int64_t)room->credit_states * room->state_cost_bytes;
	c->credit_bytes = c->credit_most_bytes;
	return 0;
}

/* What is in use during one step only. */
static int make_working_room(struct automaton_cache *c, const struct room *room)
{
	size_t instructions = room->instructions + 1;
	c->stack = malloc(2 * instructions * sizeof(uint32_t));
	if (c->stack == NULL || sparse_make(&c->now, instructions) != 0 || sparse_make(&c->next, instructions) != 0)
		return -ENOMEM;
	return c->ordered ? sparse_make(&c->settled, instructions) : 0;
}

static void borrow_working_room(struct automaton_cache *c, const struct automaton_cache *lender)
{
	c->borrows = true;
	c->stack = lender->stack;
	c->now = lender->now;
	c->next = lender->next;
	c->settled = lender->settled;
}

static void cache_empty(struct automaton_cache *c)
{
	memset(c->buckets, 0, ((size_t)c->bucket_mask + 1) * sizeof(uint32_t));
	memset(c->starts, 0, sizeof(c->starts));
	c->state_count = 1;
	c->member_count = 0;
	c->facts.emptied++;
}

static void cache_assign(struct automaton_cache *c, const struct automaton *a)
{
	c->name = a->name;
	c->stride = a->class_count + 1;
	c->row_limit = (uint32_t)(c->row_words / c->stride);
	if (c->row_limit > c->state_room)
		c->row_limit = c->state_room;
	c->state_count = 1;
	c->facts.instructions = a->instruction_count;
	c->facts.classes = a->class_count;
}

static int cache_create(const struct room *room, bool ordered, const struct automaton_cache *lender,
			struct automaton_cache **ret_cache)
{
	struct automaton_cache *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->ordered = ordered;
	int r = cache_fill(c, room);
	if (lender != NULL)
		borrow_working_room(c, lender);
	else if (r == 0)
		r = make_working_room(c, room);
	if (r != 0) {
		automaton_cache_free(c);
		return r;
	}
	*ret_cache = c;
	return 0;
}

int automaton_cache_create(const struct automaton *automaton, struct automaton_cache **ret_cache)
{
	struct room room = room_for(automaton);
	int r = cache_create(&room, false, NULL, ret_cache);
	if (r == 0)
		cache_assign(*ret_cache, automaton);
	return r;
}

int automaton_cache_create_empty(bool ordered, const struct automaton_cache *lender, struct automaton_cache **ret_cache)
{
	static const struct room room = {COMMON_INSTRUCTIONS, COMMON_BYTES,      COMMON_BYTES,
					 COMMON_STATES,       COMMON_STATES / 4, ONE_STATE_COST_BYTES};
	return cache_create(&room, ordered, lender, ret_cache);
}

bool automaton_cache_is_of(const struct automaton_cache *cache, const struct automaton *automaton)
{
	return memcmp(&cache->name, &automaton->name, sizeof(cache->name)) == 0;
}

void automaton_cache_take(struct automaton_cache *cache, const struct automaton *automaton)
{
	cache_empty(cache);
	cache_assign(cache, automaton);
	cache->credit_bytes = cache->credit_most_bytes;
}

void automaton_cache_free(struct automaton_cache *cache)
{
	if (cache == NULL)
		return;
	free(cache->rows);
	free(cache->members);
	free(cache->states);
	free(cache->buckets);
	if (!cache->borrows) {
		free(cache->stack);
		sparse_free(&cache->now);
		sparse_free(&cache->next);
		sparse_free(&cache->settled);
	}
	free(cache);
}

struct automaton_cache_facts automaton_cache_facts(const struct automaton_cache *cache)
{
	struct automaton_cache_facts facts = cache->facts;
	facts.bytes = cache->state_count * (sizeof(struct state) + cache->stride * sizeof(uint32_t)) +
		      cache->member_count * sizeof(uint32_t);
	return facts;
}

bool automaton_cache_is_large(const struct automaton_cache *cache)
{
	return cache->state_count * cache->stride * sizeof(uint32_t) > LARGE_BYTES;
}

static uint64_t mix(uint64_t x)
{
	x *= HASH_SPREAD;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	return x ^ x >> 32;
}

static bool same_members(const struct automaton_cache *c, const struct state *s)
{
	if (c->ordered)
		return memcmp(&c->members[s->members], c->next.dense, s->count * sizeof(uint32_t)) == 0;
	for (uint32_t i = 0; i < s->count; i++)
		if (!sparse_has(&c->next, c->members[s->members + i]))
			return false;
	return true;
}

bool automaton_reduce(const struct automaton *a, struct automaton_cache *c)
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

/* The state of what is in c->next, made if it is new. Emptying the cache on the way is told by facts.emptied. */
static uint32_t find_state(const struct automaton *a, struct automaton_cache *c, enum before before, uint64_t matched)
{
	if (!automaton_reduce(a, c))
		before = BEFORE_OTHER; /* nobody will ask */
	uint64_t hash = mix(matched ^ mix(before));
	for (uint32_t i = 0; i < c->next.count; i++)
		hash = (c->ordered ? mix(hash) : hash) + mix(c->next.dense[i] + 1);
	uint32_t bucket = (uint32_t)mix(hash) & c->bucket_mask;
	for (uint32_t at = c->buckets[bucket]; at != UNKNOWN; at = c->states[at].chain) {
		const struct state *s = &c->states[at];
		if (s->hash == hash && s->matched == matched && s->before == before && s->count == c->next.count &&
		    same_members(c, s))
			return at;
	}
	if (c->state_count == c->row_limit || c->member_limit - c->member_count < c->next.count)
		cache_empty(c);
	uint32_t number = c->state_count++;
	uint32_t needs = BYTES_ANY;
	for (uint32_t i = 0; i < c->next.count; i++)
		needs &= a->needs[c->next.dense[i]];
	c->states[number] = (struct state){
		.matched = matched,
		.hash = hash,
		.members = c->member_count,
		.count = c->next.count,
		.chain = c->buckets[bucket],
		.needs = needs,
		.before = before,
	};
	c->buckets[bucket] = number;
	memcpy(c->members + c->member_count, c->next.dense, c->next.count * sizeof(uint32_t));
	c->member_count += c->next.count;
	uint32_t *row = c->rows + (size_t)number * c->stride;
	memset(row, 0, c->stride * sizeof(uint32_t));
	row[a->class_count] = number;
	c->facts.states_made++;
	c->credit_bytes -= c->state_cost_bytes;
	return number;
}

uint32_t automaton_row_of(const struct automaton *a, struct automaton_cache *c, enum before before, uint64_t matched)
{
	return find_state(a, c, before, matched) * c->stride;
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
static void follow(const struct automaton *a, struct automaton_cache *c, size_t context, uint32_t class,
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

uint64_t automaton_advance(const struct automaton *a, struct automaton_cache *c, enum before before, uint32_t class,
			   uint64_t matched)
{
	size_t context = (size_t)before * a->class_count + class;
	automaton_settle(a, &c->now, before, class, c->stack);
	uint64_t here = matches_now(a, c) | a->start_matches[context];
	follow(a, c, context, class, matched | here);
	return here;
}

enum before automaton_before_after(const struct automaton *a, uint32_t class)
{
	if (a->asks_words && a->class_is_word[class])
		return BEFORE_WORD;
	return a->asks_lines && a->class_is_newline[class] ? BEFORE_NEWLINE : BEFORE_OTHER;
}

uint32_t automaton_make_transition(const struct automaton *a, struct automaton_cache *c, uint32_t row, uint32_t class)
{
	const struct state *from = automaton_state(a, c, row);
	uint64_t emptied = c->facts.emptied;
	c->now.count = 0;
	for (uint32_t i = 0; i < from->count; i++)
		sparse_add(&c->now, c->members[from->members + i]);
	uint64_t matched = from->matched | automaton_advance(a, c, from->before, class, from->matched);
	uint32_t to = find_state(a, c, automaton_before_after(a, class), matched) * c->stride;
	if (c->facts.emptied == emptied) /* else `from` is no more */
		c->rows[row + class] = to;
	return to;
}

uint32_t automaton_start_row(const struct automaton *a, struct automaton_cache *c, enum before before)
{
	if (c->starts[before] == UNKNOWN) {
		c->next.count = 0;
		uint32_t start = find_state(a, c, before, 0);
		c->starts[before] = start * c->stride;
	}
	return c->starts[before];
}
