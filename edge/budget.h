/*
 * Budgets of what can be forged: UDP, fragments, SYNs. A destination (address, port, protocol) has one of its own, so
 * that a flood of one leaves the others theirs; above them stands one for all, against floods of all ports at once.
 */
#ifndef GUIA_EDGE_BUDGET_H
#define GUIA_EDGE_BUDGET_H

#include "account.h"

/*
 * A listener takes cookies only when it has lately sent one (the kernel forgets after two minutes), so each
 * destination's first SYN in this time goes to the kernel whatever else comes.
 */
#define SYN_FRESH_NS 20000000000u

/* So long a flood of SYNs must be over before any are again left to the kernel within their budget. */
#define SYN_CALM_NS 1000000000u

/* GCRA: whether one more may pass, and if so it is counted. */
INLINE int budget_take(const struct edge_budget *budget, uint64_t *spent_ns, uint64_t now_ns)
{
	uint64_t from_ns = *spent_ns > now_ns ? *spent_ns : now_ns;
	if (budget->cost_ns == 0)
		return 1;
	if (from_ns - now_ns > budget->room_ns)
		return 0;
	*spent_ns = from_ns + budget->cost_ns;
	return 1;
}

INLINE struct edge_slot *slot_of(const struct packet *p)
{
	const struct ipv6_header *v6 = p->ip;
	const struct ipv4_header *v4 = p->ip;
	uint64_t seeds[2];
	seeds_get(seeds);
	uint64_t where = p->v6 ? edge_hash(v6->to[0] ^ p->kind, v6->to[1], seeds) : edge_hash(p->kind, v4->to, seeds);
	/* The ports of one address have a slot each, as far as there are so many. */
	uint32_t at = ((uint32_t)where ^ p->to_port) & (EDGE_SLOTS - 1);
	at += bpf_get_smp_processor_id() * EDGE_SLOTS;
	return bpf_map_lookup_elem(&slots, &at);
}

INLINE int udp_passes(const struct packet *p, const struct round *round)
{
	const struct edge_budget *budgets = round->known->budgets;
	struct edge_slot *slot = slot_of(p);
	return slot != 0 && budget_take(&budgets[EDGE_BUDGET_UDP_PORT], &slot->spent_ns, round->now_ns) &&
	       budget_take(&budgets[EDGE_BUDGET_UDP], &round->mine->spent_ns[EDGE_BUDGET_UDP], round->now_ns);
}

INLINE int fragment_passes(const struct round *round)
{
	return budget_take(&round->known->budgets[EDGE_BUDGET_FRAGMENTS], &round->mine->spent_ns[EDGE_BUDGET_FRAGMENTS],
			   round->now_ns);
}

/* As budget_take(), but what may not pass counts too: in a flood nothing does, until it has been calm for a while. */
INLINE int budget_meter(const struct edge_budget *budget, uint64_t *spent_ns, uint64_t now_ns)
{
	uint64_t from_ns = *spent_ns > now_ns ? *spent_ns : now_ns;
	uint64_t most_ns = now_ns + budget->room_ns + SYN_CALM_NS;
	if (budget->cost_ns == 0)
		return 1;
	*spent_ns = from_ns + budget->cost_ns < most_ns ? from_ns + budget->cost_ns : most_ns;
	return from_ns - now_ns <= budget->room_ns;
}

INLINE int syn_passes(const struct packet *p, const struct round *round)
{
	const struct edge_budget *budgets = round->known->budgets;
	struct edge_slot *slot = slot_of(p);
	uint64_t now_ns = round->now_ns;
	if (slot == 0)
		return 1;
	int within = budget_meter(&budgets[EDGE_BUDGET_SYN_PORT], &slot->spent_ns, now_ns) &&
		     budget_meter(&budgets[EDGE_BUDGET_SYN], &round->mine->spent_ns[EDGE_BUDGET_SYN], now_ns);
	if (!within && slot->passed_ns != 0 && now_ns - slot->passed_ns < SYN_FRESH_NS)
		return 0;
	slot->passed_ns = now_ns;
	return 1;
}

#endif
