/*
 * SplitMix64 (Steele, Lea and Flood, 2014): numbers that a seed decides. For tests, benches, drills and identifiers;
 * no secret may rest on it.
 */
#ifndef GUIA_BASE_RANDOM_H
#define GUIA_BASE_RANDOM_H

#include <stdint.h>

#define RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

/* A bijection after which neighbours have nothing in common. */
static inline uint64_t random_mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline uint64_t random_next(uint64_t *state)
{
	return random_mix(*state += RANDOM_STEP);
}

/* From 0 on, below 1. */
static inline double random_unit(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-53;
}

#endif
