/*
 * Strings that make a regular expression work: for every group or class of a pattern that may repeat, an example of
 * what leads to it and an example of what is repeated. The pattern is read into a tree (PCRE's syntax as far as rules
 * use it; assertions count as empty), from which examples are drawn.
 */
#ifndef BENCH_PUMP_H
#define BENCH_PUMP_H

#include "base/arena.h"

struct pump {
	struct slice prefix;
	struct slice unit; /* never empty */
};

typedef void pump_fn(void *context, struct pump pump);

/* Calls `each` for every repetition, twice where an example can differ. Slices live in `arena`. */
void pump_pattern(struct slice pattern, struct arena *arena, uint64_t *seed, pump_fn *each, void *context);

#endif
