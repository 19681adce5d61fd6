/* What an engine made of a request, in the form in which two engines are compared. */
#ifndef BENCH_VERDICT_H
#define BENCH_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VERDICT_RULES_MAX = 64 };

struct verdict {
	int status;   /* 200 where nothing disrupted */
	size_t count; /* of rules that matched and scored, in their order */
	int64_t rules[VERDICT_RULES_MAX];
};

static inline bool verdict_equal(const struct verdict *a, const struct verdict *b)
{
	if (a->status != b->status || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->rules[i] != b->rules[i])
			return false;
	return true;
}

#endif
