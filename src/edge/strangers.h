/*
 * Who was here before, and how many SYNs of others may pass: what the edge asks while the gate cannot begin with all
 * that connect (edge/stranger.h). Whoever holds the edge calls these.
 */
#ifndef GUIA_EDGE_STRANGERS_H
#define GUIA_EDGE_STRANGERS_H

#include "edge/edge.h"

enum { EDGE_SEEN_MOST = 8 << EDGE_SEEN_BITS }; /* of a generation: then a stranger in 30 is taken for one of them */

/* In a generation, 0 or 1: an IPv4 address, or the /64 of an IPv6 one. Whether it is new there. */
bool edge_seen_add(struct edge *edge, unsigned generation, const struct address *source);
/* How many sources there are in it, nearly. */
size_t edge_seen_count(const struct edge *edge, unsigned generation);
void edge_seen_clear(struct edge *edge, unsigned generation);

/* So many a second, of all processors together, until a time in milliseconds of CLOCK_BOOTTIME; 0: any number. */
void edge_strangers_bound(struct edge *edge, double per_s, uint64_t until_ms);
/* How many may come now; 0: any number. */
double edge_strangers_per_s(const struct edge *edge);

#endif
