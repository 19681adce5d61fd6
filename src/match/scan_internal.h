/* What scan.c, scan_build.c and scan_store.c share. Nobody else includes this. */
#ifndef GUIA_MATCH_SCAN_INTERNAL_H
#define GUIA_MATCH_SCAN_INTERNAL_H

#include "match/automaton.h"
#include "match/scan.h"
#include "match/scan_cache.h"

#include <hs/hs.h>

enum scan_entry_kind {
	SCAN_ENTRY_REGEX,
	SCAN_ENTRY_LITERAL,
};

/* What a caller added. */
struct scan_entry {
	enum scan_entry_kind kind;
	uint32_t id;
	unsigned flags;
	struct slice text; /* owned */
};

struct scan_builder {
	struct scan_entry *entries;
	size_t count;
	size_t capacity;
};

enum { SCAN_AUTOMATA_MAX = 8 };

/* Patterns that Hyperscan cannot take, or only slowly, together in one automaton. */
struct scan_automaton {
	struct automaton *automaton;
	uint32_t ids[AUTOMATON_PATTERNS_MAX];
};

struct scan_set {
	hs_database_t *database; /* NULL: nothing for Hyperscan to do */
	struct scan_automaton automata[SCAN_AUTOMATA_MAX];
	size_t automaton_count;
	size_t words;
	uint64_t *always;   /* bits that every scan sets: class SCAN_NONE */
	uint8_t *classes;   /* enum scan_class by id, SCAN_CLASS_UNUSED where there is no such id */
	uint32_t min_width; /* of what is found, SCAN_NONE aside */
	uint32_t findable;  /* ids the database may report */
	struct scan_set_facts facts;
};

enum {
	SCAN_CLASS_UNUSED = 0xff,
	SCAN_ID_MAX = 1 << 20,
};

/* A set with room for ids below words * 64 and no database. 0 or -ENOMEM. */
int scan_set_make(size_t words, struct scan_set **ret_set);

/*
 * Builds automata of the entries that are for them: *ret_taken (by entry, to be freed) says which. The same builder
 * always gives the same, so this is not stored but done at each start; it takes milliseconds. 0 or -ENOMEM.
 */
int scan_automata_build(const struct scan_builder *builder, struct scan_set *set, bool **ret_taken);

/* Fills in what follows from classes and database. */
void scan_set_finish(struct scan_set *set);

/* The key of a builder's content on a machine. 0, or -EIO when the digest fails. */
int scan_store_key(const struct scan_builder *builder, const hs_platform_info_t *platform,
		   struct scan_cache_key *ret_key);

/* A set to bytes (0 or -ENOMEM) and back (0, -ENOMEM, or -EBADMSG: the bytes are of another form). */
int scan_store_write(const struct scan_set *set, struct buffer *out);
int scan_store_read(struct slice bytes, struct scan_set **ret_set);

#endif
