/*
 * Who comes first while the gate cannot begin with all that connect (nginx/door.h): of sources that were not here
 * before so many SYNs pass as it says that it can. They are dropped: whoever they belong to tries again, and has his
 * turn then.
 */
#ifndef GUIA_EDGE_STRANGER_H
#define GUIA_EDGE_STRANGER_H

#include "ban.h"
#include "budget.h"

INLINE int is_seen(const struct packet *p)
{
	uint64_t seeds[2];
	seeds_get(seeds);
	uint64_t hash =
		p->v6 ? edge_seen_hash(p->from_high, 0, seeds) : edge_seen_hash(0, (uint32_t)p->from_low, seeds);
	uint64_t mask = edge_some_mask(hash);
	uint32_t at = edge_some_word(hash, EDGE_SEEN_BITS);
#pragma unroll
	for (int i = 0; i < EDGE_GENERATIONS; i++, at += 1 << EDGE_SEEN_BITS) {
		uint64_t *word = bpf_map_lookup_elem(&seen, &at);
		if (word != 0 && (*word & mask) == mask)
			return 1;
	}
	return 0;
}

INLINE int stranger_passes(const struct packet *p, const struct round *round)
{
	const struct edge_control *known = round->known;
	const struct ban none = {0};
	uint32_t now = edge_ticks(round->now_ns);
	if (known->strangers.cost_ns == 0 || now >= known->strangers_until || is_seen(p))
		return 1;
	if (known->allows != 0 && is_allowed(p, &none, now))
		return 1;
	return budget_take(&known->strangers, &round->mine->strangers_ns, round->now_ns);
}

#endif
