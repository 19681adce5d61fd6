/* What a rule set comes to, in numbers: how many rules, in which phase, what became of them when they were loaded. */
#ifndef GUIA_CLI_COUNTS_H
#define GUIA_CLI_COUNTS_H

#include "cli/engine.h"

enum { COUNTS_PHASES = 5, COUNTS_STANDINGS = 4 };

struct rule_counts {
	struct guia_compile_stats stats;
	size_t by_phase[COUNTS_PHASES]; /* from phase 1 on, without markers */
	size_t by_standing[COUNTS_STANDINGS];
	size_t warnings;
};

/* CLI_FINE, or an exit code. */
int counts_take(const struct engine *engine, struct rule_counts *ret_counts);

/* Lines for a person, each behind `indent`. */
void counts_text(const struct rule_counts *counts, const char *indent, struct buffer *out);
/* Members of an object, without its braces. */
void counts_json(const struct rule_counts *counts, struct buffer *out);

#endif
