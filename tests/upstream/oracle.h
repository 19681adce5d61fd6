/*
 * What may stand in a line for ExaBGP, judged a second time by somebody who shares no code with the guard: from the
 * text alone, by comparing numbers, and by sending visitors' packets through what the line would filter.
 */
#ifndef TESTS_UPSTREAM_ORACLE_H
#define TESTS_UPSTREAM_ORACLE_H

#include "upstream/operator.h"

/* NULL: all is well; else what is wrong. The line has no newline. `seed` chooses the visitors. */
const char *oracle_judge(const struct upstream_operator *operator_, const char *line, bool yes, uint64_t *seed);

#endif
