/*
 * One automaton over a long stretch: each look into memory waits for that before it. So four pieces of what is ahead
 * are gone over side by side, all as if they began in the state that is known at the first. Where a piece ends in
 * another state than its successor was begun in, that is gone over again until it comes to the same state: mostly a
 * few bytes, for most text leads any state to one of few.
 */
#include "match/automaton_internal.h"

enum { PIECES = 4, PIECE_BLOCKS = AUTOMATON_AHEAD_BLOCKS / PIECES, PIECE_BLOCKS_LEAST = 4 };

/* Side by side, as long as all transitions are known; returns how many blocks of each. */
static size_t go_side_by_side(const struct automaton *a, const struct automaton_cache *c, const uint8_t *bytes,
			      size_t blocks, uint32_t row, uint32_t *rows)
{
	const uint32_t *table = c->rows;
	const uint16_t *class_of = a->class_of;
	uint32_t now[PIECES] = {row, row, row, row};
	for (size_t block = 0; block < blocks; block++) {
		for (size_t i = 0; i < AUTOMATON_BLOCK_BYTES; i++) {
			bool known = true;
#pragma GCC unroll 4
			for (size_t k = 0; k < PIECES; k++) {
				const uint8_t *at = bytes + (k * blocks + block) * AUTOMATON_BLOCK_BYTES + i;
				now[k] = table[now[k] + class_of[*at]];
				known &= now[k] != UNKNOWN;
			}
			if (!known)
				return block;
		}
		for (size_t k = 0; k < PIECES; k++)
			rows[k * blocks + block] = now[k];
	}
	return blocks;
}

/* The row behind a block, or UNKNOWN. */
static uint32_t go_over(const struct automaton *a, const struct automaton_cache *c, const uint8_t *bytes, uint32_t row)
{
	for (size_t i = 0; i < AUTOMATON_BLOCK_BYTES && row != UNKNOWN; i++)
		row = c->rows[row + a->class_of[bytes[i]]];
	return row;
}

size_t automaton_go_ahead(const struct automaton *a, const struct automaton_cache *c, struct slice value, size_t at,
			  uint32_t row, uint32_t *ret_rows)
{
	size_t blocks = (value.len - at) / AUTOMATON_BLOCK_BYTES / PIECES;
	blocks = blocks < PIECE_BLOCKS ? blocks : PIECE_BLOCKS;
	if (blocks < PIECE_BLOCKS_LEAST)
		return 0;
	size_t done = go_side_by_side(a, c, value.ptr + at, blocks, row, ret_rows);
	if (done < blocks)
		return done;
	for (; done < PIECES * blocks; done += blocks) {
		uint32_t before = ret_rows[done - 1];
		for (size_t i = done; i < done + blocks && (i > done || before != row); i++) {
			before = go_over(a, c, value.ptr + at + i * AUTOMATON_BLOCK_BYTES, before);
			if (before == UNKNOWN)
				return i;
			if (before == ret_rows[i])
				break;
			ret_rows[i] = before;
		}
	}
	return done;
}
