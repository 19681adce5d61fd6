/* Clocks of the thread and of the machine, quartiles interpolated between neighbours, and where the rules lie. */
#include "measure.h"

#include <stdlib.h>
#include <time.h>

static double clock_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

double wall_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static double at_share(const double *sorted, size_t count, double share)
{
	double place = share * (double)(count - 1);
	size_t below = (size_t)place;
	size_t above = below + 1 < count ? below + 1 : below;
	return sorted[below] + (sorted[above] - sorted[below]) * (place - (double)below);
}

struct spread spread_of(double *samples, size_t count)
{
	if (count == 0)
		return (struct spread){0};
	qsort(samples, count, sizeof(*samples), by_value);
	return (struct spread){at_share(samples, count, 0.5), at_share(samples, count, 0.25),
			       at_share(samples, count, 0.75)};
}

const struct rule_set rule_sets[RULE_SETS] = {
	{"3.3.4", BENCH_ROOT "/bench/rules/v3.conf", "/usr/share/modsecurity-crs/rules"},
	{"4.28.0", BENCH_ROOT "/bench/rules/v4.conf", BENCH_ROOT "/../shared/crs/v4.28.0/rules"},
};
