/*
 * What is asked of an operator's router: to filter what a FlowSpec rule matches, or to blackhole one of our prefixes
 * (RFC 7999); and the line of ExaBGP's API that announces it, or withdraws it again.
 *
 *   neighbor 192.0.2.254 announce flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { discard; }
 * } neighbor 192.0.2.254 withdraw route 192.0.2.10/32 next-hop 192.0.2.1 community [ 65535:666 ]
 *
 * What is read is what is written, to the byte, and nothing else of ExaBGP's language: a line that says the same in
 * other words is not one of ours.
 */
#ifndef GUIA_UPSTREAM_ROUTE_H
#define GUIA_UPSTREAM_ROUTE_H

#include "base/buffer.h"
#include "upstream/flow_nlri.h"

enum route_kind { ROUTE_FLOW, ROUTE_BLACKHOLE };

enum {
	ROUTE_LINE_BYTES = 2048,                   /* no line is longer */
	ROUTE_KEY_BYTES = 1 + FLOW_NLRI_BYTES + 1, /* kind and family, NLRI */
};

#define ROUTE_RATE_MOST UINT64_C(1000000000000)

struct route {
	enum route_kind kind;
	struct flow_rule flow; /* of ROUTE_FLOW */
	uint64_t rate_bytes;   /* a second that still pass; 0: all is discarded */
	struct prefix prefix;  /* of ROUTE_BLACKHOLE */
	struct address next_hop;
};

struct route_line {
	bool withdraw;
	struct address neighbor;
	struct route route;
};

/* Appends the line with its newline. 0; -EINVAL: ExaBGP's language has no words for it; -ENOMEM. */
int route_line_write(const struct route_line *line, struct buffer *out);

/* A whole line without its newline. False if it is not exactly what route_line_write() makes. */
bool route_line_read(struct slice text, struct route_line *ret_line);

/* A route alone: "flow route {...}", "route ...". */
int route_write(const struct route *route, struct buffer *out);
bool route_read(struct slice text, struct route *ret_route);

/* What tells it from others at a router: two routes with one key replace each other. 0: too long to be announced. */
size_t route_key(const struct route *route, uint8_t key[ROUTE_KEY_BYTES]);

/* In a person's words: "discard udp from 198.51.100.0/24 to 192.0.2.10 port 53". */
void route_tell(const struct route *route, struct buffer *out);

/* What is hit: a flow's destination, a blackhole's prefix. False if there is none. */
bool route_destination(const struct route *route, struct prefix *ret_prefix);

#endif
