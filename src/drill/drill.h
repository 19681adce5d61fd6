/*
 * guia drill: an attack re-enacted on this machine, twice with one seed, without Guia and with it. Everything happens
 * in namespaces without a name, of which nothing is left, however it ends.
 */
#ifndef GUIA_DRILL_DRILL_H
#define GUIA_DRILL_DRILL_H

#include "drill/shape.h"

enum {
	DRILL_FINE = 0,
	DRILL_FINDINGS = 1,    /* a shape was not survived */
	DRILL_ENVIRONMENT = 3, /* it could not be tried, or runs were void */
};

struct drill_options {
	const struct shape *const *shapes;
	size_t shape_count;
	uint64_t seed;
	bool brief;
	bool json;
};

/* Returns an exit code. */
int drill_run(const struct drill_options *options);

#endif
