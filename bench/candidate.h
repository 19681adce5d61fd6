/*
 * A hostile value: a prefix and a unit repeated to fill any size, at one place of an exchange; and what it costs. The
 * cost is that of the whole exchange less that of one with an empty value, by the bytes of the value. No two runs see
 * the same value: it ends in a number.
 */
#ifndef BENCH_CANDIDATE_H
#define BENCH_CANDIDATE_H

#include "ours.h"
#include "place.h"

struct candidate {
	struct slice prefix;
	struct slice unit;
	long rule_id; /* whose pattern it came from; 0 none */
	uint8_t place;
	uint8_t size; /* index of the size at which it was worst */
	double score; /* nanoseconds a byte */
};

struct gauge {
	struct ours *ours;
	struct arena values; /* of one measurement */
	double empty_ns[PLACES];
	uint32_t serial;
};

/* Measures empty values. The gauge borrows `ours`. */
void gauge_init(struct gauge *gauge, struct ours *ours);
void gauge_destroy(struct gauge *gauge);

/* Nanoseconds a byte at this size: the least of several runs. */
double candidate_cost(struct gauge *gauge, const struct candidate *candidate, size_t bytes, unsigned runs);

#endif
