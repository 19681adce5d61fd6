/* The memory that the edge's tables of bans lie in (wire/edge_layout.h), and a ban as it stands there:
 * for ban_table.c and its parts. */
#ifndef GUIA_EDGE_BAN_MEMORY_H
#define GUIA_EDGE_BAN_MEMORY_H

#include "base/address.h"
#include "wire/edge_layout.h"

enum {
	BAN_TABLE_FULL = 1,   /* bucket and spill are */
	BAN_TABLE_ABSENT = 2, /* there is no such ban */
};

struct ban_table {
	struct edge_control *control;
	struct edge_bucket *v4_32;
	struct edge_bucket *v4_24;
	uint64_t *v4_16;
	uint64_t *v4_some;
	struct edge_128_bucket *v6_128;
	struct edge_net_bucket *v6_net;
	uint64_t *v6_some;
	uint32_t stale[2]; /* of IPv4 and IPv6: bans that have gone since bits of those were cleared */
};

/* Its word's rest has no meaning here. */
struct ban_place {
	enum edge_length length;
	struct address address; /* zeroes behind its length */
	uint64_t word;
};

/* How many elements a map of this shape has, whose spills are of so many buckets. */
static inline uint32_t edge_spilled_entries(const struct edge_shape *shape, uint32_t spill_buckets)
{
	return (1u << shape->bucket_bits) + (spill_buckets << shape->spill_bits);
}

/* The same of all but v6_net. */
static inline uint32_t edge_shape_entries(const struct edge_shape *shape)
{
	return edge_spilled_entries(shape, EDGE_SPILL_BUCKETS);
}

static inline uint32_t edge_net_entries(const struct edge_shape *shape)
{
	return edge_spilled_entries(shape, EDGE_NET_SPILL_BUCKETS);
}

#endif
