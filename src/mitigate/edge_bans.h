/*
 * What the register says, carried to the edge where one is attached (edge/bans.h): all of it when the edge is found,
 * then each change at once. Whoever attaches an edge, or detaches it, says nothing to us: it is looked for each second.
 *
 * Trusted proxies are allowed there above all ranks: what a header names is refused at the gate alone.
 */
#ifndef GUIA_MITIGATE_EDGE_BANS_H
#define GUIA_MITIGATE_EDGE_BANS_H

#include "edge/edge.h"
#include "mitigate/ban_register.h"
#include "mitigate/edge_strangers.h"

enum { EDGE_BANS_FAULT_BYTES = 256 };

struct edge_bans {
	const char *directory; /* of its pins; NULL: none is looked for */
	const struct prefix *proxies;
	size_t proxy_count;
	struct ban_register *bans; /* NULL: it is not looked for either */
	struct edge edge;
	bool held;
	int told;                          /* why it is not, as last said; -ENOENT: there is none */
	char fault[EDGE_BANS_FAULT_BYTES]; /* the same in words, where there is one that is not held; else empty */
	uint64_t who;                      /* our number as its holder */
	size_t swept;                      /* places looked through for what has ended */
	uint64_t swept_ms;
	bool behind; /* a ban in pieces has changed: what lies in it is said again */
	uint64_t relaid_ms;
	size_t refused;      /* prefixes that the gate alone has, when it was found */
	uint64_t counted_ms; /* when the counts below were taken */
	struct edge_counts counts, before;
	uint64_t before_ms;
	struct edge_strangers strangers;
};

void edge_bans_begin(struct edge_bans *edge, const char *directory, const struct prefix *proxies, size_t proxy_count,
		     struct ban_register *bans);
void edge_bans_end(struct edge_bans *edge);

/* Once a second. NULL, or what there is to be said, a line good until the next call. */
const char *edge_bans_look(struct edge_bans *edge, struct ban_times now);
/* Each time round the loop: bans that have ended give up their places. */
void edge_bans_tick(struct edge_bans *edge, struct ban_times now);

/* A request of this source came while nothing was wrong. */
void edge_bans_meet(struct edge_bans *edge, const struct address *source, struct ban_times now);
/* Ten times a second: as edge_strangers_tick(). */
void edge_bans_strangers(struct edge_bans *edge, bool calm, struct strangers_told told, struct ban_times now);

/* NULL, or why an edge that is there is not held: then it hears of no ban and no unban. */
const char *edge_bans_fault(const struct edge_bans *edge);

/* The edge that is held; NULL: none. It is never another one without being NULL at a look between. */
const struct edge *edge_bans_edge(const struct edge_bans *edge);

/* What the edge dropped by a mitigation; 0 without one. */
uint64_t edge_bans_hits(const struct edge_bans *edge, uint32_t id);

/*
 * NULL where there is no edge; "in force", or why the gate alone has what is said of the prefix. Of BAN_LIFTED: NULL,
 * or that the edge was not told.
 */
const char *edge_bans_standing(const struct edge_bans *edge, const struct prefix *prefix, enum ban_kind kind);

/* Packets a second by reason since the look before the last; all 0 without one. */
void edge_bans_rates(const struct edge_bans *edge, double rates[EDGE_REASONS]);

#endif
