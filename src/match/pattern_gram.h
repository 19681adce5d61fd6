/*
 * What must stand somewhere in every match of a pattern, as bytes in a row of which each is of a set: "/..", or a quote
 * before a letter. The value's edges count as a byte each, which stands for where a line begins or ends. Unlike factors
 * (match/pattern_factor.h) grams need no literals, so that nearly every pattern has some; they are few, and as narrow
 * as they can be. A value without any of a pattern's grams cannot match.
 */
#ifndef GUIA_MATCH_PATTERN_GRAM_H
#define GUIA_MATCH_PATTERN_GRAM_H

#include "match/pattern.h"

enum {
	PATTERN_GRAM_BYTES = 4,
	PATTERN_GRAMS_MOST = 12,
};

struct pattern_gram {
	uint8_t len;
	uint8_t edges;                               /* a bit for each set: the value's edge is in it, too */
	struct pattern_set sets[PATTERN_GRAM_BYTES]; /* of the last byte first */
	double shares[PATTERN_GRAM_BYTES];           /* how many of a short value's bytes are in each, by a guess */
	double whole;                                /* how many are allowed */
	double share;                                /* how many of its places begin it */
};

/* None at all with a share below 1: nothing matches the pattern. */
struct pattern_grams {
	size_t count;
	double share; /* of all; from 1 on there is no telling */
	struct pattern_gram items[PATTERN_GRAMS_MOST];
};

/*
 * Of matches of `allowed` bytes alone, as part of a value of such bytes. `share` is 1 or more when a match may have no
 * bytes, or any, or the pattern tells too many bytes apart.
 */
void pattern_grams_find(const struct pattern *pattern, const struct pattern_set *allowed,
			struct pattern_grams *ret_grams);

/* How many of a short value's places have a byte, by a guess. */
double pattern_gram_share_of_byte(uint8_t byte);

/* By how much the share would grow if there were one less; infinite if there is but one. */
double pattern_grams_merge_cost(const struct pattern_grams *grams);

/* Makes one of the two that cost least. There are two at least. */
void pattern_grams_merge(struct pattern_grams *grams);

#endif
