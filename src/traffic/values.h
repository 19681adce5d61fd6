/* Values of a field of many requests, put in order so that two lists are compared in one pass. */
#ifndef GUIA_TRAFFIC_VALUES_H
#define GUIA_TRAFFIC_VALUES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline int values_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static inline void values_sort(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), values_compare);
}

/* How often a value stands in a sorted list. `at` is where to look from, and afterwards behind it: asked in order. */
static inline size_t values_count_equal(const uint64_t *values, size_t count, size_t *at, uint64_t value)
{
	while (*at < count && values[*at] < value)
		(*at)++;
	size_t from = *at;
	while (*at < count && values[*at] == value)
		(*at)++;
	return *at - from;
}

#endif
