/*
 * Seeded changes to a request: payloads of other requests put into arguments, cookies, headers, paths and bodies,
 * encoded in the ways attackers encode, and damage to the structure of the request. The same seed gives the same
 * request on every machine.
 */
#ifndef PARITY_MUTATE_H
#define PARITY_MUTATE_H

#include "base/arena.h"
#include "sample.h"

#include <stdint.h>

struct random {
	uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t random_next(struct random *random);
/* In [0, bound); bound > 0. */
size_t random_below(struct random *random, size_t bound);

/* Values worth moving into other requests: decoded argument values, header values, bodies of the corpus. */
struct donors {
	struct slice *values;
	size_t count;
	size_t capacity;
};
int donors_add(struct donors *donors, const struct sample *sample, struct arena *arena);
void donors_free(struct donors *donors);

/* Changes *sample in one to four places. New bytes come from `arena`; 0 or -ENOMEM. */
int sample_mutate(struct sample *sample, const struct donors *donors, struct random *random, struct arena *arena);

#endif
