/*
 * The watch's side of an outbox: reads what a worker wrote, living or dead, and believes nothing of it. The file is
 * read and never mapped, so that one that is cut short is -EIO and no signal.
 */
#ifndef GUIA_WIRE_INBOX_H
#define GUIA_WIRE_INBOX_H

#include "base/hash.h"
#include "base/slice.h"
#include "wire/outbox_layout.h"

enum {
	INBOX_FOREIGN = 1, /* of another version, or broken */
	INBOX_CHANGED = 2, /* the name is another file's by now, or the file has another size */
};

struct inbox {
	int fd; /* -1: closed */
	uint64_t device;
	uint64_t inode;
	uint64_t bytes;
	struct ring_reader events;
	struct ring_reader heads;
	struct parcel_reader findings;
};

/* `directory` is open; `number` as in "worker-NUMBER". 0, INBOX_FOREIGN, or -errno (-ENOENT: there is none). */
int inbox_open(int directory, unsigned number, struct inbox *ret_inbox);
/* The same of an open file, which is the inbox's with 0 and stays the caller's otherwise. */
int inbox_from(int fd, struct inbox *ret_inbox);
void inbox_close(struct inbox *inbox);

/* Whether it is still the file of that name. 0, INBOX_CHANGED, or -errno. */
int inbox_check(const struct inbox *inbox, int directory, unsigned number);

/* The process that has it; 0 if none does. */
pid_t inbox_writer(const struct inbox *inbox);

/* A copy of the control part, of which nothing is more than it says: `site_count` and lengths are within bounds. */
int inbox_read_control(const struct inbox *inbox, struct outbox_control *ret_control);

/* What is counted of connections, alone. 0 or -errno. */
int inbox_read_connections(const struct inbox *inbox, struct connection_counters *ret_connections);

/* How the worker's origins are, alone. 0 or -errno. */
int inbox_read_load(const struct inbox *inbox, struct load_gauges *ret_load);

/* How often this worker, and those before it, carried a mitigation out. 0 too where the file cannot be read. */
uint64_t inbox_hits(const struct inbox *inbox, uint32_t mitigation);

/* The whole of the same, as it is: HIT_SLOTS of them. 0 or -errno. */
int inbox_read_hits(const struct inbox *inbox, struct hit *ret_hits);

/* The key of a directory's hashes. 0 or -errno. */
int inbox_read_key(int directory, struct hash_key *ret_key);

/* Printable ASCII, at most OUTBOX_NAME_BYTES of it: other bytes become '?'. */
struct slice inbox_site_name(struct outbox_control *control, uint16_t site);

#endif
