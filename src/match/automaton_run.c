/* Automata over a value, side by side, and without states. */
#include "match/automaton_internal.h"

enum {
	RUN_EARNS_BYTES = 16,
	LANES = 8,
	STRETCH_BYTES = 256,
	SKIPPING_BYTES_LEAST = 128, /* of a shorter value nothing is skipped */
	SKIPS_TRIED = 16,           /* before it is asked whether they are worth it */
	SKIP_BYTES_LEAST = 12,      /* in the mean */
};

static inline const uint16_t *classes_of(const struct automaton *a, bool lowered)
{
	return lowered ? a->lowered_class_of : a->class_of;
}

void automaton_earn(struct automaton_cache *c, size_t bytes)
{
	c->credit_bytes += (int64_t)bytes + RUN_EARNS_BYTES;
	if (c->credit_bytes > c->credit_most_bytes)
		c->credit_bytes = c->credit_most_bytes;
}

/*
 * Takes `lanes` automata on from byte `at`, as far as all their transitions are known; returns how far. It is inlined
 * with a constant number of lanes, and unrolled, so that all is in registers.
 */
static inline __attribute__((always_inline)) size_t go_on(struct automaton_run *const *runs, const size_t lanes,
							  struct slice value, size_t at)
{
	const uint16_t *class_of[LANES];
	const uint32_t *rows[LANES];
	uint32_t row[LANES], next[LANES];
#pragma GCC unroll 8
	for (size_t k = 0; k < lanes; k++) {
		class_of[k] = classes_of(runs[k]->automaton, runs[k]->lowered);
		rows[k] = runs[k]->cache->rows;
		row[k] = runs[k]->row;
	}
	for (; at < value.len; at++) {
		bool known = true;
		uint8_t byte = value.ptr[at];
#pragma GCC unroll 8
		for (size_t k = 0; k < lanes; k++) {
			next[k] = rows[k][row[k] + class_of[k][byte]];
			known &= next[k] != UNKNOWN;
		}
		if (__builtin_expect(!known, 0))
			break;
#pragma GCC unroll 8
		for (size_t k = 0; k < lanes; k++)
			row[k] = next[k];
	}
#pragma GCC unroll 8
	for (size_t k = 0; k < lanes; k++)
		runs[k]->row = row[k];
	return at;
}

static inline size_t go_on_together(struct automaton_run *const *runs, size_t lanes, struct slice value, size_t at)
{
	switch (lanes) {
	case 0:
		return value.len;
	case 1:
		return go_on(runs, 1, value, at);
	case 2:
		return go_on(runs, 2, value, at);
	case 3:
		return go_on(runs, 3, value, at);
	case 4:
		return go_on(runs, 4, value, at);
	case 5:
		return go_on(runs, 5, value, at);
	case 6:
		return go_on(runs, 6, value, at);
	case 7:
		return go_on(runs, 7, value, at);
	default:
		return go_on(runs, 8, value, at);
	}
}

/* One step of one automaton, making the transition if need be. False when its credit is used up. */
static bool step(struct automaton_run *run, uint32_t class)
{
	uint32_t next = run->cache->rows[run->row + class];
	if (next == UNKNOWN) {
		if (run->cache->credit_bytes <= 0)
			return false;
		next = automaton_make_transition(run->automaton, run->cache, run->row, class);
	}
	run->row = next;
	return true;
}

static void end_run(struct automaton_run *run, bool busy)
{
	struct automaton_cache *c = run->cache;
	run->busy = busy || !step(run, run->automaton->class_count - 1);
	run->found = automaton_state(run->automaton, c, run->row)->matched;
	c->facts.refused += run->busy;
}

/* Each takes a step; those that cannot are ended, and go. Returns how many are left. */
static size_t step_together(struct automaton_run **runs, size_t lanes, uint8_t byte)
{
	size_t left = 0;
	for (size_t k = 0; k < lanes; k++) {
		if (step(runs[k], classes_of(runs[k]->automaton, runs[k]->lowered)[byte]))
			runs[left++] = runs[k];
		else
			end_run(runs[k], true);
	}
	return left;
}

static uint64_t all_patterns(const struct automaton *a)
{
	return a->pattern_count == 64 ? UINT64_MAX : ((uint64_t)1 << a->pattern_count) - 1;
}

/* Whether nothing that may come changes what was found. */
static bool is_settled(const struct automaton_run *run)
{
	const struct automaton *a = run->automaton;
	const struct state *state = automaton_state(a, run->cache, run->row);
	return state->matched == all_patterns(a) || (state->count == 0 && !a->starts_late);
}

