/* Automata over a value: side by side, passing over what begins nothing, and without states. */
#include "match/automaton_lanes.h"

enum {
	RUN_EARNS_BYTES = 16,
	STRETCH_BYTES = 256,
	SKIPPING_BYTES_LEAST = 128, /* of a shorter value nothing is skipped */
	LEAP_BYTES = 16,            /* gone over before it is asked whether lanes are idle */
	LEAPS_TRIED = 16,           /* before it is asked whether it is worth it */
	SKIPPED_LEAST_PART = 2,     /* of what is gone over, at least so much is to be passed over besides */
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

/* Takes all lanes to `end`; those that cannot go. */
static void go_to(struct lanes *lanes, size_t at, size_t end)
{
	while (lanes->count > 0 && (at = go_on_together(lanes, at, end)) < end)
		lanes_step(lanes, at++);
}

/* All lanes read the same bytes, from `at` on. */
static void run_together(struct lanes *lanes, size_t at, size_t len)
{
	while (at < len && lanes->count > 0) {
		size_t end = len - at < STRETCH_BYTES ? len : at + STRETCH_BYTES;
		go_to(lanes, at, end);
		at = end;
		if (end < len)
			drop_settled(lanes);
	}
	for (size_t k = 0; k < lanes->count; k++)
		end_run(lanes->runs[k], false);
}

static void start_all(struct lanes *lanes, const uint8_t *before)
{
	for (unsigned turn = 0; turn < 2; turn++) {
		for (size_t k = 0; k < lanes->count; k++) {
			struct automaton_run *run = lanes->runs[k];
			const struct automaton *a = run->automaton;
			if (turn == 0 || is_stale(run))
				start(run, before == NULL
						   ? BEFORE_START
						   : automaton_before_after(a, classes_of(a, run->lowered)[*before]));
		}
	}
}

/* The kinds of the bytes that a run sees. */
static uint32_t kinds_seen(uint32_t kinds, bool lowered)
{
	return !lowered || (kinds & BYTES_UPPER) == 0 ? kinds : (kinds & ~BYTES_UPPER) | BYTES_LOWER;
}

/*
 * Whether nothing is under way that can come to a match in a value of bytes of these kinds, nor can begin but with a
 * beginner.
 */
static bool is_idle(const struct automaton_run *run, uint32_t kinds)
{
	const struct state *state = automaton_state(run->automaton, run->cache, run->row);
	return state->before != BEFORE_NEWLINE && state->matched == 0 &&
	       (state->count == 0 || (state->needs & ~kinds_seen(kinds, run->lowered)) != 0);
}

static bool all_idle(const struct lanes *lanes, uint32_t kinds)
{
	bool idle = true;
	for (size_t k = 0; k < lanes->count && idle; k++)
		idle = is_idle(lanes->runs[k], kinds);
	return idle;
}

/*
 * Where nothing is under way in any lane, all bytes up to one with which a match of some lane can begin are passed
 * over. Lanes go side by side in between, so that what is foreseen wrongly at each such place is paid for once. Where
 * too little is passed over, the rest is gone over plainly.
 */
static void run_skipping(struct lanes *lanes, struct slice value)
{
	struct byte_set beginners = {{0}, {0}, {0}};
	uint32_t kinds = byte_kinds(value);
	size_t at = 0, gone_over = 0;
	for (size_t k = 0; k < lanes->count; k++)
		byte_set_join(&beginners, &lanes->runs[k]->automaton->beginners[lanes->runs[k]->lowered]);
	start_all(lanes, NULL);
	while (at < value.len && lanes->count > 0) {
		size_t end = value.len - at < LEAP_BYTES ? value.len : at + LEAP_BYTES;
		go_to(lanes, at, end);
		gone_over += end - at;
		at = end;
		drop_settled(lanes);
		if (at == value.len || !all_idle(lanes, kinds))
			continue;
		size_t ahead = byte_set_find(&beginners, value.ptr + at, value.len - at);
		at += ahead;
		if (ahead > 0)
			start_all(lanes, &value.ptr[at - 1]);
		if (gone_over > LEAPS_TRIED * LEAP_BYTES && at - gone_over < gone_over / SKIPPED_LEAST_PART)
			break;
	}
	run_together(lanes, at, value.len);
}

/* Begins a run. Whether most of the value may be passed over. */
static bool begin_run(struct automaton_run *run, struct slice value)
{
	run->busy = false;
	start(run, BEFORE_START);
	automaton_earn(run->cache, value.len);
	return value.len >= SKIPPING_BYTES_LEAST && run->automaton->skips[run->lowered];
}

static void run_lanes(struct lanes *lanes, struct slice value, bool skips)
{
	if (lanes->count > 0 && skips) {
		run_skipping(lanes, value);
	} else if (lanes->count > 0 && lanes->count <= LANES / 2 && value.len >= AUTOMATON_PIECES_BYTES) {
		automaton_run_in_pieces(lanes, value);
	} else {
		start_all(lanes, NULL);
		run_together(lanes, 0, value.len);
	}
	lanes->count = 0;
}

void automaton_run(struct automaton_run *runs, size_t count, struct slice value)
{
	struct lanes lanes[2] = {{.count = 0}, {.count = 0}}; /* the second: those that skip */
	for (size_t i = 0; i < count; i++) {
		bool skips = begin_run(&runs[i], value);
		struct lanes *some = &lanes[skips];
		some->runs[some->count] = &runs[i];
		some->bytes[some->count++] = value.ptr;
		if (some->count == LANES)
			run_lanes(some, value, skips);
	}
	run_lanes(&lanes[false], value, false);
	run_lanes(&lanes[true], value, true);
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
