/*
 * How often each mitigation was carried out, by its id: one worker's part, which sums up over the lives of workers. One
 * writer; readers may look at any time. A table holds the latest few thousand ids: where there is no room for one, the
 * oldest of its neighbours (ids count up) makes way, and what it had is added to `displaced`.
 */
#ifndef GUIA_WIRE_HIT_TABLE_H
#define GUIA_WIRE_HIT_TABLE_H

#include <stdatomic.h>
#include <stdint.h>

enum { HIT_SLOTS = 2048, HIT_NEIGHBOURS = 8 };

struct hit {
	_Atomic uint32_t id; /* 0: free */
	_Atomic uint32_t reserved;
	_Atomic uint64_t count;
};

struct hit_table {
	_Atomic uint64_t displaced;
	struct hit slots[HIT_SLOTS];
};

/* `id` is not 0. */
void hit_table_add(struct hit_table *table, uint32_t id, uint64_t amount);

/* What this worker's part has of an id. */
uint64_t hit_table_get(const struct hit_table *table, uint32_t id);

#endif
