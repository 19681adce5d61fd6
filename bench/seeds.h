/*
 * Where hostile values come from: pumps of every repetition of every pattern of a rule set, its phrases, fragments of
 * attacks and encodings, and several of these strung together.
 */
#ifndef BENCH_SEEDS_H
#define BENCH_SEEDS_H

#include "candidate.h"
#include "patterns.h"

enum { UNIT_MAX = 512 };

struct seeds {
	struct candidate *items; /* in no order */
	size_t count;
	size_t capacity;
	struct patterns patterns;
	struct arena texts;
	uint64_t random;
};

/* From the rules in a folder. 0 or -errno. */
int seeds_load(struct seeds *seeds, const char *folder, uint64_t random);
void seeds_free(struct seeds *seeds);

/* Any one piece: a unit, a phrase, a fragment. */
struct slice seeds_draw(struct seeds *seeds);

#endif
