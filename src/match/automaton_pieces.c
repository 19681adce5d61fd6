/*
 * What limits a lane is that a look into memory must wait for that before it. So where few lanes have a long way to go,
 * each value is cut into pieces that are gone over side by side, as if nothing were under way where each begins. Then
 * they are put together: from where a piece ends its successor's first bytes are gone over again, until it is in the
 * state in which that piece was there too; from there on all is as it was found. Mostly that takes a few bytes.
 */
#include "match/automaton_lanes.h"

enum { PIECES_MOST = 4, CHECKS = 3 };

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

static size_t go_on_apart(const struct lanes *lanes, size_t at, size_t end)
{
	return lanes_go(lanes, true, at, end);
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
			lanes_step(&lanes, at++);
		for (size_t k = 0; k < count; k++)
			pieces[k].rows[check] = pieces[k].run.row;
	}
}

/* Goes over some bytes with one automaton. False: no credit. */
static bool go_over(struct automaton_run *run, const uint8_t *bytes, size_t from, size_t to)
{
	struct lanes lanes = {.runs = {run}, .bytes = {bytes}, .count = 1};
	for (size_t at = from; (at = lanes_go_on(&lanes, 1, false, at, to)) < to; at++)
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

void automaton_run_in_pieces(struct lanes *lanes, struct slice value)
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
