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

/* Where an entry is looked for, from the most wanted to the least. */
enum scan_route {
	SCAN_ROUTE_BOTH,      /* an automaton, and the backup database for when that is busy */
	SCAN_ROUTE_AUTOMATON, /* an automaton alone: Hyperscan cannot take it, or only slowly */
	SCAN_ROUTE_DATABASE,  /* Hyperscan alone */
	SCAN_ROUTE_PREFILTER,
	SCAN_ROUTE_NONE,
};

enum { SCAN_AUTOMATA_MAX = 16 };

struct scan_automaton {
	struct automaton *automaton;
	bool backed; /* its patterns are of SCAN_ROUTE_BOTH */
	uint32_t ids[AUTOMATON_PATTERNS_MAX];
};

struct scan_set {
	hs_database_t *database; /* always asked; NULL: nothing in it */
	hs_database_t *backup;   /* asked when an automaton is busy */
	struct scan_automaton automata[SCAN_AUTOMATA_MAX];
	size_t automaton_count;
	uint8_t *routes; /* enum scan_route by entry of the builder */
	size_t route_count;
	size_t words;
	uint64_t *always;   /* bits that every scan sets: class SCAN_NONE */
	uint8_t *classes;   /* enum scan_class by id, SCAN_CLASS_UNUSED where there is no such id */
	uint32_t min_width; /* of what is found, SCAN_NONE aside */
	uint32_t findable;  /* ids that may be found */
	struct scan_set_facts facts;
};

enum {
	SCAN_CLASS_UNUSED = 0xff,
	SCAN_ID_MAX = 1 << 20,
	SCAN_FLAGS = HS_FLAG_DOTALL | HS_FLAG_MULTILINE | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY,
};

/* A set for a builder's entries, all of SCAN_ROUTE_NONE yet. 0 or -ENOMEM. */
int scan_set_make(const struct scan_builder *builder, struct scan_set **ret_set);

/* Fills in what follows from the routes and databases. */
void scan_set_finish(const struct scan_builder *builder, struct scan_set *set);

/* Chooses an entry's route, by itself. */
enum scan_route scan_route_choose(const struct scan_entry *entry);

/* Hyperscan's flags for an entry that takes a route. */
unsigned scan_route_flags(const struct scan_entry *entry, enum scan_route route);

/* Whether Hyperscan's parser takes a regex; *ret_width is then its shortest match. */
bool scan_route_parses(const struct scan_entry *entry, unsigned flags, uint32_t *ret_width);

/*
 * Builds the automata of the entries routed to them; those for which there is no room are routed elsewhere. The same
 * routes give the same automata, so these are not stored but built at each start: milliseconds. 0 or -ENOMEM.
 */
int scan_automata_build(const struct scan_builder *builder, struct scan_set *set);

/* The key of a builder's content on a machine. 0, or -EIO when the digest fails. */
int scan_store_key(const struct scan_builder *builder, const hs_platform_info_t *platform,
		   struct scan_cache_key *ret_key);

/* A set to bytes (0 or -ENOMEM) and back (0, -ENOMEM, or -EBADMSG: the bytes are of another form). */
int scan_store_write(const struct scan_set *set, struct buffer *out);
int scan_store_read(const struct scan_builder *builder, struct slice bytes, struct scan_set **ret_set);

#endif
