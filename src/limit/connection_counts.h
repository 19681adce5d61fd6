/*
 * How many connections each source, and each prefix around it, has open, from accept on; counted by several workers in
 * memory they share, and right again after any of them was killed.
 *
 * Each worker has a share of the table that it alone writes; a count is the sum over the shares. What a dead worker had
 * open is forgotten with its share, whole: no count can be left too high or too low. A share has room for all
 * connections that a worker may have, however many sources they come from. It is a hash table in buckets of one cache
 * line, seven words of tag and count and one that says how many passed on because the bucket was full (as in Facebook's
 * F14). While a worker changes its share another may read a count that is off by what is changing.
 */
#ifndef GUIA_LIMIT_CONNECTION_COUNTS_H
#define GUIA_LIMIT_CONNECTION_COUNTS_H

#include "base/address.h"
#include "base/hash.h"
#include "limit/source_level.h"

enum {
	CONNECTION_LEVELS = SOURCE_LEVELS,

	CONNECTION_COUNTS_NEW = 0, /* outcomes of attaching */
	CONNECTION_COUNTS_KEPT = 1,
	CONNECTION_COUNTS_RESET = 2,

	CONNECTION_COUNTS_FULL = 1, /* no share, or no room in it */
};

struct connection_bucket;

/* One process's handle. Fields are private. */
struct connection_counts {
	uint64_t *owners; /* of shares: a worker's name, and whether the share counts */
	struct connection_bucket *buckets;
	uint64_t share_buckets;
	uint32_t shares;
	uint32_t own;  /* `shares`: none */
	uint32_t room; /* connections that the own share still takes */
	uint32_t connections;
	struct hash_key key;
};

/* What memory is needed for so many workers at once (old and new ones while a server reloads) of so many connections.
 */
size_t connection_counts_bytes(uint32_t shares, uint32_t connections);

/*
 * Attaches to memory aligned to 64 bytes, of at least the size above: formats it if its header is all zero (NEW), goes
 * on with what is there if it was made for the same numbers (KEPT), or starts afresh (RESET). Whoever calls first must
 * be alone. Or -EINVAL.
 */
int connection_counts_attach(struct connection_counts *counts, void *memory, size_t bytes, uint32_t shares,
			     uint32_t connections);

/* Tells whether the worker of that name still lives. */
typedef bool connection_owner_alive(uint64_t owner, void *context);

/*
 * Takes a share, one of a dead worker if need be. `owner` names this worker, differently from any other that lived
 * lately (a process id and when it began); not 0, its highest bit clear. 0, or CONNECTION_COUNTS_FULL: all shares are
 * in use.
 */
int connection_counts_join(struct connection_counts *counts, uint64_t owner, connection_owner_alive *alive,
			   void *context);
void connection_counts_leave(struct connection_counts *counts);

/* Forgets what dead workers had open. Any worker may call it at any time. */
void connection_counts_bury(struct connection_counts *counts, connection_owner_alive *alive, void *context);

/* Which words count a connection. All zero: none does. */
struct connection_ticket {
	uint64_t hash[CONNECTION_LEVELS];
	uint32_t slot[CONNECTION_LEVELS]; /* from 1 */
};

/* Counts a connection until its ticket is given back, once. 0, or CONNECTION_COUNTS_FULL with an empty ticket. */
int connection_counts_open(struct connection_counts *counts, const struct address *source,
			   struct connection_ticket *ret_ticket);

/* The ticket is empty afterwards; an empty one is allowed. */
void connection_counts_close(struct connection_counts *counts, struct connection_ticket *ticket);

struct connection_count {
	uint32_t open[CONNECTION_LEVELS]; /* the source's first */
};
struct connection_count connection_counts_of(const struct connection_counts *counts, const struct address *source);

/* All that are counted. */
uint64_t connection_counts_all(const struct connection_counts *counts);

#endif
