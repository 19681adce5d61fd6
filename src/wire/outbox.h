/*
 * A worker's side of the events directory: counters and three rings in a file of its own, which it takes over from a
 * worker that has ended, or makes. The lock on the file (an open file description's) goes with its process, however
 * that dies; so there are never more files than workers have been at work at once, and what was counted stays counted.
 *
 * A file is whole before it has its name: every block is allocated, so that a full disk is an error here and not a
 * signal later. Opening makes system calls; nothing after it does. One process, one thread.
 */
#ifndef GUIA_WIRE_OUTBOX_H
#define GUIA_WIRE_OUTBOX_H

#include "base/hash.h"
#include "wire/counters.h"
#include "wire/event.h"
#include "wire/hit_table.h"
#include "wire/parcel.h"

enum {
	OUTBOX_EVENTS = 1 << 16, /* slots, where nothing else is wanted */
	OUTBOX_HEADS = 1 << 8,
	OUTBOX_FINDINGS = 1 << 12, /* of PARCEL_SLOT_BYTES; a finding takes several */
	OUTBOX_SITES = 256,        /* in the table; the first has no name */
	OUTBOX_FILES = 256,        /* workers at once, old ones of reloads included */

	OUTBOX_REPLACED = 1, /* a file that was not of this version, or broken, was replaced */
};

struct outbox_control;

/* Which origins each site asks, as bits, and how these are. */
struct load_gauges {
	counter origins_of[OUTBOX_SITES];
	struct origin_gauges origins[LOAD_ORIGINS];
};

struct outbox {
	uint8_t *map; /* NULL: closed */
	size_t bytes;
	int fd;
	unsigned file; /* its number in the directory */
	struct outbox_control *control;
	struct connection_counters *connections;
	struct load_gauges *load;
	struct hit_table *hits;
	struct ring_writer events;
	struct ring_writer heads;
	struct parcel_writer findings;
	struct hash_key key;
};

struct outbox_sizes {
	uint32_t event_slots; /* powers of two */
	uint32_t head_slots;
	uint32_t finding_slots; /* at least PARCEL_SLOTS_LEAST */
};

extern const struct outbox_sizes outbox_usual_sizes;

/* How large a worker's file is. */
uint64_t outbox_file_bytes(const struct outbox_sizes *sizes);

/* What a worker is going to tell of. */
struct outbox_names {
	const struct slice *names;
	size_t count;
};

/*
 * Where the worker before told of so many other sites that the table has no room for these, a new file takes the place
 * of its own: what was counted of those sites, and what nobody has read of the rings, goes with it; all else stays.
 *
 * `now_ns` is CLOCK_BOOTTIME. 0 or OUTBOX_REPLACED; -ENOENT, -ENOTDIR, -EACCES: no such directory for us; -EPERM: it is
 * another's, or others may write to it; -ENOSPC; -EMFILE: OUTBOX_FILES are in use; -errno.
 */
int outbox_open(const char *directory, const struct outbox_sizes *sizes, struct outbox_names names, uint64_t now_ns,
		struct outbox *ret_outbox);

/* The worker ends: what is open or in flight is not its any more. A closed one is allowed. */
void outbox_close(struct outbox *outbox);

/* The number of a site, added if need be; 0, which has no name, when the table is full. Names are cut to 254 bytes. */
uint16_t outbox_site(struct outbox *outbox, struct slice name);

/* A site's counters; those of 0 for a number that cannot be. */
struct site_counters *outbox_counters(struct outbox *outbox, uint16_t site);

#endif
