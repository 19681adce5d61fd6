/* SplitMix64: Steele, Lea and Flood, 2014. */
#ifndef COLLIDE_RANDOM_H
#define COLLIDE_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

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
