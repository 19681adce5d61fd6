/*
 * What the watch has learned, as bytes that outlast it: sites' baselines and quiet requests, and regulars. A site is
 * named by a keyed hash, and so are sources; those of quiet requests are enciphered. Without the key, which lies
 * elsewhere, the bytes name nobody.
 */
#ifndef GUIA_TRAFFIC_MEMORY_H
#define GUIA_TRAFFIC_MEMORY_H

#include "base/buffer.h"
#include "base/hash.h"
#include "traffic/baseline.h"
#include "traffic/regulars.h"
#include "traffic/sample.h"

/* Why bytes are not taken. */
enum traffic_memory_fault {
	TRAFFIC_MEMORY_GOOD,
	TRAFFIC_MEMORY_SHORT,
	TRAFFIC_MEMORY_STRANGE,
	TRAFFIC_MEMORY_VERSION,
	TRAFFIC_MEMORY_CHECKSUM,
	TRAFFIC_MEMORY_KEY, /* its hashes are under another key */
	TRAFFIC_MEMORY_CONTENT,
	TRAFFIC_MEMORY_FAULTS,
};
const char *traffic_memory_fault_text(enum traffic_memory_fault fault);

enum { TRAFFIC_MEMORY_SITES = 4096, TRAFFIC_MEMORY_BYTES = 512 << 20 };

/* Bytes that were checked, and which sites were taken out of them. All zero: nothing. */
struct traffic_memory {
	struct buffer bytes;
	struct hash_key key;
	size_t sites;
	size_t at[TRAFFIC_MEMORY_SITES]; /* where each begins */
	bool taken[TRAFFIC_MEMORY_SITES];
	size_t regulars_at;
};

/*
 * Checks bytes of the heap, which are the memory's if the answer is TRAFFIC_MEMORY_GOOD, and the caller's otherwise,
 * with *ret_memory untouched.
 */
enum traffic_memory_fault traffic_memory_open(struct buffer *bytes, const struct hash_key *key,
					      struct traffic_memory *ret_memory);
void traffic_memory_close(struct traffic_memory *memory);

/* The regulars, if their table has that size. */
bool traffic_memory_regulars(const struct traffic_memory *memory, struct regulars *regulars, uint64_t wall_s);

/*
 * What is known of a site: into a baseline that knows nothing, and a quiet sample that holds nothing, as much of it as
 * that has room for. False: nothing is known, or it was taken before.
 */
bool traffic_memory_take(struct traffic_memory *memory, struct slice site, struct baseline *baseline,
			 struct quiet_sample *quiet);

struct traffic_memory_site {
	struct slice name;
	const struct baseline *baseline;
	const struct quiet_sample *quiet;
};

/* Writes these, and what of an older memory was not taken, to a buffer that is empty. 0 or -ENOMEM. */
int traffic_memory_write(const struct traffic_memory_site *sites, size_t count, const struct traffic_memory *older,
			 const struct regulars *regulars, const struct hash_key *key, struct buffer *out);

/* Sets the checksum of bytes that were changed: for tests. */
void traffic_memory_seal(struct buffer *bytes);

#endif
