/*
 * Automata over a value: side by side, in pieces, passing over what begins nothing, and without states.
 */
#include "match/automaton_step.h"

enum {
	RUN_EARNS_BYTES = 16,
	LANES = 8,
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

/* Some automata on their way, side by side; each reads bytes of its own, all as many. */
struct lanes {
	struct automaton_run *runs[LANES];
	const uint8_t *bytes[LANES];
	size_t count;
};

/*
 * Takes all lanes on from byte `at`, up to `end` or as far as all their transitions are known; returns how far. It is
 * inlined with a constant number of lanes, and unrolled, so that all is in registers. `apart`: each reads elsewhere.
 */
static inline __attribute__((always_inline)) size_t go_on(const struct lanes *lanes, const size_t count,
							  const bool apart, size_t at, size_t end)
{
	const uint16_t *class_of[LANES];
	const uint32_t *rows[LANES];
	const uint8_t *bytes[LANES];
	uint32_t row[LANES], next[LANES];
#pragma GCC unroll 8
	for (size_t k = 0; k < count; k++) {
		class_of[k] = classes_of(lanes->runs[k]->automaton, lanes->runs[k]->lowered);
		rows[k] = lanes->runs[k]->cache->rows;
		row[k] = lanes->runs[k]->row;
		bytes[k] = lanes->bytes[apart ? k : 0];
	}
	for (; at < end; at++) {
		bool known = true;
#pragma GCC unroll 8
		for (size_t k = 0; k < count; k++) {
			next[k] = rows[k][row[k] + class_of[k][bytes[k][at]]];
			known &= next[k] != UNKNOWN;
		}
		if (__builtin_expect(!known, 0))
			break;
#pragma GCC unroll 8
		for (size_t k = 0; k < count; k++)
			row[k] = next[k];
	}
#pragma GCC unroll 8
	for (size_t k = 0; k < count; k++)
		lanes->runs[k]->row = row[k];
	return at;
}

/* `apart` is a constant too where it is inlined. */
static inline __attribute__((always_inline)) size_t go_on_counted(const struct lanes *lanes, const bool apart,
								  size_t at, size_t end)
{
	switch (lanes->count) {
	case 0:
		return end;
	case 1:
		return go_on(lanes, 1, apart, at, end);
	case 2:
		return go_on(lanes, 2, apart, at, end);
	case 3:
		return go_on(lanes, 3, apart, at, end);
	case 4:
		return go_on(lanes, 4, apart, at, end);
	case 5:
		return go_on(lanes, 5, apart, at, end);
	case 6:
		return go_on(lanes, 6, apart, at, end);
	case 7:
		return go_on(lanes, 7, apart, at, end);
	default:
		return go_on(lanes, 8, apart, at, end);
	}
}

static size_t go_on_together(const struct lanes *lanes, size_t at, size_t end)
{
	return go_on_counted(lanes, false, at, end);
}

static size_t go_on_apart(const struct lanes *lanes, size_t at, size_t end)
{
	return go_on_counted(lanes, true, at, end);
}

/* Leaves out the lanes that are marked. */
static void drop(struct lanes *lanes, const bool *dropped)
{
	size_t left = 0;
	for (size_t k = 0; k < lanes->count; k++) {
		lanes->runs[left] = lanes->runs[k];
		lanes->bytes[left] = lanes->bytes[k];
		left += !dropped[k];
	}
	lanes->count = left;
}

/* Each takes a step; those that cannot are busy, and go. */
static void step_together(struct lanes *lanes, size_t at)
{
	bool dropped[LANES];
	for (size_t k = 0; k < lanes->count; k++) {
		struct automaton_run *run = lanes->runs[k];
		dropped[k] = !step(run, classes_of(run->automaton, run->lowered)[lanes->bytes[k][at]]);
	}
	for (size_t k = 0; k < lanes->count; k++) {
		dropped[k] = dropped[k] || is_stale(lanes->runs[k]);
		if (dropped[k])
			end_run(lanes->runs[k], true);
	}
	drop(lanes, dropped);
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
	drop(lanes, dropped);
}

/* All lanes read the same bytes. */
static void run_together(struct lanes *lanes, size_t len)
{
	size_t at = 0;
	while (at < len && lanes->count > 0) {
		size_t end = len - at < STRETCH_BYTES ? len : at + STRETCH_BYTES;
		while ((at = go_on_together(lanes, at, end)) < end)
			step_together(lanes, at++);
		if (end < len)
			drop_settled(lanes);
	}
	for (size_t k = 0; k < lanes->count; k++)
		end_run(lanes->runs[k], false);
}

/*
 * What limits a lane is that a look into memory must wait for that before it. So where few lanes have a long way to go,
 * each value is cut into pieces that are gone over side by side, as if nothing were under way where each begins. Then
 * they are put together: from where a piece ends its successor's first bytes are gone over again, until it is in the
 * state in which that piece was there too; from there on all is as it was found. Mostly that takes a few bytes.
 */
enum { PIECES_MOST = 4, PIECE_BYTES_LEAST = 512, CHECKS = 3 };

/* Within a piece, where its states are kept to compare; the last is its end. */
static const size_t check_bytes[CHECKS - 1] = {16, 128};

struct piece {
	struct automaton_run run;
	uint32_t rows[CHECKS + 1]; /* at its beginning, at each check, and at its end */
	uint64_t emptied;          /* how often its cache had been when the first of them was made */
};

static size_t check_at(size_t check, size_t len)
{
	return check == 0 ? 0 : check < CHECKS ? check_bytes[check - 1] : len;
}

/* All pieces of several runs, side by side. */
static void run_pieces(struct piece *pieces, size_t count, const uint8_t *const *bytes, size_t len)
{
	struct lanes lanes = {.count = count};
	for (size_t k = 0; k < count; k++) {
		lanes.runs[k] = &pieces[k].run;
		lanes.bytes[k] = bytes[k];
	}
	size_t at = 0;
	for (size_t check = 1; check <= CHECKS; check++) {
		size_t end = check_at(check, len);
		while ((at = go_on_apart(&lanes, at, end)) < end)
			step_together(&lanes, at++);
		for (size_t k = 0; k < count; k++)
			pieces[k].rows[check] = pieces[k].run.row;
	}
}

/* Goes over some bytes with one automaton. False: no credit. */
static bool go_over(struct automaton_run *run, const uint8_t *bytes, size_t from, size_t to)
{
	struct lanes lanes = {.runs = {run}, .bytes = {bytes}, .count = 1};
	for (size_t at = from; (at = go_on_together(&lanes, at, to)) < to; at++)
		if (!step(run, classes_of(run->automaton, run->lowered)[bytes[at]]))
			return false;
	return true;
}

/* Whether its rows are of the cache as it is: a run that empties it goes on, and its first rows mean other states. */
static bool piece_counts(const struct piece *piece)
{
	return !piece->run.busy && !is_stale(&piece->run) && piece->run.emptied == piece->emptied;
}

/* What has matched is taken out of the state, so that it can equal that of a piece which has not seen it. */
static void take_matched(struct automaton_run *run, uint64_t *found)
{
	const struct automaton *a = run->automaton;
	struct automaton_cache *c = run->cache;
	const struct state *state = automaton_state(a, c, run->row);
	if (state->matched == 0)
		return;
	*found |= state->matched;
	c->next.count = 0;
	for (uint32_t i = 0; i < state->count; i++)
		sparse_add(&c->next, c->members[state->members + i]);
	set_row(run, automaton_row_of(a, c, state->before, 0));
}

/* Takes the run on over a piece that was gone over ahead. False: no credit. */
static bool join(struct automaton_run *run, const struct piece *piece, const uint8_t *bytes, size_t len,
		 uint64_t *found)
{
	if (!piece_counts(piece))
		return go_over(run, bytes, 0, len);
	for (size_t check = 0; check <= CHECKS; check++) {
		if (check > 0 && !go_over(run, bytes, check_at(check - 1, len), check_at(check, len)))
			return false;
		take_matched(run, found);
		if (is_stale(&piece->run))
			return go_over(run, bytes, check_at(check, len), len);
		if (run->row == piece->rows[check]) {
			set_row(run, piece->rows[CHECKS]);
			return true;
		}
	}
	return true;
}

/* Puts a run together from its pieces, of which it is the first itself. */
static void join_pieces(struct automaton_run *run, const struct piece *pieces, size_t count, struct slice value)
{
	size_t len = value.len / count;
	uint64_t found = 0;
	bool known = true;
	*run = pieces[0].run;
	if (run->busy || is_stale(run)) {
		start(run, BEFORE_START);
		known = go_over(run, value.ptr, 0, len);
	}
	for (size_t i = 1; i < count && known; i++) {
		take_matched(run, &found);
		known = join(run, &pieces[i], value.ptr + i * len, len, &found);
	}
	known = known && go_over(run, value.ptr, count * len, value.len);
	end_run(run, !known);
	run->found |= found;
}

static void start_piece(struct piece *piece, const uint8_t *bytes, bool first)
{
	const struct automaton *a = piece->run.automaton;
	enum before before = BEFORE_START;
	if (!first)
		before = automaton_before_after(a, classes_of(a, piece->run.lowered)[bytes[-1]]);
	start(&piece->run, before);
	piece->rows[0] = piece->run.row;
	piece->emptied = piece->run.emptied;
}

static void run_in_pieces(struct lanes *lanes, struct slice value)
{
	struct piece pieces[LANES];
	const uint8_t *bytes[LANES];
	size_t parts = lanes->count <= LANES / PIECES_MOST ? PIECES_MOST : 2, len = value.len / parts;
	size_t count = lanes->count * parts;
	for (size_t i = 0; i < count; i++) {
		pieces[i].run = *lanes->runs[i / parts];
		bytes[i] = value.ptr + i % parts * len;
		start_piece(&pieces[i], bytes[i], i % parts == 0);
	}
	for (size_t i = 0; i < count; i++)
		if (is_stale(&pieces[i].run))
			start_piece(&pieces[i], bytes[i], i % parts == 0);
	run_pieces(pieces, count, bytes, len);
	for (size_t k = 0; k < lanes->count; k++)
		join_pieces(lanes->runs[k], &pieces[k * parts], parts, value);
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
	if (lanes->count > 0 && lanes->count <= LANES / 2 && value.len >= PIECES_MOST * PIECE_BYTES_LEAST)
		run_in_pieces(lanes, value);
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
