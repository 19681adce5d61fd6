/*
 * A sum that is read again and again, and what it grew by since. What was counted before it was first read says nothing
 * of now; nor does one that shrank, for who counted a part of it is gone.
 */
#ifndef GUIA_BASE_GROWTH_H
#define GUIA_BASE_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

/* All zero is one that was not read yet. */
struct growth {
	uint64_t sum;
	bool read;
};

static inline uint64_t growth_since(struct growth *growth, uint64_t sum)
{
	uint64_t more = growth->read && sum > growth->sum ? sum - growth->sum : 0;
	*growth = (struct growth){sum, true};
	return more;
}

#endif
