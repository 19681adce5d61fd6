/* A generation is a blocked Bloom filter: a source's bits are all in one word. One process writes, the kernel reads. */
#include "edge/strangers.h"

#include "base/clock.h"

#include <math.h>

static uint64_t *generation_of(const struct edge *edge, unsigned generation)
{
	return (uint64_t *)edge->mapped[EDGE_MAP_seen] + ((size_t)generation << EDGE_SEEN_BITS);
}

bool edge_seen_add(struct edge *edge, unsigned generation, const struct address *source)
{
	const uint64_t *seeds = edge->table.control->geometry.seeds;
	uint64_t hash = address_is_v4(source) ? edge_seen_hash(0, (uint32_t)address_low(source), seeds)
					      : edge_seen_hash(address_high(source), 0, seeds);
	uint64_t mask = edge_some_mask(hash);
	uint64_t *word = generation_of(edge, generation) + edge_some_word(hash, EDGE_SEEN_BITS);
	if ((*word & mask) == mask)
		return false;
	__atomic_store_n(word, *word | mask, __ATOMIC_RELAXED);
	return true;
}

/* The more bits there are the more of a source's are set already: Swamidass and Baldi, 2007, equation 7. */
size_t edge_seen_count(const struct edge *edge, unsigned generation)
{
	const uint64_t *words = generation_of(edge, generation);
	const double all = 64 << EDGE_SEEN_BITS;
	size_t bits = 0;
	for (size_t i = 0; i < (size_t)1 << EDGE_SEEN_BITS; i++)
		bits += (size_t)__builtin_popcountll(words[i]);
	double left = fmax(all - (double)bits, 1);
	return (size_t)lround(-all / EDGE_SOME_BITS * log(left / all));
}

void edge_seen_clear(struct edge *edge, unsigned generation)
{
	memset(generation_of(edge, generation), 0, sizeof(uint64_t) << EDGE_SEEN_BITS);
}

/* The packets of one source come to one processor: each has its part, at least one a second. */
void edge_strangers_bound(struct edge *edge, double per_s, uint64_t until_ms)
{
	struct edge_control *control = edge->table.control;
	double each = per_s / control->processors;
	uint64_t cost_ns = per_s <= 0 ? 0 : (uint64_t)(1e9 / (each > 1 ? each : 1));
	__atomic_store_n(&control->strangers_until, edge_ticks(until_ms * CLOCK_NS_PER_MS), __ATOMIC_RELAXED);
	__atomic_store_n(&control->strangers.room_ns, EDGE_STRANGERS_ROOM_NS, __ATOMIC_RELAXED);
	__atomic_store_n(&control->strangers.cost_ns, cost_ns, __ATOMIC_RELAXED);
}

double edge_strangers_per_s(const struct edge *edge)
{
	const struct edge_control *control = edge->table.control;
	uint64_t cost_ns = __atomic_load_n(&control->strangers.cost_ns, __ATOMIC_RELAXED);
	bool over = edge_now_ticks() >= __atomic_load_n(&control->strangers_until, __ATOMIC_RELAXED);
	return over || cost_ns == 0 ? 0 : 1e9 / (double)cost_ns * control->processors;
}