/* Those that are settled go. Returns how many are left. */
static size_t drop_settled(struct automaton_run **runs, size_t lanes)
{
	size_t left = 0;
	for (size_t k = 0; k < lanes; k++) {
		if (is_settled(runs[k]))
			runs[k]->found = automaton_state(runs[k]->automaton, runs[k]->cache, runs[k]->row)->matched;
		else
			runs[left++] = runs[k];
	}
	return left;
}

static void run_together(struct automaton_run **runs, size_t lanes, struct slice value)
{
	size_t at = 0;
	while (at < value.len && lanes > 0) {
		size_t end = value.len - at < STRETCH_BYTES ? value.len : at + STRETCH_BYTES;
		while ((at = go_on_together(runs, lanes, slice_make(value.ptr, end), at)) < end)
			lanes = step_together(runs, lanes, value.ptr[at++]);
		lanes = end < value.len ? drop_settled(runs, lanes) : lanes;
	}
	for (size_t k = 0; k < lanes; k++)
		end_run(runs[k], false);
}

/* Takes one automaton on until nothing is under way, or the value ends, or the credit; returns how far. */
static size_t go_until_idle(struct automaton_run *run, struct slice value, size_t at)
{
	const struct automaton *a = run->automaton;
	const uint16_t *class_of = classes_of(a, run->lowered);
	while (at < value.len && step(run, class_of[value.ptr[at]])) {
		at++;
		if (automaton_state(a, run->cache, run->row)->count == 0)
			break;
	}
	return at;
}

/*
 * Where nothing is under way, all bytes up to one with which a match can begin are passed over. False, and no more was
 * done than to begin, where such bytes are too many.
 */
static bool run_skipping(struct automaton_run *run, struct slice value)
{
	const struct automaton *a = run->automaton;
	uint64_t found = 0;
	size_t at = 0, skips = 0;
	for (;;) {
		size_t from = at;
		at = go_until_idle(run, value, at);
		const struct state *state = automaton_state(a, run->cache, run->row);
		found |= state->matched;
		if (at == value.len || found == all_patterns(a))
			break;
		if (state->count > 0 || at == from) { /* no credit */
			run->busy = true;
			break;
		}
		if (++skips >= SKIPS_TRIED && at < skips * SKIP_BYTES_LEAST)
			return false;
		at += byte_set_find(&a->beginners[run->lowered], value.ptr + at, value.len - at);
		run->row = automaton_start_row(
			a, run->cache, automaton_before_after(a, classes_of(a, run->lowered)[value.ptr[at - 1]]));
		if (at == value.len)
			break;
	}
	if (found == all_patterns(a))
		run->found = found;
	else
		end_run(run, run->busy);
	run->found |= found;
	return true;
}

static bool is_done(struct automaton_run *run, struct slice value)
{
	const struct automaton *a = run->automaton;
	run->busy = false;
	run->row = automaton_start_row(a, run->cache, BEFORE_START);
	automaton_earn(run->cache, value.len);
	if (value.len < SKIPPING_BYTES_LEAST || !a->skips[run->lowered])
		return false;
	if (run_skipping(run, value))
		return true;
	run->row = automaton_start_row(a, run->cache, BEFORE_START);
	return false;
}

void automaton_run(struct automaton_run *runs, size_t count, struct slice value)
{
	struct automaton_run *together[LANES];
	size_t lanes = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_done(&runs[i], value))
			continue;
		together[lanes++] = &runs[i];
		if (lanes == LANES) {
			run_together(together, lanes, value);
			lanes = 0;
		}
	}
	if (lanes > 0)
		run_together(together, lanes, value);
}

uint64_t automaton_simulate(const struct automaton *automaton, struct automaton_cache *cache, struct slice value,
			    bool lowered)
{
	const uint16_t *class_of = classes_of(automaton, lowered);
	uint64_t all = all_patterns(automaton), matched = 0;
	enum before before = BEFORE_START;
	cache->next.count = 0;
	for (size_t at = 0; at <= value.len && matched != all; at++) {
		uint32_t class = at < value.len ? class_of[value.ptr[at]] : automaton->class_count - 1;
		struct sparse now = cache->next;
		cache->next = cache->now;
		cache->now = now;
		matched |= automaton_advance(automaton, cache, before, class, matched);
		automaton_reduce(automaton, cache);
		before = automaton_before_after(automaton, class);
	}
	return matched;
}
