/*
 * What the edge knows of visitors, and how many strangers it lets through. Who came while all was well, and still is
 * two seconds later, was here before; a generation is full at a million, then the older one is emptied and takes its
 * place. How many strangers may come is learned as TCP learns what a path takes (AIMD), from when the gate first turns
 * any away: fewer by a third for each tenth of a second in which it kept some waiting, for then visitors wait too; else
 * more by a twentieth.
 */
#ifndef GUIA_MITIGATE_EDGE_STRANGERS_H
#define GUIA_MITIGATE_EDGE_STRANGERS_H

#include "base/growth.h"
#include "edge/strangers.h"

enum { STRANGERS_WAITING = 1 << 13, STRANGERS_LEASE_MS = 2000, STRANGERS_TICK_MS = 100 };

/* All zero is one that knows nobody. */
struct edge_strangers {
	struct strangers_waiting {
		struct address source;
		uint64_t at_ms;
	} waiting[STRANGERS_WAITING]; /* a ring */
	size_t first, count;
	unsigned generation;
	size_t seen;  /* in this one */
	double per_s; /* 0: all may come */
	struct growth turned_away, kept_waiting;
};

/* Of connections, so far. */
struct strangers_told {
	uint64_t turned_away;  /* the gate had no time for them */
	uint64_t kept_waiting; /* it did not begin with them at once */
};

/* A request came, when nothing was wrong. */
void edge_strangers_meet(struct edge_strangers *strangers, const struct address *source, uint64_t now_ms);

/* An edge was found, which may know people from another watch; and there is none any more. */
void edge_strangers_adopt(struct edge_strangers *strangers, const struct edge *edge);
void edge_strangers_forget(struct edge_strangers *strangers);

/* Ten times a second. `calm`: nothing is wrong. */
void edge_strangers_tick(struct edge_strangers *strangers, struct edge *edge, bool calm, struct strangers_told told,
			 uint64_t now_ms);

/* How many a second may come after one more tenth of a second, in which so many were told of; 0: all. */
double strangers_pace(double per_s, struct strangers_told more);

#endif
