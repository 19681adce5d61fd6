/*
 * Literals of which every match of a pattern holds at least one, told from its tree (as in Cox, "Regular Expression
 * Matching with a Trigram Index", 2012): a value without any of them cannot match, and literals are looked for at a
 * small part of what a regex costs.
 */
#ifndef GUIA_MATCH_PATTERN_FACTOR_H
#define GUIA_MATCH_PATTERN_FACTOR_H

#include "match/pattern_width.h"

enum {
	PATTERN_FACTOR_BYTES_MOST = 16, /* of a longer literal a part is taken */
	PATTERN_FACTORS_MOST = 512,
	PATTERN_WAYS = 64, /* more of a pattern's choices share the last */
};

/* ASCII letters are lower case, and stand for both cases. */
struct pattern_factor {
	uint64_t ways; /* a bit for each of the pattern's choices that it belongs to */
	uint8_t len;
	uint8_t bytes[PATTERN_FACTOR_BYTES_MOST];
};

struct pattern_factors {
	struct pattern_factor *items; /* owned; NULL: every value may match */
	size_t count;
	double share; /* how many of plain text's places begin one of them, by a guess */
};

/* By way: of each match, what stands before the first place at which it holds one of the factors, at most. */
struct pattern_reaches {
	struct pattern_span of[PATTERN_WAYS];
};

/* Of one that belongs to these ways. */
struct pattern_span pattern_reach(const struct pattern_reaches *reaches, uint64_t ways);

/*
 * Those of `least` bytes or more that are rarest in plain text; and second ones, from other parts of the pattern where
 * it has some: every match holds one of each that have a way in common. 0 or -ENOMEM.
 */
int pattern_factors_find(const struct pattern *pattern, size_t least, struct pattern_factors *ret_factors,
			 struct pattern_factors *ret_second, struct pattern_reaches *ret_reaches);
void pattern_factors_free(struct pattern_factors *factors);

#endif
