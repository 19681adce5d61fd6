/*
 * What packets do, as the edge counts and samples them and the link's interface counts them, put together for who
 * decides what it means (incident/defence.h). Without an edge only the link is known.
 */
#ifndef GUIA_WATCH_PACKETS_H
#define GUIA_WATCH_PACKETS_H

#include "base/growth.h"
#include "edge/edge.h"
#include "incident/defence.h"
#include "watch/sites.h"
#include "watch/upstream.h"

/* All zero is one that has seen nothing. */
struct packets {
	struct packet_sample sample;
	struct defence_packets told;
	uint64_t traits_ms;                               /* when traits were last looked at */
	struct growth overflowed, turned_away, strangers; /* without room: in the kernel, at the gate, at the edge */
};

/* A packet that the edge sampled. */
void packets_sampled(struct packets *packets, const struct edge_sample *sample);

/* Ten times a second. `edge` is NULL where there is none. */
const struct defence_packets *packets_look(struct packets *packets, const struct edge *edge,
					   const struct upstream_link *link, const struct connection_sums *connections,
					   uint64_t now_ms);

#endif
