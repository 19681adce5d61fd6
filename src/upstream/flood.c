/*
 * Greedy: of what is left the commonest values make a rule, what it matches is taken out, until a tenth of all that
 * came is left. Bytes are counted, not packets.
 */
#include "upstream/flood.h"

#include <netinet/in.h>
#include <stdlib.h>

enum {
	COVERED_PERCENT = 90, /* by one value: then it is part of the rule */
	LENGTH_BAND = 64,     /* lengths so close together are one */
};

void flood_add(struct flood *flood, const struct packet_head *packet)
{
	flood->packets[flood->count++ % FLOOD_PACKETS] = *packet;
}

/* ---- what they have in common ---- */

/* Those that are looked at, and how many bytes they have. */
struct pile {
	const struct packet_head *packets[FLOOD_PACKETS];
	size_t count;
	uint64_t bytes;
};

static void pile_add(struct pile *pile, const struct packet_head *packet)
{
	pile->packets[pile->count++] = packet;
	pile->bytes += packet->length;
}

enum trait { TRAIT_PROTOCOL, TRAIT_SOURCE_PORT, TRAIT_DESTINATION_PORT, TRAIT_LENGTH };

static uint32_t trait_of(const struct packet_head *p, enum trait trait)
{
	return trait == TRAIT_PROTOCOL      ? p->protocol
	       : trait == TRAIT_SOURCE_PORT ? p->source_port
	       : trait == TRAIT_LENGTH      ? p->length / LENGTH_BAND
					    : p->destination_port;
}

/* The value with the most bytes. */
static uint32_t commonest(const struct pile *pile, enum trait trait, uint64_t *ret_bytes)
{
	uint64_t most = 0;
	uint32_t best = 0;
	for (size_t i = 0; i < pile->count; i++) {
		uint32_t value = trait_of(pile->packets[i], trait);
		uint64_t bytes = 0;
		for (size_t j = 0; j < pile->count; j++)
			bytes += trait_of(pile->packets[j], trait) == value ? pile->packets[j]->length : 0;
		if (bytes > most) {
			most = bytes;
			best = value;
		}
		/* No other can have more. */
		if (most * 2 > pile->bytes)
			break;
	}
	*ret_bytes = most;
	return best;
}

static bool covers(uint64_t bytes, const struct pile *pile)
{
	return bytes * 100 >= pile->bytes * COVERED_PERCENT;
}

static void add_equal(struct flow_rule *rule, unsigned component, uint32_t value)
{
	(void)flow_rule_add(rule, component, FLOW_EQUAL, value);
}

static void add_length(struct flow_rule *rule, const struct pile *pile)
{
	uint64_t bytes;
	uint32_t band = commonest(pile, TRAIT_LENGTH, &bytes);
	if (!covers(bytes, pile))
		return;
	(void)flow_rule_add(rule, FLOW_PACKET_LENGTH, FLOW_GREATER | FLOW_EQUAL, band * LENGTH_BAND);
	(void)flow_rule_add(rule, FLOW_PACKET_LENGTH, FLOW_AND | FLOW_LESS | FLOW_EQUAL,
			    band * LENGTH_BAND + LENGTH_BAND - 1);
}

/* The narrowest that covers it: a protocol, and a port or a length if all but a few share one. */
static void add_protocol(struct flow_rule *rule, const struct pile *pile)
{
	uint64_t source_bytes, destination_bytes, bytes;
	uint32_t protocol = commonest(pile, TRAIT_PROTOCOL, &bytes);
	uint32_t source = commonest(pile, TRAIT_SOURCE_PORT, &source_bytes);
	uint32_t destination = commonest(pile, TRAIT_DESTINATION_PORT, &destination_bytes);
	add_equal(rule, FLOW_PROTOCOL, protocol);
	if (protocol != IPPROTO_UDP)
		return;
	if (covers(destination_bytes, pile) && destination != 0)
		add_equal(rule, FLOW_DESTINATION_PORT, destination);
	else if (covers(source_bytes, pile) && source != 0)
		add_equal(rule, FLOW_SOURCE_PORT, source);
	else
		add_length(rule, pile);
}

static bool matches(const struct flow_rule *rule, const struct packet_head *p)
{
	if (flow_rule_has(rule, FLOW_FRAGMENT))
		return p->fragment;
	return flow_rule_takes(rule, FLOW_PROTOCOL, p->protocol) &&
	       flow_rule_takes(rule, FLOW_SOURCE_PORT, p->source_port) &&
	       flow_rule_takes(rule, FLOW_DESTINATION_PORT, p->destination_port) &&
	       flow_rule_takes(rule, FLOW_PACKET_LENGTH, p->length);
}

/* Takes out what the rule covers. */
static void pile_without(struct pile *pile, const struct flow_rule *rule)
{
	struct pile rest = {.count = 0};
	for (size_t i = 0; i < pile->count; i++)
		if (!matches(rule, pile->packets[i]))
			pile_add(&rest, pile->packets[i]);
	*pile = rest;
}

static struct flow_rule describe(const struct pile *pile, const struct address *address)
{
	struct flow_rule rule = {.v6 = !address_is_v4(address), .destination = {true, 0, {*address, ADDRESS_BITS}}};
	struct pile fragments = {.count = 0}, common = {.count = 0};
	uint64_t bytes;
	uint32_t protocol = commonest(pile, TRAIT_PROTOCOL, &bytes);
	for (size_t i = 0; i < pile->count; i++) {
		if (pile->packets[i]->fragment)
			pile_add(&fragments, pile->packets[i]);
		else if (pile->packets[i]->protocol == protocol)
			pile_add(&common, pile->packets[i]);
	}
	if (fragments.bytes > common.bytes)
		(void)flow_rule_add(&rule, FLOW_FRAGMENT, 0, FLOW_IS_FRAGMENT | FLOW_FIRST_FRAGMENT);
	else
		add_protocol(&rule, &common);
	return rule;
}

static void collect(const struct flood *flood, uint64_t now_ms, const struct address *address, struct pile *pile,
		    uint64_t *all_bytes, size_t *all_count)
{
	size_t have = flood->count < FLOOD_PACKETS ? flood->count : FLOOD_PACKETS;
	*pile = (struct pile){.count = 0};
	*all_bytes = 0;
	*all_count = 0;
	for (size_t i = 0; i < have; i++) {
		const struct packet_head *p = &flood->packets[i];
		if (now_ms - p->at_ms > FLOOD_KEPT_MS)
			continue;
		*all_bytes += p->length;
		++*all_count;
		if ((p->fragment || p->protocol != IPPROTO_TCP) && address_equal(&p->destination, address))
			pile_add(pile, p);
	}
}

size_t flood_find(const struct flood *flood, uint64_t now_ms, const struct address *addresses, size_t count,
		  struct route routes[FLOOD_ROUTES])
{
	size_t found = 0, all_count;
	uint64_t all_bytes;
	struct pile *pile = malloc(sizeof(*pile));
	for (size_t i = 0; pile != NULL && i < count; i++) {
		collect(flood, now_ms, &addresses[i], pile, &all_bytes, &all_count);
		if (all_count < FLOOD_LEAST || pile->bytes * 2 < all_bytes)
			continue;
		/* What is left of it when a tenth is, is no flood. */
		while (found < FLOOD_ROUTES && pile->bytes * 10 > all_bytes) {
			struct flow_rule rule = describe(pile, &addresses[i]);
			size_t before = pile->count;
			pile_without(pile, &rule);
			if (pile->count == before)
				break;
			routes[found++] = (struct route){.kind = ROUTE_FLOW, .flow = rule};
		}
	}
	free(pile);
	return found;
}
