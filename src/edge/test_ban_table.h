/* Tables of bans in the memory of a test, with seeds that are known. */
#ifndef GUIA_EDGE_TEST_BAN_TABLE_H
#define GUIA_EDGE_TEST_BAN_TABLE_H

#include "edge/ban_table.h"

#include "base/test.h"

#include <sys/mman.h>

/* Small on purpose: buckets run over. */
enum { BANS = 4096, NEVER = 0 };

/* Memory that a child's writing is seen in. */
static inline void *shared(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(at != MAP_FAILED);
	return at;
}

/* `nets`: the shape of v6_net; NULL: as it is made. */
static inline struct ban_table table_make(const struct edge_shape *nets)
{
	struct edge_geometry g = edge_geometry_make(BANS);
	g.v6_net = nets != NULL ? *nets : g.v6_net;
	g.seeds[0] = 0x9d39247e33776d41;
	g.seeds[1] = 0x2af7398005aaa5c7;
	struct ban_table table = {
		.control = shared(sizeof(struct edge_control)),
		.v4_32 = shared(edge_shape_entries(&g.v4_32) * sizeof(struct edge_bucket)),
		.v4_24 = shared(edge_shape_entries(&g.v4_24) * sizeof(struct edge_bucket)),
		.v4_16 = shared((1 << 16) * sizeof(uint64_t)),
		.v4_some = shared(sizeof(uint64_t) << g.v4_some_bits),
		.v6_128 = shared(edge_shape_entries(&g.v6_128) * sizeof(struct edge_128_bucket)),
		.v6_net = shared(edge_net_entries(&g.v6_net) * sizeof(struct edge_net_bucket)),
		.v6_some = shared(sizeof(uint64_t) << g.v6_some_bits),
	};
	table.control->geometry = g;
	return table;
}

static inline void table_free(struct ban_table *table)
{
	const struct edge_geometry g = table->control->geometry;
	munmap(table->control, sizeof(struct edge_control));
	munmap(table->v4_32, edge_shape_entries(&g.v4_32) * sizeof(struct edge_bucket));
	munmap(table->v4_24, edge_shape_entries(&g.v4_24) * sizeof(struct edge_bucket));
	munmap(table->v4_16, (1 << 16) * sizeof(uint64_t));
	munmap(table->v4_some, sizeof(uint64_t) << g.v4_some_bits);
	munmap(table->v6_128, edge_shape_entries(&g.v6_128) * sizeof(struct edge_128_bucket));
	munmap(table->v6_net, edge_net_entries(&g.v6_net) * sizeof(struct edge_net_bucket));
	munmap(table->v6_some, sizeof(uint64_t) << g.v6_some_bits);
}

static inline uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Whether the filter has it, as the kernel asks it. */
static inline bool is_some(const struct ban_table *table, enum edge_length length, const struct address *address)
{
	const struct edge_geometry *g = &table->control->geometry;
	uint64_t high = address_high(address), low = address_low(address), hash;
	if (length <= EDGE_V4_16)
		hash = edge_some_v4((uint32_t)low, length, g->seeds);
	else
		hash = length == EDGE_V6_128 ? edge_hash(high, low, g->seeds)
					     : edge_net_hash(high, length == EDGE_V6_48, g->seeds);
	uint64_t word = length <= EDGE_V4_16 ? table->v4_some[edge_some_word(hash, g->v4_some_bits)]
					     : table->v6_some[edge_some_word(hash, g->v6_some_bits)];
	return (word & edge_some_mask(hash)) == edge_some_mask(hash);
}

/* Counts are right, what is listed is found, and no bit of a ban is missing. */
static inline void check_sums(const struct ban_table *table)
{
	uint32_t counts[EDGE_LENGTHS] = {0};
	struct ban_place ban;
	for (size_t at = 0; ban_table_next(table, &at, &ban); at++) {
		counts[ban.length]++;
		assert_true(is_some(table, ban.length, &ban.address));
		assert_true(ban_table_find(table, ban.length, &ban.address) == ban.word);
	}
	assert_memory_equal(counts, table->control->bans, sizeof(counts));
}

#endif
