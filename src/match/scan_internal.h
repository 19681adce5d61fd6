/* What the files of the scan share. Nobody else includes this. */
#ifndef GUIA_MATCH_SCAN_INTERNAL_H
#define GUIA_MATCH_SCAN_INTERNAL_H

#include "base/byte_set.h"
#include "codec/byte_kind.h"
#include "match/automaton.h"
#include "match/marker.h"
#include "match/pattern_factor.h"
#include "match/scan.h"
#include "match/scan_cache.h"
#include "match/scan_filter.h"
#include "match/scan_gram.h"
#include "match/scan_study.h"
#include "match/seek.h"

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
	struct scan_studies *studies; /* not owned; NULL: its own */
	struct scan_entry *entries;
	size_t count;
	size_t capacity;
};

/* Where an entry is looked for. */
enum scan_route {
	SCAN_ROUTE_AUTOMATON,
	SCAN_ROUTE_DATABASE, /* Hyperscan */
	SCAN_ROUTE_PREFILTER,
	SCAN_ROUTE_NONE,
};

enum { SCAN_KEY_ANY = 1 };

struct scan_automaton {
	struct automaton *together;
	/* By pattern, for when `together` is busy; if it has several. */
	struct automaton *alone[AUTOMATON_PATTERNS_MAX];
	uint32_t ids[AUTOMATON_PATTERNS_MAX];
	uint32_t widths[AUTOMATON_PATTERNS_MAX][BYTE_LEVELS]; /* of the shortest match in values of a level */
	size_t count;
	uint32_t first_slot;      /* of the first pattern; the others' follow */
	uint64_t keys;            /* it is run where the value has any of these */
	struct byte_set needs[2]; /* bytes that have any of them; the second: so in lower case */
	uint32_t min_width;
	bool gated; /* each pattern is run only where its gate is open */
};

/*
 * A pattern of which every match holds one of some literals (match/pattern_factor.h) has a gate: these literals go to
 * Hyperscan with all others, and where it finds one, the gate opens. Hyperscan's ids of gates come after all others, in
 * the order of slots.
 */
struct scan_factor {
	uint32_t slot;
	struct pattern_factor literal;
	struct pattern_span reach; /* what of a match is before it, at most */
};

struct scan_factors {
	struct scan_factor *items;
	size_t count;
	size_t capacity;
};

struct scan_gate {
	/* Second factors, of which one with a way in common must be found too; they do not go to Hyperscan. */
	uint32_t first_second;
	uint32_t second_count;
};

/*
 * Factors, and literals where they are few, to be sought in long values by themselves. Marks are Hyperscan's ids, those
 * of second factors their numbers with SCAN_SECOND.
 */
struct scan_sought {
	struct seek_word *words;   /* in their order; second factors, by number, behind them */
	size_t count;              /* without those; 0: nothing can be sought so */
	uint32_t *words_of_factor; /* by the number of the factor: index of its word */
	uint8_t *texts;
	size_t text_bytes;
	bool entries; /* all literals are among them, and the database holds no regex */
};

struct scan_set {
	uint64_t serial;         /* no two sets of a process have the same */
	hs_database_t *database; /* NULL: nothing in it */
	/* Of what a value of a level may hold; NULL: the database is always asked. */
	struct scan_filter *filters[BYTE_LEVELS];
	struct scan_filter *endings; /* of the database's literals */
	struct scan_automaton *automata;
	size_t automaton_count;
	/* What a short value of a level must have for the patterns without gates; NULL: no pattern has. */
	struct scan_grams *grams[BYTE_LEVELS];
	struct markers *markers; /* what a long value must have for a pattern; NULL: no pattern has */
	uint64_t *gated;         /* a bit for each slot: it is run where its gate is open; that of the database too */
	uint64_t *asked[BYTE_LEVELS]; /* of these, those for which the database is asked of a value of a level */
	uint32_t slot_count;          /* of patterns in automata; the database has the slot after them */
	uint64_t *in_database;        /* a bit for each id of which something is looked for in the database */
	/*
	 * Bytes of which a pattern needs one have a key, a bit: here are the keys of each byte. Every value has
	 * SCAN_KEY_ANY.
	 */
	uint64_t byte_keys[256];
	bool has_regexes;            /* in the database, which may tell cases apart */
	struct scan_factors factors; /* by slot */
	struct scan_factors seconds;
	uint32_t *first_factor; /* by slot; one more than there are slots */
	uint32_t gate_count;
	struct scan_gate *gates; /* by slot, of those with a gate */
	struct scan_sought sought;
	uint8_t *routes; /* enum scan_route by entry of the builder */
	size_t route_count;
	size_t words;
	uint64_t *always; /* bits that every scan sets: class SCAN_NONE */
	uint8_t *classes; /* enum scan_class by id, SCAN_CLASS_UNUSED where there is no such id */
	/* By id, of the shortest match in values of a level; UINT32_MAX where there is none, or no such id. */
	uint32_t (*widths)[BYTE_LEVELS];
	uint32_t min_width;          /* of what is found, SCAN_NONE aside */
	uint32_t database_min_width; /* of what the database finds */
	uint32_t database_findable;  /* ids that it may find */
	struct scan_set_facts facts;
};

