/* Seeded inputs for tests against an oracle: pieces of an alphabet, mixed with bytes of any value. */
#ifndef GUIA_TESTS_ORACLE_RANDOM_H
#define GUIA_TESTS_ORACLE_RANDOM_H

#include "base/random.h"

#include <stddef.h>
#include <string.h>

static inline size_t random_below(uint64_t *seed, size_t limit)
{
	return (size_t)(random_next(seed) % limit);
}

/* Appends a piece of `alphabet`, whose pieces stand between spaces; "_" in one is a space. Returns the new length. */
static inline size_t random_piece(uint64_t *seed, const char *alphabet, char *out, size_t len, size_t limit)
{
	size_t pieces = 1;
	for (const char *p = alphabet; *p != '\0'; p++)
		pieces += *p == ' ';
	const char *piece = alphabet;
	for (size_t number = random_below(seed, pieces); number > 0; number--)
		piece = strchr(piece, ' ') + 1;
	for (; *piece != '\0' && *piece != ' ' && len < limit; piece++)
		out[len++] = *piece == '_' ? ' ' : *piece;
	return len;
}

#endif
