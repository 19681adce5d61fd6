/* Clocks and the middle of many samples. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>

/* CPU time of this thread, in nanoseconds. */
double cpu_ns(void);
double wall_ns(void);

/* The middle half of the samples lies between `low` and `high`. */
struct spread {
	double median;
	double low;
	double high;
};

/* Sorts the samples. */
struct spread spread_of(double *samples, size_t count);

/* The rule sets that are measured, by the version of the Core Rule Set: bench/rules/. */
struct rule_set {
	const char *version;
	const char *file;
	const char *needs; /* a folder that must exist */
};
enum { RULE_SETS = 2 };
extern const struct rule_set rule_sets[RULE_SETS];

#endif
