/*
 * What a flood of packets looks like, from a sample of their heads, in terms that an operator's router can match: which
 * of ours it goes to, protocol, ports, lengths, fragments. Never sources: they can be forged. Pure.
 *
 * TCP is not looked at: what visitors send cannot be told from it here, and the gate can.
 */
#ifndef GUIA_UPSTREAM_FLOOD_H
#define GUIA_UPSTREAM_FLOOD_H

#include "traffic/packet_head.h"
#include "upstream/route.h"

enum {
	FLOOD_PACKETS = 1024, /* the latest that are kept */
	FLOOD_KEPT_MS = 3000,
	FLOOD_LEAST = 64, /* packets, to tell anything from */
	FLOOD_ROUTES = 4,
};

struct flood {
	struct packet_head packets[FLOOD_PACKETS]; /* a ring */
	size_t count;
};

void flood_add(struct flood *flood, const struct packet_head *packet);

/*
 * Routes that discard it, the one that covers most first; only to `addresses`. None where less than half of what came
 * is such a flood. Returns how many.
 */
size_t flood_find(const struct flood *flood, uint64_t now_ms, const struct address *addresses, size_t count,
		  struct route routes[FLOOD_ROUTES]);

#endif
