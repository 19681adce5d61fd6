/* Percentiles by nearest rank: the smallest value that at least so many per cent do not exceed. */
#ifndef GUIA_DRILL_PERCENTILE_H
#define GUIA_DRILL_PERCENTILE_H

#include <stddef.h>
#include <stdint.h>

/* Sorts the values. `percent` is above 0 and at most 100. Of none it is 0. */
int32_t percentile(int32_t *values, size_t count, double percent);

/* Of values that are sorted. */
int32_t percentile_sorted(const int32_t *values, size_t count, double percent);

#endif
