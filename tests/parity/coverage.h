/*
 * Which rules have matched at least once, chains to their end. Some cannot, whatever the requests: a file says which
 * and why, a glob of ids and a reason a line.
 */
#ifndef PARITY_COVERAGE_H
#define PARITY_COVERAGE_H

#include "oracle.h"
#include "sample.h"

enum { COVERAGE_RULES_MAX = 4096 };

struct coverage_rule {
	int64_t id;
	bool fired;
};

struct coverage {
	struct coverage_rule rules[COVERAGE_RULES_MAX]; /* by id, each once */
	size_t count;
};

/* The rules of one configuration more. */
void coverage_add_rules(struct coverage *coverage, const struct oracle *oracle);

/* What our engine matched. */
void coverage_note(struct coverage *coverage, const struct outcome *outcome);

/*
 * Prints what never matched, with reasons. Whether at least 95 % of those that can match did, and none that the file
 * says cannot. False with a message if the file cannot be read.
 */
bool coverage_report(const struct coverage *coverage, const char *silent_file);

#endif
