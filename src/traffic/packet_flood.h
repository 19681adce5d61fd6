/*
 * Floods of packets, which never become requests: what the edge would not let pass, of each budget by itself, and a
 * link that is full. When one begins, whether it is held, and when it is over.
 *
 * What is above a budget adds up, less what is let be (CUSUM), so that tenths of a second of a flood tell, and a few
 * packets now and then never do. SYNs count as far as they are more than the connections that came of them: a crowd's
 * become connections, forged ones never. Who sent any of it is not known: nothing here names a source.
 *
 * Pure: time is an argument, in milliseconds of a clock that does not go back.
 */
#ifndef GUIA_TRAFFIC_PACKET_FLOOD_H
#define GUIA_TRAFFIC_PACKET_FLOOD_H

#include "traffic/packet_sample.h"

enum packet_flood_kind {
	PACKET_FLOOD_UDP,
	PACKET_FLOOD_FRAGMENTS,
	PACKET_FLOOD_SYN,
	PACKET_FLOOD_MALFORMED,
	PACKET_FLOOD_LINK,
	PACKET_FLOODS,
};

const char *packet_flood_name(enum packet_flood_kind kind);
/* "UDP above the edge's budget" */
const char *packet_flood_text(enum packet_flood_kind kind);
/* PACKET_FLOODS for what is none. */
enum packet_flood_kind packet_flood_find(const char *name);

enum {
	PACKET_FLOOD_LET_BE = 50,  /* a second above a budget, for ever */
	PACKET_FLOOD_ALARM = 400,  /* more than that, added up */
	PACKET_FLOOD_SYN_MS = 500, /* that SYNs have to become connections */
	PACKET_FLOOD_HOLD_MS = 60 * 1000,
	PACKET_FLOOD_HOLD_MOST_MS = 15 * 60 * 1000,
	PACKET_FLOOD_RETURN_MS = 10 * 60 * 1000, /* within so long it is the same attacker, and is held on to longer */
};

/* What was counted up to now. */
struct packet_figures {
	uint64_t packets;     /* above the budget; of a link all that came */
	uint64_t connections; /* that came of them, at the most; 0 of what makes none */
	uint32_t asked;       /* of a link: rules that operators' routers have for it */
	uint8_t known;        /* 0: nobody counts */
	uint8_t full;         /* of a link */
	uint8_t held;         /* what is above the budget goes no further */
};

/* All zero is one that has seen nothing. Times are 0 where there is none yet. */
struct packet_flood {
	uint32_t id; /* of its latest, given by whoever is told that it begins */
	bool on;
	bool held;
	bool described; /* its traits were told */
	uint64_t onset_ms, detected_ms, held_ms, over_ms;
	uint64_t hold_ms;
	uint64_t low_since_ms;
	uint64_t packets;  /* since the onset, as far as it was noticed */
	double rate, peak; /* a second */
	struct packet_traits traits;

	uint64_t at_ms; /* of the last figures; 0: none to go on from */
	uint64_t last_packets, last_connections;
	double sum; /* CUSUM */
	uint64_t sum_since_ms;
	double left_over; /* a second: what came to no connection */
};

enum packet_change {
	PACKET_SAME,
	PACKET_BEGINS,
	PACKET_HELD, /* what is above the budget goes no further, from now on */
	PACKET_ESCAPES,
	PACKET_OVER,
};

/* Figures of now. What changed by them. */
enum packet_change packet_flood_feed(struct packet_flood *flood, enum packet_flood_kind kind,
				     const struct packet_figures *figures, uint64_t now_ms);

#endif
