/* What became of worlds (defence.c): summed up, and judged as a test does. */
#ifndef TESTS_SIGNATURE_VERDICT_H
#define TESTS_SIGNATURE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/* What the watch has seen when it begins. */
enum past { PAST_KNOWN, PAST_FRESH, PAST_NONE, PASTS };

struct outcome {
	double detected_s, in_force_s; /* from the onset; < 0: never */
	double covered, hit;           /* shares of intruders and visitors refused, from when it is in force on */
	bool over;                     /* in the end */
	unsigned changes;              /* of state, in the busiest minute */
	bool went_on;                  /* when the watch was killed in the middle */
	double returned;               /* share of the intruders that came back refused, after pauses */
	double estimate_off;           /* of visitors' success, as told and as it was, in points */
};

/* Of all worlds; all zero is of none. */
struct verdict_sums {
	unsigned attacks, detected, in_force, late, crowds, crowds_hit, lasting, restless, lost;
	uint64_t least_seed;
	double least_covered; /* of a world, and which it was */
	double covered, returned, hit, worst_hit, off, worst_off;
};

void verdict_add(struct verdict_sums *sums, bool crowd, uint64_t seed, const struct outcome *outcome);

/* TAP, and figures. Whether all is well. */
bool verdict_print(const struct verdict_sums *sums, enum past past);

#endif
