/*
 * Many patterns on one value in one pass. The caller partitions patterns into sets by target, for a set of everything
 * scans slowly; it gives each pattern an id, and gets back a bit per id.
 *
 * What a bit means is told by the pattern's class. Literals go to Hyperscan, regexes to automata of ours
 * (match/automaton.h). All this is hidden here.
 *
 * A set is immutable and shared by threads. A scratch is one worker's, fitted to every set when rules are loaded.
 */
#ifndef GUIA_MATCH_SCAN_H
#define GUIA_MATCH_SCAN_H

#include "base/diagnostic.h"
#include "codec/byte_kind.h"

struct scan_builder;
struct scan_cache; /* match/scan_cache.h */
struct scan_scratch;
struct scan_set;
struct scan_studies;

enum scan_class {
	SCAN_EXACT,     /* bit set: it matches; bit clear: it does not */
	SCAN_PREFILTER, /* bit set: ask the regex; bit clear: it does not match */
	SCAN_NONE,      /* nothing can take it: the bit is always set, ask the regex */
};

/* What is found out of patterns, for several builders, all of one thread: many have the same. 0 or -ENOMEM. */
int scan_studies_create(struct scan_studies **ret_studies);
void scan_studies_free(struct scan_studies *studies);

/*
 * 0 or -ENOMEM. Ids should be small and dense: the bits of a scan are an array indexed by id. `studies` are to outlive
 * the builder's last scan_set_compile(); NULL: it has its own.
 */
int scan_builder_create(struct scan_studies *studies, struct scan_builder **ret_builder);
void scan_builder_free(struct scan_builder *builder);

/*
 * A pattern as regex_compile() takes it, with the same flags (match/regex.h), known to compile there. The bytes are
 * copied. One id is one regex, or any number of literals. 0 or -ENOMEM.
 */
int scan_builder_add_regex(struct scan_builder *builder, uint32_t id, struct slice pattern, unsigned flags);

/* Bytes to be found as they are, ASCII case ignored; any number of them may share an id. */
int scan_builder_add_literal(struct scan_builder *builder, uint32_t id, struct slice literal);

/*
 * Compiles what was added, or takes it from `cache` (NULL: always compiles, stores nothing). Trouble with the cache is
 * a warning in `diagnostics` (NULL: untold), never an error. The builder stays as it was. 0, -ENOMEM, or -EINVAL when
 * Hyperscan fails in a way that is not the pattern's fault (also told in diagnostics).
 */
int scan_set_compile(const struct scan_builder *builder, const struct scan_cache *cache,
		     struct diagnostics *diagnostics, struct scan_set **ret_set);
void scan_set_free(struct scan_set *set);

/* Whole 64-bit words that scan_run() needs for its bits: highest id / 64 + 1; 0 for a set without patterns. */
size_t scan_set_words(const struct scan_set *set);
enum scan_class scan_set_class(const struct scan_set *set, uint32_t id);

/* Values shorter than this match nothing in the set. */
size_t scan_set_min_width(const struct scan_set *set);

/* Values of a level that are shorter than this do not match the pattern of an id. UINT32_MAX: none of them does. */
size_t scan_set_width(const struct scan_set *set, uint32_t id, enum byte_level level);

/*
 * A scan that is wanted for some ids only costs less. What they need is a set of slots, in this many 64-bit words:
 * scan_set_want() adds an id's, and the slots of several ids may be united by OR.
 */
size_t scan_set_slot_words(const struct scan_set *set);
void scan_set_want(const struct scan_set *set, uint32_t id, uint64_t *slots);
/* The slot of all ids that are looked for in the database; what the others stand for has patterns. */
size_t scan_set_database_slot(const struct scan_set *set);

/*
 * Whether a long value is full of what literals in the database end with. It looks closer at each such place, which
 * takes far longer than all else that it does.
 */
bool scan_set_is_dear(const struct scan_set *set, struct slice value);

struct scan_set_facts {
	size_t patterns; /* ids */
	size_t exact;
	size_t prefilter;
	size_t none;
	size_t pieces;         /* regexes and literals looked for */
	size_t database_bytes; /* in memory */
	bool from_cache;       /* the database */
	bool noted;            /* and so is what was worked out besides */
};
struct scan_set_facts scan_set_facts(const struct scan_set *set);

/* Create, then fit to every set the worker will scan with; never on the request path. 0 or -ENOMEM. */
int scan_scratch_create(struct scan_scratch **ret_scratch);
int scan_scratch_fit(struct scan_scratch *scratch, const struct scan_set *set);
void scan_scratch_free(struct scan_scratch *scratch);

/*
 * Sets bit `id % 64` of ret_bits[id / 64] for each pattern found, and leaves other bits as they are: the caller clears.
 * With `slots` only ids that are wanted are looked for; others may be found all the same. NULL: all are wanted.
 * Returns the number of ids whose bit this call set (those of class SCAN_NONE included), or a negative error
 * (-EINVAL: a scratch that was not fitted, -EFBIG: a value of 4 GB or more). Allocates nothing.
 */
int scan_run(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, const uint64_t *slots,
	     uint64_t *ret_bits);

/*
 * What a short value must have, by its level, to match anything of what is wanted: one of the grams, or what the filter
 * of literals lets through. Most have neither, which is all that there is to find out then.
 */
struct scan_signs {
	uint64_t grams[BYTE_LEVELS];
	uint8_t literals; /* a bit for each level: signs are literals, too */
	uint8_t any;      /* and: there may be a match without signs */
};

/* The signs of slots as of scan_set_want(). */
void scan_set_signs(const struct scan_set *set, const uint64_t *slots, struct scan_signs *ret_signs);

/* Those of slots that are united by OR. */
static inline void scan_signs_unite(struct scan_signs *signs, const struct scan_signs *more)
{
	for (unsigned level = 0; level < BYTE_LEVELS; level++)
		signs->grams[level] |= more->grams[level];
	signs->literals |= more->literals;
	signs->any |= more->any;
}

/* What is wanted of a value in one of its forms. */
struct scan_view {
	const uint64_t *slots;          /* NULL: all */
	const struct scan_signs *signs; /* of these; NULL: they are not known */
	uint64_t *ret_bits;             /* scan_set_words(); NULL: nothing is wanted */
};

enum { SCAN_VIEWS = 2 /* as it is, and as it would be with its ASCII letters in lower case */ };

/*
 * Both at little more than the price of one. Not every set can do so for all that may be wanted of the second. `level`:
 * the value has bytes of its kinds only. 0: nothing matches, and the bits are as they were. Above 0: the bits tell, all
 * of them. Or an error as of scan_run().
 */
bool scan_set_lowers(const struct scan_set *set, const uint64_t *slots);
int scan_run_views(const struct scan_set *set, struct scan_scratch *scratch, struct slice value, enum byte_level level,
		   const struct scan_view views[static SCAN_VIEWS]);

#endif
