/*
 * A regular expression as a tree, for those who must look inside: the automaton is built from it. Only the regular part
 * of PCRE2's syntax is taken; a pattern with anything else (references, lookaround, atomic groups, verbs, (?x)) is
 * opaque. Groups are not told apart. A possessive repeat of one byte's set, without end, is regular: behind it none of
 * the set comes next. Other possessive repeats are not taken.
 */
#ifndef GUIA_MATCH_PATTERN_H
#define GUIA_MATCH_PATTERN_H

#include "base/slice.h"

enum pattern_kind {
	PATTERN_EMPTY,
	PATTERN_SET,    /* one byte of a set */
	PATTERN_CAT,    /* children one after another */
	PATTERN_ALT,    /* one of the children: each a PATTERN_CAT */
	PATTERN_REPEAT, /* the only child, min to max times */
	PATTERN_ASSERT, /* no bytes, at a place */
};

enum pattern_assertion {
	PATTERN_SUBJECT_START,
	PATTERN_SUBJECT_END,
	PATTERN_SUBJECT_END_OR_LAST_NEWLINE,
	PATTERN_LINE_START, /* subject start, or after \n unless the subject ends there */
	PATTERN_LINE_END,   /* subject end, or before \n */
	PATTERN_WORD_EDGE,
	PATTERN_NO_WORD_EDGE,
	PATTERN_OTHER_NEXT, /* no byte of a set comes next: the value ends, or another does */
};

#define PATTERN_NO_NODE UINT32_MAX
#define PATTERN_ENDLESS UINT32_MAX
enum { PATTERN_OPAQUE = 1 };

struct pattern_set {
	uint64_t bits[4];
};

struct pattern_node {
	enum pattern_kind kind;
	uint32_t first; /* child, or PATTERN_NO_NODE */
	uint32_t next;  /* sibling, or PATTERN_NO_NODE */
	uint32_t min;   /* REPEAT */
	uint32_t max;   /* REPEAT; PATTERN_ENDLESS */
	bool lazy;      /* REPEAT: as few as will do, which changes where a match ends but not whether there is one */
	enum pattern_assertion assertion;
	struct pattern_set set; /* SET; ASSERT of PATTERN_OTHER_NEXT */
};

struct pattern {
	struct pattern_node *nodes; /* owned; the root, an ALT, is number 0 */
	size_t count;
	size_t capacity;
};

static inline bool pattern_set_has(const struct pattern_set *set, uint8_t byte)
{
	return (set->bits[byte >> 6] >> (byte & 63) & 1) != 0;
}

static inline void pattern_set_add(struct pattern_set *set, uint8_t byte)
{
	set->bits[byte >> 6] |= (uint64_t)1 << (byte & 63);
}

static inline unsigned pattern_set_count(const struct pattern_set *set)
{
	return (unsigned)(__builtin_popcountll(set->bits[0]) + __builtin_popcountll(set->bits[1]) +
			  __builtin_popcountll(set->bits[2]) + __builtin_popcountll(set->bits[3]));
}

/* `flags` as for regex_compile(). 0, PATTERN_OPAQUE, or -ENOMEM. Free *ret_pattern after success only. */
int pattern_parse(struct slice text, unsigned flags, struct pattern *ret_pattern);
void pattern_free(struct pattern *pattern);

#endif