/* States made for automata of one name: sets with the same patterns share them. */
struct scan_fitted {
	struct automaton_name name;
	struct automaton_cache *cache;
};

/* A set's caches: for each of its automata that of all together, then those of each alone. */
struct scan_fitting {
	uint64_t serial; /* of the set; 0: an empty place */
	struct automaton_cache **caches;
};

enum { SCAN_SEEKERS = 64, SCAN_SEEKER_WAYS = 4, SCAN_SEEKER_SLOT_WORDS = 4 };

/* What was sought in a long value is mostly sought in the next: a seeker with what it was made of. */
struct scan_kept_seeker {
	uint64_t serial; /* of the set; 0: none */
	uint64_t slots[SCAN_SEEKER_SLOT_WORDS];
	bool possible; /* else it cannot be sought */
	struct seeker seeker;
};

enum {
	SCAN_HIT_SLOTS = 8,
	SCAN_HITS = 128,         /* of a slot */
	SCAN_HIT_FACTORS = 1024, /* of a set; the places of others are not sought */
};

/* Where factors of a pattern that is wanted were found in a long value. */
struct scan_slot_hits {
	uint32_t slot;
	uint32_t count;
	uint32_t at[SCAN_HITS];      /* ascending */
	uint32_t factors[SCAN_HITS]; /* those that are there */
	bool too_many;
	uint64_t ways; /* of the pattern, of which a factor was found */
	uint64_t second_ways;
};

struct scan_hits {
	struct scan_slot_hits slots[SCAN_HIT_SLOTS]; /* others are not told */
	size_t count;
	uint64_t factors[SCAN_HIT_FACTORS / 64]; /* that were found */
	bool placed;                             /* all places of these were told, but for slots with too many */
	bool seconds;                            /* second factors were sought */
};

struct scan_scratch {
	struct scan_kept_seeker *seekers; /* SCAN_SEEKERS, by hash SCAN_SEEKER_WAYS together */
	unsigned seeker_turn;
	hs_scratch_t *hyperscan; /* NULL until a set with a database was fitted */
	uint64_t *open;          /* a bit for each slot of the set that is being run: its gate is open */
	uint64_t *wanted;        /* and: it is wanted of any view; then, it is to be run for one */
	size_t open_words;       /* of each */
	struct scan_hits hits;   /* of the long value that is being run */
	struct marker_room *markers;
	struct scan_fitted *fitted;
	size_t fitted_count;
	size_t fitted_capacity;
	struct scan_fitting *fittings; /* a hash table with open addressing, at most half full */
	size_t fitting_count;
	size_t fitting_room; /* 0 or a power of 2 */
};

/* Serials are given one after another, so that they are their own hash. */
static inline struct scan_fitting *scan_fitting_of(struct scan_fitting *fittings, size_t room, uint64_t serial)
{
	size_t at = serial & (room - 1);
	while (fittings[at].serial != serial && fittings[at].serial != 0)
		at = (at + 1) & (room - 1);
	return &fittings[at];
}

/* How many caches an automaton of a set has. */
static inline size_t scan_caches_of(const struct scan_automaton *a)
{
	return a->count > 1 ? 1 + a->count : 1;
}

enum {
	SCAN_CLASS_UNUSED = 0xff,
	SCAN_ID_MAX = 1 << 20,
	SCAN_FLAGS = HS_FLAG_DOTALL | HS_FLAG_MULTILINE | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY,
};

/* A set for a builder's entries, all of SCAN_ROUTE_NONE yet. 0 or -ENOMEM. */
int scan_set_make(const struct scan_builder *builder, struct scan_set **ret_set);

/* Fills in what follows from the routes, automata and database. 0 or -ENOMEM. */
int scan_set_finish(const struct scan_builder *builder, struct scan_set *set);

/* Hyperscan's flags for an entry that takes a route. */
unsigned scan_route_flags(const struct scan_entry *entry, enum scan_route route);

