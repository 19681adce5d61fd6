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

/* Repeats without an end. */
size_t pattern_loops(const struct pattern *pattern);

#endif
