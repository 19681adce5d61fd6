/* What a seed decides is the same in both runs of a shape. */
#ifndef GUIA_DRILL_RANDOM_H
#define GUIA_DRILL_RANDOM_H

#include "base/random.h"

#include <stdbool.h>

/* `limit` must not be 0. */
static inline uint32_t random_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((random_next(state) >> 32) * limit >> 32);
}

static inline bool random_percent(uint64_t *state, uint32_t percent)
{
	return random_below(state, 100) < percent;
}

/* Another stream of numbers from the same seed. */
static inline uint64_t random_stream(uint64_t seed, uint64_t number)
{
	uint64_t state = seed ^ number * 0xd1342543de82ef95u;
	return random_next(&state);
}

#endif
