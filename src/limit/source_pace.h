/*
 * When each source last sent a request: keyed hashes and times, in memory of a fixed size that the caller gives and
 * many processes may share. Of a full bucket of eight goes who has not come for longest. No locks: of two that come at
 * once one may be forgotten.
 */
#ifndef GUIA_LIMIT_SOURCE_PACE_H
#define GUIA_LIMIT_SOURCE_PACE_H

#include "base/address.h"
#include "base/hash.h"

#include <stdatomic.h>

enum {
	SOURCE_PACE_MOST_MS = 600000, /* later than that it is as if the source had never come */
	SOURCE_PACE_BUCKET = 8,
};

struct source_pace {
	struct hash_key secret;
	uint64_t buckets; /* a power of two */
	uint64_t reserved[5];
	_Atomic uint64_t slots[]; /* the upper half of a hash, and the time */
};

/* What a table takes that holds so many; 8 bytes each, up to twice as many. */
size_t source_pace_bytes(size_t sources);
/* In memory that is all zero. */
void source_pace_init(struct source_pace *pace, size_t sources);

/* A request came. Milliseconds since the last one of its source, 1 at least; 0: there was none. */
uint64_t source_pace_meet(struct source_pace *pace, const struct address *source, uint64_t now_ms);

#endif
