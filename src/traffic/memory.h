/*
 * What the watch has learned, as bytes that outlast it: sites' baselines and regulars. A site is named by a keyed hash,
 * and so are sources: without the key, which lies elsewhere, the bytes name nobody.
 */
#ifndef GUIA_TRAFFIC_MEMORY_H
#define GUIA_TRAFFIC_MEMORY_H

#include "base/buffer.h"
#include "base/hash.h"
#include "traffic/baseline.h"
#include "traffic/regulars.h"

struct traffic_memory_site {
	uint64_t site; /* hash_bytes() of its name under the key */
	struct baseline *baseline;
};

/* Appends. 0 or -ENOMEM. */
int traffic_memory_write(const struct traffic_memory_site *sites, size_t count, const struct regulars *regulars,
			 const struct hash_key *key, struct buffer *out);

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

/*
 * Fills in the baselines of the sites that are in it, and the regulars if their table has that size; other sites are
 * left as they are. Nothing is changed unless the answer is TRAFFIC_MEMORY_GOOD.
 */
enum traffic_memory_fault traffic_memory_read(struct slice bytes, const struct hash_key *key, uint64_t wall_s,
					      const struct traffic_memory_site *sites, size_t count,
					      struct regulars *regulars);

#endif