/* Whether Hyperscan's parser takes a regex; *ret_width is then its shortest match. */
bool scan_route_parses(const struct scan_entry *entry, unsigned flags, uint32_t *ret_width);

/*
 * Chooses every entry's route, and builds the automata of those that go there. 0, -ENOMEM, or -EBADMSG: the notes are
 * not of this set.
 */
int scan_automata_build(const struct scan_builder *builder, struct scan_notes *notes, struct scan_set *set);

/* Of the signs that are wanted, those that a value has. */
struct scan_found_signs {
	bool known;        /* else it was not asked, as it is long, or anything may match */
	bool has_literals; /* the filter let it through, or there is none */
	uint64_t grams[SCAN_VIEWS];
};

/* False: nothing that the views want of the value can match it. */
bool scan_signs_find(const struct scan_set *set, struct slice value, enum byte_level level,
		     const struct scan_view *views, struct scan_found_signs *ret_found);

/* Hyperscan's id of a factor. */
static inline uint32_t scan_factor_id(const struct scan_set *set, size_t factor)
{
	return (uint32_t)(set->words * 64 + factor);
}

static inline struct slice scan_factor_text(const struct scan_factor *factor)
{
	return slice_make(factor->literal.bytes, factor->literal.len);
}

/* What of a set can be sought by itself. 0 or -ENOMEM. */
int scan_seek_prepare(const struct scan_builder *builder, struct scan_set *set);
void scan_seek_free(struct scan_set *set);

/* In the mark of a word: it is a second factor. */
#define SCAN_SECOND (UINT32_C(1) << 31)

/*
 * A seeker for what is wanted of a set, `slots` as of scan_set_want(); it stays until the next call. NULL: it cannot be
 * sought, or is too much.
 */
const struct seeker *scan_seek_find(const struct scan_set *set, struct scan_scratch *scratch, const uint64_t *slots);

/* Those of a slot, which is put there if there is room; NULL: there is none. */
struct scan_slot_hits *scan_hits_of_slot(struct scan_hits *hits, uint32_t slot);

/* A factor of a slot was found; and where, which is told for all of them or for none. */
void scan_hits_add(struct scan_hits *hits, struct scan_slot_hits *of, const struct scan_set *set, size_t factor);
void scan_hits_place(struct scan_slot_hits *of, uint32_t factor, size_t at);

/*
 * A seeker for the places of factors that were found, where they are not known, and for second ones that may be found
 * with them. False: it cannot be sought, is too much, or nothing.
 */
bool scan_seek_hits(const struct scan_set *set, const struct scan_hits *hits, struct seeker *ret_seeker);

/*
 * Runs the automaton of a slot's pattern where a match can begin, or not at all where none can. False: the run is to go
 * over the whole value.
 */
bool scan_run_windows(const struct scan_set *set, const struct scan_hits *hits, uint32_t slot, struct slice value,
		      struct automaton_run *run);

/* No pattern has a gate any more. */
void scan_automata_open(struct scan_set *set);

/* A literal as an expression: whatever is not a letter or digit becomes \xHH. NULL without memory. */
char *scan_escape_literal(struct slice literal);

#define SCAN_ORIGIN_FACTOR SIZE_MAX

/* What goes to Hyperscan: parallel arrays, as hs_compile_multi() wants them. */
struct scan_expressions {
	char **texts; /* owned */
	unsigned *flags;
	unsigned *ids;
	size_t *origins; /* entries of the builder; SCAN_ORIGIN_FACTOR: none */
	size_t count;
	size_t capacity;
};

/*
 * The key of what is given to Hyperscan, on a machine. All that a stored database depends on is in it, so that no other
 * build's can be taken for ours. 0, or -EIO when the digest fails.
 */
int scan_store_key(const struct scan_expressions *expressions, const hs_platform_info_t *platform,
		   struct scan_cache_key *ret_key);

/* The same of what is added to a builder, for what is worked out of it. */
int scan_store_notes_key(const struct scan_builder *builder, const hs_platform_info_t *platform,
			 struct scan_cache_key *ret_key);

enum { SCAN_STORE_TAKEN = UINT32_MAX };

/*
 * What Hyperscan made of the expressions, as bytes (0 or -ENOMEM) and back (0, -ENOMEM, or -EBADMSG): a database and
 * `refused` SCAN_STORE_TAKEN, or the number of the expression that it refused and no database.
 */
int scan_store_write(const hs_database_t *database, uint32_t refused, struct buffer *out);
int scan_store_read(struct slice bytes, hs_database_t **ret_database, uint32_t *ret_refused);

#endif
