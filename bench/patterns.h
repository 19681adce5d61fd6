/* The patterns and phrases of a folder of rules, read from its text: arguments of @rx and @pm, and lines of data files.
 */
#ifndef BENCH_PATTERNS_H
#define BENCH_PATTERNS_H

#include "base/arena.h"

struct pattern {
	struct slice text; /* of @rx without the escapes of SecLang's quotes; or one phrase */
	long rule_id;      /* 0 for a line of a data file */
	bool phrase;
};

struct patterns {
	struct pattern *items;
	size_t count;
	size_t capacity;
	struct arena arena;
};

/* 0 or -errno. */
int patterns_load(struct patterns *patterns, const char *folder);
void patterns_free(struct patterns *patterns);

#endif
