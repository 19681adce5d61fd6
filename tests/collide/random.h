/* What sets and requests are drawn with. */
#ifndef COLLIDE_RANDOM_H
#define COLLIDE_RANDOM_H

#include "base/random.h"

static inline unsigned random_below(uint64_t *state, unsigned limit)
{
	return (unsigned)(random_next(state) % limit);
}

/* True once in so many. */
static inline int random_once(uint64_t *state, unsigned in)
{
	return random_below(state, in) == 0;
}

#define RANDOM_OF(state, table) ((table)[random_below(state, sizeof(table) / sizeof((table)[0]))])

#endif
