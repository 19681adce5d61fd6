/* How short a match of a pattern can be. */
#ifndef GUIA_MATCH_PATTERN_WIDTH_H
#define GUIA_MATCH_PATTERN_WIDTH_H

#include "match/pattern.h"

#define PATTERN_IMPOSSIBLE UINT32_MAX

/*
 * The bytes of the shortest match made of bytes in `allowed` alone, if assertions held wherever they are;
 * PATTERN_IMPOSSIBLE: there is none, so every match has a byte that is not allowed.
 */
uint32_t pattern_width(const struct pattern *pattern, const struct pattern_set *allowed);

/* Whether it is known to match whatever the value: `^.*$` does where a dot is any byte. False: that is not known. */
bool pattern_is_certain(const struct pattern *pattern);

/* Whether every match has a byte twice in a row. */
bool pattern_needs_twice(const struct pattern *pattern, uint8_t byte);

/* Bytes of which so many are any, and all others are in a set. */
struct pattern_span {
	uint32_t bytes;
	struct pattern_set loops;
};

/* What a match of a node, number `at`, is at most. */
struct pattern_span pattern_span(const struct pattern *pattern, uint32_t at);

/* One after another. */
struct pattern_span pattern_span_add(struct pattern_span a, struct pattern_span b);

/* One or the other. */
struct pattern_span pattern_span_either(struct pattern_span a, struct pattern_span b);

/* Repeats without an end. */
size_t pattern_loops(const struct pattern *pattern);

/*
 * The bytes of which every match has one, chosen so that few values have any; false: there is no such choice but a
 * match without bytes, or bytes that most values have.
 */
bool pattern_need(const struct pattern *pattern, struct pattern_set *ret_set);

/* How many in a hundred short values have a byte of the set, by a guess. */
unsigned pattern_set_commonness(const struct pattern_set *set);

/* How often a byte is seen at a place of prose, markup and addresses, by a guess: 0 to 1. */
double pattern_byte_frequency(uint8_t byte);

/* How many places of such text begin a string, whatever its case, by a guess from its pairs of bytes: 0 to 1. */
double pattern_text_share(struct slice bytes);

#endif
