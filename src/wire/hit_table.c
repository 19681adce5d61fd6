/* An id has HIT_NEIGHBOURS places, from its own number on; whoever looks for it looks at all of them. */
#include "wire/hit_table.h"

static struct hit *slot(const struct hit_table *table, uint32_t id, uint32_t neighbour)
{
	return (struct hit *)&table->slots[(id + neighbour) % HIT_SLOTS];
}

static uint32_t id_of(const struct hit *hit)
{
	return atomic_load_explicit(&hit->id, memory_order_acquire);
}

static uint64_t count_of(const struct hit *hit)
{
	return atomic_load_explicit(&hit->count, memory_order_relaxed);
}

/* A reader who sees the new id sees no count of the old one: the id goes first and comes last. */
static void take(struct hit_table *table, struct hit *hit, uint32_t id)
{
	uint64_t displaced = atomic_load_explicit(&table->displaced, memory_order_relaxed) + count_of(hit);
	atomic_store_explicit(&table->displaced, displaced, memory_order_relaxed);
	atomic_store_explicit(&hit->id, 0, memory_order_relaxed);
	atomic_store_explicit(&hit->count, 0, memory_order_release);
	atomic_store_explicit(&hit->id, id, memory_order_release);
}

void hit_table_add(struct hit_table *table, uint32_t id, uint64_t amount)
{
	struct hit *oldest = slot(table, id, 0);
	for (uint32_t i = 0; i < HIT_NEIGHBOURS; i++) {
		struct hit *hit = slot(table, id, i);
		if (id_of(hit) == id) {
			atomic_store_explicit(&hit->count, count_of(hit) + amount, memory_order_relaxed);
			return;
		}
		if (id_of(hit) < id_of(oldest))
			oldest = hit;
	}
	take(table, oldest, id);
	atomic_store_explicit(&oldest->count, amount, memory_order_relaxed);
}

uint64_t hit_table_get(const struct hit_table *table, uint32_t id)
{
	for (uint32_t i = 0; i < HIT_NEIGHBOURS; i++) {
		const struct hit *hit = slot(table, id, i);
		if (id_of(hit) == id)
			return count_of(hit);
	}
	return 0;
}
