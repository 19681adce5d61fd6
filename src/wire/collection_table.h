/*
 * Persistent collections (IP, GLOBAL, SESSION, RESOURCE, USER) in memory that several processes share. The region is
 * the caller's; nothing in it is a pointer, so each process may map it elsewhere, and it outlives any of them.
 *
 * Every call takes the caller's lock once and does bounded work. A process may die at any instruction while it holds
 * the lock (nginx's master then unlocks): a change in progress is marked in the region, and whoever locks next repairs
 * the table from the records whose checksums hold, so that at most the change in progress is lost.
 *
 * A record is (collection, site, key); it holds named values. Keys and sites are compared by exact bytes, names with
 * ASCII case ignored. A record goes when its timeout has passed or when room is needed and it is the least recently
 * used. Times are milliseconds of a clock that all processes share and that never goes back (CLOCK_BOOTTIME).
 */
#ifndef GUIA_WIRE_COLLECTION_TABLE_H
#define GUIA_WIRE_COLLECTION_TABLE_H

#include "base/slice.h"

enum collection {
	COLLECTION_GLOBAL,
	COLLECTION_IP,
	COLLECTION_RESOURCE,
	COLLECTION_SESSION,
	COLLECTION_USER,
};

enum {
	COLLECTION_REGION_MIN_BYTES = 64 * 1024,
	COLLECTION_RECORD_BYTES = 8192, /* site, key, names, values of one record, 12 bytes a value counted in */
	COLLECTION_KEY_BYTES = 1024,    /* longest site + key */
	COLLECTION_NAME_BYTES = 255,    /* longest name of a value */

	COLLECTION_TABLE_NEW = 0, /* outcomes of attaching */
	COLLECTION_TABLE_KEPT = 1,
	COLLECTION_TABLE_RESET = 2,
};

/* Mutual exclusion among all who attach. unlock() may be called by somebody else for a process that died. */
struct collection_lock {
	void (*lock)(void *context);
	void (*unlock)(void *context);
	void *context;
};

/* One process's handle. Fields are private. */
struct collection_table {
	uint8_t *region;
	uint32_t buckets;
	uint32_t cells;
	size_t bytes;
	struct collection_lock lock;
};

/*
 * Attaches to a region aligned to 64 bytes; formats it if it is all zero in its header (NEW), keeps what verifies
 * (KEPT), starts afresh if its form, size or header checksum differ (RESET). Or -EINVAL: too small, too large (64 GB),
 * unaligned.
 */
int collection_table_attach(struct collection_table *table, void *region, size_t bytes,
			    const struct collection_lock *lock);

struct collection_id {
	enum collection collection;
	struct slice site; /* SecWebAppId, or empty */
	struct slice key;  /* what initcol was given */
};

/* A record's values, copied out of the region: valid without the lock. */
struct collection_snapshot {
	size_t len;
	uint64_t created_ms;
	uint64_t updated_ms;
	uint64_t expires_ms; /* 0: never */
	uint64_t updates;    /* how often a value was written */
	uint8_t bytes[COLLECTION_RECORD_BYTES];
};

/* 1 with the values not expired, or 0: there is no such record (or it has expired). Counts as use. */
int collection_table_read(struct collection_table *table, const struct collection_id *id, uint64_t now_ms,
			  struct collection_snapshot *ret_snapshot);

/* Walks a snapshot, from *cursor == 0; false at the end. The slices point into it. */
bool collection_snapshot_next(const struct collection_snapshot *snapshot, size_t *cursor, struct slice *ret_name,
			      struct slice *ret_value);

/*
 * The calls below make the record if it is not there, with no timeout, and count as use. 0, -E2BIG when key, name or
 * record would pass the bounds above, or -EBADMSG where links that had been repaired were bad again (nothing changes
 * then).
 */

/* A value that was there keeps its expiry. */
int collection_table_set(struct collection_table *table, const struct collection_id *id, struct slice name,
			 struct slice value, uint64_t now_ms);

/* Adds to the decimal number in a value (0 if absent, expired or no number), saturating; keeps its expiry. */
int collection_table_add(struct collection_table *table, const struct collection_id *id, struct slice name,
			 int64_t delta, uint64_t now_ms, int64_t *ret_sum);

/* expirevar: the value, if there, goes `seconds` from now. Never makes a record. */
int collection_table_expire(struct collection_table *table, const struct collection_id *id, struct slice name,
			    uint32_t seconds, uint64_t now_ms);

/* Removes a value; 1 if it was there, else 0. Never makes a record. */
int collection_table_remove(struct collection_table *table, const struct collection_id *id, struct slice name,
			    uint64_t now_ms);

/* SecCollectionTimeout: the record goes `seconds` from now unless this is called again (0: never goes by time). */
int collection_table_timeout(struct collection_table *table, const struct collection_id *id, uint32_t seconds,
			     uint64_t now_ms);

struct collection_table_facts {
	uint64_t records;
	uint64_t cells;      /* 256 bytes each */
	uint64_t cells_free; /* of them */
	uint64_t evicted;    /* records that went for want of room, ever */
	uint64_t repairs;    /* times a change in progress was found */
};
struct collection_table_facts collection_table_facts(struct collection_table *table);

/* Checks every link and checksum: 0, or -EBADMSG. For tests. Takes the lock. */
int collection_table_verify(struct collection_table *table);

#endif
