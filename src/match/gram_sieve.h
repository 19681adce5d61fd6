/*
 * Which grams stand in a short value, sought 32 places at once by the halves of its bytes: grams are put together in a
 * few heaps, and for each of a gram's places a heap has a table of low halves of bytes and one of high halves. Places
 * that some heap takes for its own, which are few, are looked at byte by byte.
 */
#ifndef GUIA_MATCH_GRAM_SIEVE_H
#define GUIA_MATCH_GRAM_SIEVE_H

#include "match/pattern_gram.h"

enum {
	GRAM_SIEVE_HEAPS = 8,
	GRAM_SIEVE_GRAMS = 64,
	GRAM_SIEVE_EDGE = 256, /* as a byte: the value's edge */
	GRAM_SIEVE_VALUE_BYTES = 256,
};

struct gram_sieve {
	uint8_t low[PATTERN_GRAM_BYTES][16]; /* by place, the last last: the heaps that have it, a bit each */
	uint8_t high[PATTERN_GRAM_BYTES][16];
	uint64_t grams[GRAM_SIEVE_HEAPS]; /* those in each heap */
};

/* By byte, the grams that have it in each place, a bit each, the last place last; a shorter one has all bytes before
 * it. */
typedef uint64_t gram_row[PATTERN_GRAM_BYTES];

/* Of `count` grams. */
void gram_sieve_make(const gram_row rows[static GRAM_SIEVE_EDGE + 1], size_t count, struct gram_sieve *ret_sieve);

/* Whether this machine can. */
bool gram_sieve_is_possible(void);

/*
 * The wanted grams that stand in a value of GRAM_SIEVE_VALUE_BYTES at most, its edges among its bytes. `before`: those
 * that need no byte in a place, for the places before the first edge. `lowered`: the value is taken as if its ASCII
 * letters were lower case.
 */
uint64_t gram_sieve_find(const struct gram_sieve *sieve, const gram_row rows[static GRAM_SIEVE_EDGE + 1],
			 const uint64_t before[static PATTERN_GRAM_BYTES - 1], struct slice value, bool lowered,
			 uint64_t wanted);

#endif
