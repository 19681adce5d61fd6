/*
 * One regular expression on one value: PCRE2, 8 bit, with its JIT, compiled as ModSecurity compiles @rx: DOTALL and
 * MULTILINE, no UTF. A compiled expression is immutable and shared by threads; what a match needs to write lives in a
 * scratch, one per worker, sized at start. Matching never allocates where the JIT is available.
 *
 * PCRE2 may need time quadratic in the value, or worse. Where the expression is regular (match/pattern.h) a match costs
 * time linear in the value instead: an automaton finds where the leftmost match begins, and PCRE2 tries that one place.
 */
#ifndef GUIA_MATCH_REGEX_H
#define GUIA_MATCH_REGEX_H

#include "base/slice.h"

struct regex;
struct regex_scratch;

enum {
	REGEX_CASELESS = 1 << 0, /* flag of regex_compile */

	REGEX_BAD_PATTERN = 1, /* outcome of regex_compile */

	REGEX_NONE = 0, /* outcomes of a match */
	REGEX_MATCH = 1,
	/* A limit or the JIT stack was used up: does not match, MSC_PCRE_LIMITS_EXCEEDED is to be set. */
	REGEX_LIMIT = 2,

	REGEX_GROUPS_MAX = 100, /* groups reported, number 0 included; further ones are matched but not told */
};

/* Why a pattern does not compile: PCRE2's words, and the byte of the pattern they are about. */
struct regex_error {
	char message[160];
	size_t offset;
};

/* A group's bytes [start, end) in the value. A group that took no part has start == REGEX_UNSET. */
#define REGEX_UNSET SIZE_MAX
struct regex_span {
	size_t start;
	size_t end;
};

/* SecPcreMatchLimit and SecPcreMatchLimitRecursion; 0 stands for PCRE2's own default. */
struct regex_limits {
	uint32_t match;
	uint32_t depth;
};

/*
 * An empty pattern is compiled as ".*", as ModSecurity does; flags are REGEX_CASELESS or 0. Returns 0,
 * REGEX_BAD_PATTERN with *ret_error set (which may be NULL), or -ENOMEM.
 */
int regex_compile(struct slice pattern, unsigned flags, struct regex **ret_regex, struct regex_error *ret_error);
void regex_free(struct regex *regex);

/* The number of groups, 0 included: at least 1. */
size_t regex_groups(const struct regex *regex);

/* One per worker. 0 or -ENOMEM. */
int regex_scratch_create(struct regex_scratch **ret_scratch);
/* For work at load: room for automata, some MB, is made when a text needs it. */
int regex_scratch_create_to_load(struct regex_scratch **ret_scratch);
void regex_scratch_free(struct regex_scratch *scratch);

/* From now on PCRE2 alone is asked: what the rest is tested against. */
void regex_scratch_rely_on_pcre2(struct regex_scratch *scratch);

/*
 * Searches from `start` on, with what lies before visible to lookbehind and \b. `limits` may be NULL. On REGEX_MATCH
 * *count (in: room in ret_groups; out: groups told) is the highest group that took part plus one, as PCRE2 counts;
 * unset groups among them have start == REGEX_UNSET (ModSecurity leaves TX.n of such a group untouched). With count
 * NULL only the verdict is told. A regular expression reaches no limit: where PCRE2 would need very many steps for the
 * groups, group 0 is told alone, as the longest match of those that begin leftmost. Returns REGEX_NONE, REGEX_MATCH,
 * REGEX_LIMIT, or a negative error.
 */
int regex_match(const struct regex *regex, struct regex_scratch *scratch, struct slice value, size_t start,
		const struct regex_limits *limits, struct regex_span *ret_groups, size_t *count);

/* All matches, one after another, as @rxGlobal takes them: after an empty match the search goes on one byte later. */
struct regex_walk {
	size_t at;
	bool after_empty;
	bool done;
};

/* The next match of a walk that began as {0}, with room for group 0 at least. Same outcomes as regex_match. */
int regex_next(const struct regex *regex, struct regex_scratch *scratch, struct slice value, struct regex_walk *walk,
	       const struct regex_limits *limits, struct regex_span *ret_groups, size_t *count);

/*
 * Expressions whose text is known only at run time (@rx %{tx.x}): a bounded cache by exact text, one per worker. A text
 * seen before costs no allocation.
 */
struct regex_cache;
int regex_cache_create(size_t entries, struct regex_cache **ret_cache);
void regex_cache_free(struct regex_cache *cache);

/* 0, REGEX_BAD_PATTERN, or -ENOMEM. The expression belongs to the cache and stays until the next call. */
int regex_cache_get(struct regex_cache *cache, struct slice pattern, unsigned flags, const struct regex **ret_regex);

#endif
