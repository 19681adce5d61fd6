/*
 * "Did you mean": offered names one by one, keeps the one nearest to a word that somebody wrote. Near is the optimal
 * string alignment distance (Levenshtein's with transpositions of neighbours), case ignored, of a third of the word at
 * most: further away a guess is more often wrong than right.
 */
#ifndef GUIA_BASE_NEAREST_H
#define GUIA_BASE_NEAREST_H

#include "base/slice.h"

struct nearest {
	struct slice word; /* not owned */
	const char *name;  /* the nearest so far, as it was offered; NULL if none is near */
	size_t distance;   /* which the next must stay below */
};

static inline struct nearest nearest_to(struct slice word)
{
	return (struct nearest){.word = word, .distance = word.len / 3 + 1};
}

/* Of names equally near the first is kept. */
void nearest_offer(struct nearest *nearest, const char *name);

#endif
