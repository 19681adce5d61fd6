/* Automata over a value: side by side, passing over what begins nothing, and without states. */
#include "match/automaton_lanes.h"

enum {
	RUN_EARNS_BYTES = 16,
	STRETCH_BYTES = 256,
	SKIPPING_BYTES_LEAST = 128, /* of a shorter value nothing is skipped */
	SKIPS_TRIED = 16,           /* before it is asked whether they are worth it */
	SKIP_BYTES_LEAST = 12,      /* in the mean */
};

void automaton_earn(struct automaton_cache *c, size_t bytes)
{
	c->credit_bytes += (int64_t)bytes + RUN_EARNS_BYTES;
	if (c->credit_bytes > c->credit_most_bytes)
		c->credit_bytes = c->credit_most_bytes;
}

/* Whether nothing that may come changes what was found. */
static bool is_settled(const struct automaton_run *run)
{
	const struct automaton *a = run->automaton;
	const struct state *state = automaton_state(a, run->cache, run->row);
	return state->matched == all_patterns(a) || (state->count == 0 && !a->starts_late);
}

/* Those that are settled go. */
static void drop_settled(struct lanes *lanes)
{
	bool dropped[LANES];
	for (size_t k = 0; k < lanes->count; k++) {
		dropped[k] = is_settled(lanes->runs[k]);
		if (dropped[k])
			lanes->runs[k]->found = matched(lanes->runs[k]);
	}
	lanes_drop(lanes, dropped);
}

static size_t go_on_together(const struct lanes *lanes, size_t at, size_t end)
{
	return lanes_go(lanes, false, at, end);
}

/* All lanes read the same bytes. */
static void run_together(struct lanes *lanes, size_t len)
{
	size_t at = 0;
	while (at < len && lanes->count > 0) {
		size_t end = len - at < STRETCH_BYTES ? len : at + STRETCH_BYTES;
		while ((at = go_on_together(lanes, at, end)) < end)
			lanes_step(lanes, at++);
		if (end < len)
			drop_settled(lanes);
	}
	for (size_t k = 0; k < lanes->count; k++)
		end_run(lanes->runs[k], false);
}

/* Whether nothing is under way, nor can begin but with a beginner. */
static bool is_idle(const struct automaton_run *run)
{
	const struct state *state = automaton_state(run->automaton, run->cache, run->row);
	return state->count == 0 && state->before != BEFORE_NEWLINE;
}

/* Takes one automaton on until it is idle, or the value ends, or the credit; returns how far. */
static size_t go_until_idle(struct automaton_run *run, struct slice value, size_t at)
{
	const struct automaton *a = run->automaton;
	const uint16_t *class_of = classes_of(a, run->lowered);
	while (at < value.len && step(run, class_of[value.ptr[at]])) {
		at++;
		if (is_idle(run))
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
		if (!is_idle(run) || at == from) { /* no credit */
			run->busy = true;
			break;
		}
		if (++skips >= SKIPS_TRIED && at < skips * SKIP_BYTES_LEAST)
			return false;
		at += byte_set_find(&a->beginners[run->lowered], value.ptr + at, value.len - at);
		start(run, automaton_before_after(a, classes_of(a, run->lowered)[value.ptr[at - 1]]));
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

/* Begins a run. True if it has ended too, because most of the value could be passed over. */
static bool begin_and_skip(struct automaton_run *run, struct slice value)
{
	const struct automaton *a = run->automaton;
	run->busy = false;
	start(run, BEFORE_START);
	automaton_earn(run->cache, value.len);
	if (value.len < SKIPPING_BYTES_LEAST || !a->skips[run->lowered])
		return false;
	if (run_skipping(run, value))
		return true;
	start(run, BEFORE_START);
	return false;
}

static void run_from_start(struct lanes *lanes, struct slice value)
{
	for (size_t k = 0; k < lanes->count; k++)
		if (is_stale(lanes->runs[k]))
			start(lanes->runs[k], BEFORE_START);
	run_together(lanes, value.len);
}

static void run_lanes(struct lanes *lanes, struct slice value)
{
	if (lanes->count > 0 && lanes->count <= LANES / 2 && value.len >= AUTOMATON_PIECES_BYTES)
		automaton_run_in_pieces(lanes, value);
	else
		run_from_start(lanes, value);
	lanes->count = 0;
}

void automaton_run(struct automaton_run *runs, size_t count, struct slice value)
{
	struct lanes lanes = {.count = 0};
	for (size_t i = 0; i < count; i++) {
		if (begin_and_skip(&runs[i], value))
			continue;
		lanes.runs[lanes.count] = &runs[i];
		lanes.bytes[lanes.count++] = value.ptr;
		if (lanes.count == LANES)
			run_lanes(&lanes, value);
	}
	run_lanes(&lanes, value);
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
