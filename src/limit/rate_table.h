/*
 * How much each source may cost, and each prefix around it, in memory of a fixed size however many come. Several
 * processes share a table; nothing in it is a pointer.
 *
 * The algorithm is GCRA (ITU-T I.371): all that is kept of a source is the time at which it will have paid for what it
 * had. A source that has paid is as good as forgotten, so a table holds debtors only, and forgetting needs no sweep. A
 * debtor is one word of 64 bits in a bucket of one cache line, changed by compare-and-exchange: there is no lock, and a
 * process may be killed at any instruction. Where a bucket is full of debtors the newcomer takes the place of the one
 * who owes least: a full table sheds the light and keeps the heavy, and refuses nobody for want of room.
 *
 * Cost is in microseconds of the origin's time, or any other unit that a limit is in. Times are microseconds of a clock
 * that all processes share and that does not go back (CLOCK_BOOTTIME); one that differs a little between processors
 * does no harm.
 */
#ifndef GUIA_LIMIT_RATE_TABLE_H
#define GUIA_LIMIT_RATE_TABLE_H

#include "base/address.h"
#include "base/hash.h"
#include "limit/source_level.h"

enum {
	RATE_TABLE_MIN_BYTES = 4 * 4096,
	RATE_LEVELS = SOURCE_LEVELS,

	RATE_TABLE_NEW = 0, /* outcomes of attaching */
	RATE_TABLE_KEPT = 1,
	RATE_TABLE_RESET = 2,
};

/* No debt is longer than this: what a request cost beyond it is forgiven. */
#define RATE_DEBT_MOST_US ((uint64_t)3600 * 1000000)

/* What a source or prefix may cost. Made by rate_limit_make(); all zero: no limit. */
struct rate_limit {
	uint64_t us_per_cost; /* time in which one unit is paid, 32 bits of it a fraction */
	uint64_t burst_us;    /* debt up to which more is admitted */
};

/* `per_second` units for ever, `burst` at once (what would take over an hour to pay is cut). 0: no limit. */
struct rate_limit rate_limit_make(uint64_t per_second, uint64_t burst);

struct rate_limits {
	struct rate_limit level[RATE_LEVELS]; /* the source first */
};

struct rate_bucket;

/* One process's handle. Fields are private. */
struct rate_table {
	struct rate_bucket *buckets;
	uint64_t pages;
	struct hash_key key;
};

/*
 * Attaches to memory aligned to 4096 bytes: formats it if its header is all zero (NEW), goes on with a table of the
 * same size (KEPT), starts afresh over anything else (RESET). Whoever calls first must be alone. Or -EINVAL: too small
 * or not aligned.
 */
int rate_table_attach(struct rate_table *table, void *memory, size_t bytes);

/* Where a source's debts are, as long as the table is mapped there. */
struct rate_key {
	struct rate_bucket *bucket[RATE_LEVELS];
	uint64_t tag[RATE_LEVELS];
};

/*
 * `scope` keeps apart what shares a table: a site, a limit, or a fingerprint where many people share an address. The
 * memory that is going to be read is fetched ahead.
 */
struct rate_key rate_key_make(const struct rate_table *table, const struct address *source, uint64_t scope);

enum {
	RATE_ADMITTED = 0, /* else the level that refuses, from 1 */
};

/*
 * Admits and charges every level, or refuses and charges none: neighbours do not pay for what was not admitted, and
 * who insists is held at the limit and not below. Who owes nothing is admitted at any cost.
 */
unsigned rate_table_admit(const struct rate_key *key, const struct rate_limits *limits, uint64_t cost, uint64_t now_us);

/* Charges what is known only afterwards. */
void rate_table_charge(const struct rate_key *key, const struct rate_limits *limits, uint64_t cost, uint64_t now_us);

/* How long until the source has paid at that level; 0: it owes nothing. For Retry-After. */
uint64_t rate_table_debt_us(const struct rate_key *key, unsigned level, uint64_t now_us);

struct rate_table_facts {
	uint64_t places;
	uint64_t debtors;
};

/* Looks at the pages [first, first + count) only, so that a large table may be looked at in parts. */
struct rate_table_facts rate_table_facts(const struct rate_table *table, uint64_t first, uint64_t count,
					 uint64_t now_us);

#endif
