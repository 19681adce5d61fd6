/* Exact: all values are sorted, by qsort(3). */
#include "drill/percentile.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

int32_t percentile_sorted(const int32_t *values, size_t count, double percent)
{
	if (count == 0)
		return 0;
	/* 99.9 % of 1,000 is the 999th, whatever the last bit of the product is. */
	size_t rank = (size_t)ceil(percent * (double)count / 100 - 1e-9);
	rank = rank < 1 ? 1 : rank > count ? count : rank;
	return values[rank - 1];
}

int32_t percentile(int32_t *values, size_t count, double percent)
{
	if (count > 0)
		qsort(values, count, sizeof(*values), compare);
	return percentile_sorted(values, count, percent);
}
