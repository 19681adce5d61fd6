/* Several automata side by side, for those files that take them over a value. Inlined: it is the innermost of loops. */
#ifndef GUIA_MATCH_AUTOMATON_LANES_H
#define GUIA_MATCH_AUTOMATON_LANES_H

#include "match/automaton_step.h"

enum { LANES = 8 };

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
static inline __attribute__((always_inline)) size_t lanes_go_on(const struct lanes *lanes, const size_t count,
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
static inline __attribute__((always_inline)) size_t lanes_go(const struct lanes *lanes, const bool apart, size_t at,
							     size_t end)
{
	switch (lanes->count) {
	case 0:
		return end;
	case 1:
		return lanes_go_on(lanes, 1, apart, at, end);
	case 2:
		return lanes_go_on(lanes, 2, apart, at, end);
	case 3:
		return lanes_go_on(lanes, 3, apart, at, end);
	case 4:
		return lanes_go_on(lanes, 4, apart, at, end);
	case 5:
		return lanes_go_on(lanes, 5, apart, at, end);
	case 6:
		return lanes_go_on(lanes, 6, apart, at, end);
	case 7:
		return lanes_go_on(lanes, 7, apart, at, end);
	default:
		return lanes_go_on(lanes, 8, apart, at, end);
	}
}

/* Leaves out the lanes that are marked. */
static inline void lanes_drop(struct lanes *lanes, const bool *dropped)
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
static inline void lanes_step(struct lanes *lanes, size_t at)
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
	lanes_drop(lanes, dropped);
}

/*
 * All lanes over a value of AUTOMATON_PIECES_BYTES or more, from its start to its end. They are few, LANES / 2 at most,
 * and have begun.
 */
enum { AUTOMATON_PIECES_BYTES = 2048 };
void automaton_run_in_pieces(struct lanes *lanes, struct slice value);

#endif
