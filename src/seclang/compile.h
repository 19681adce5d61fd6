/*
 * SecLang to rule set: sources become units, shared through the pool by all rule sets that hold an equal source in an
 * equal state; units are linked into a rule set, which copies only the rules that it changes.
 */
#ifndef GUIA_SECLANG_COMPILE_H
#define GUIA_SECLANG_COMPILE_H

#include "base/diagnostic.h"
#include "ruleset/pool.h"
#include "ruleset/ruleset.h"

struct seclang_source {
	bool is_file;
	const char *text; /* rules, or a path */
	const char *name; /* of rules: where they stand */
	unsigned line;
};

struct seclang_counts {
	size_t rules;
	size_t links;
	size_t removed;
	size_t files;
	size_t patterns;
	size_t exact_patterns;
	size_t databases;
	size_t databases_cached;
};

/*
 * Fills *ret_ruleset, its own memory in `arena`; units stay in the pool. 0, -EINVAL when a diagnostic was an error, or
 * -ENOMEM.
 */
int seclang_compile(struct pool *pool, const struct seclang_source *sources, size_t count,
		    struct diagnostics *diagnostics, struct arena *arena, struct ruleset *ret_ruleset,
		    struct seclang_counts *ret_counts);

#endif
