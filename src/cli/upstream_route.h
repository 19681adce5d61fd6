/* A route for operators from the options of `guia upstream`. */
#ifndef GUIA_CLI_UPSTREAM_ROUTE_H
#define GUIA_CLI_UPSTREAM_ROUTE_H

#include "cli/command.h"
#include "upstream/route.h"

#define UPSTREAM_ROUTE_OPTIONS                                                                                         \
	{"from", 0, "PREFIX", "whose packets are meant"}, {"protocol", 0, "LIST", "tcp, udp, icmp or numbers"},        \
		{"port", 0, "LIST", "destination ports: 53,1000-2000"}, {"from-port", 0, "LIST", "source ports"},      \
		{"length", 0, "LIST", "lengths of packets in bytes: 1000-1500"},                                       \
		{"fragments", 0, NULL, "fragments only"},                                                              \
		{"rate", 0, "BYTES", "bytes a second that still pass (default: none do)"},                             \
	{                                                                                                              \
		"blackhole", 0, NULL, "all packets to the destination, by its route (RFC 7999)"                        \
	}

/*
 * `destination` as the person wrote it. A blackhole's next hop is each operator's own: the route is made with the next
 * hop left empty. CLI_FINE, or an exit code after a message.
 */
int upstream_route_read(const struct cli_arguments *arguments, const char *destination, struct route *ret_route);

/* CLI_FINE where nothing is said of a route; else an exit code, after a message. */
int upstream_route_none(const struct cli_arguments *arguments);

#endif
