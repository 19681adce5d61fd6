/*
 * The edge counts by reason, and a kind of flood is the sum of its reasons. The share of the link is not looked at
 * here: whether it is full is handed in.
 */
#include "watch/packets.h"

#include "watch/listeners.h"

enum { TRAITS_MS = 500 };

/* Of which flood a packet is a part; PACKET_FLOODS: of none but that of a link. */
static enum packet_flood_kind kind_of(unsigned reason)
{
	switch (reason) {
	case EDGE_UDP_OVER:
		return PACKET_FLOOD_UDP;
	case EDGE_FRAGMENT_OVER:
		return PACKET_FLOOD_FRAGMENTS;
	case EDGE_SYN_LEFT:
	case EDGE_SYN_ANSWERED:
		return PACKET_FLOOD_SYN;
	case EDGE_MALFORMED:
		return PACKET_FLOOD_MALFORMED;
	default:
		return PACKET_FLOODS;
	}
}

void packets_sampled(struct packets *packets, const struct edge_sample *sample)
{
	struct packet_head head;
	size_t len = sample->head_bytes < EDGE_SAMPLE_BYTES ? sample->head_bytes : EDGE_SAMPLE_BYTES;
	if (!packet_head_read(slice_make(sample->head, len), &head))
		return;
	head.at_ms = sample->time_ns / 1000000;
	packet_sample_add(&packets->sample, &head, (uint8_t)kind_of(sample->reason));
}

static void look_at_edge(struct packets *packets, const struct edge *edge, const struct connection_sums *connections)
{
	struct packet_figures *figures = packets->told.figures;
	struct edge_counts counts;
	bool known = edge != NULL && edge_count(edge, &counts) == 0;
	for (enum packet_flood_kind kind = 0; kind < PACKET_FLOOD_LINK; kind++)
		figures[kind] = (struct packet_figures){.known = known, .held = 1};
	for (unsigned reason = 0; known && reason < EDGE_REASONS; reason++)
		if (kind_of(reason) != PACKET_FLOODS)
			figures[kind_of(reason)].packets += counts.packets[reason];
	if (known)
		packets->told.overflowed += growth_since(&packets->strangers, counts.packets[EDGE_STRANGER_OVER]);
	else
		packets->strangers.read = false;
	figures[PACKET_FLOOD_SYN].connections = connections->accepted;
	figures[PACKET_FLOOD_SYN].held = known && edge->table.control->answers != 0;
}

/* Where connections find no room: in the kernel, and at the gate. */
static void look_at_gate(struct packets *packets, const struct connection_sums *connections)
{
	packets->told.overflowed += growth_since(&packets->overflowed, listeners_overflowed()) +
				    growth_since(&packets->turned_away, connections->shed[SHED_TURNED_AWAY]);
}

static void look_at_samples(struct packets *packets, uint64_t now_ms)
{
	if (now_ms - packets->traits_ms < TRAITS_MS)
		return;
	packets->traits_ms = now_ms;
	for (enum packet_flood_kind kind = 0; kind < PACKET_FLOODS; kind++)
		packet_sample_traits(&packets->sample, kind == PACKET_FLOOD_LINK ? PACKET_SAMPLE_ANY : (uint8_t)kind,
				     now_ms, &packets->told.traits[kind]);
}

const struct defence_packets *packets_look(struct packets *packets, const struct edge *edge,
					   const struct upstream_link *link, const struct connection_sums *connections,
					   uint64_t now_ms)
{
	look_at_edge(packets, edge, connections);
	look_at_gate(packets, connections);
	look_at_samples(packets, now_ms);
	packets->told.figures[PACKET_FLOOD_LINK] = (struct packet_figures){
		.packets = link->packets, .asked = link->asked, .known = link->known, .full = link->full};
	return &packets->told;
}
