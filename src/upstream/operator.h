/* A telecom operator whose routers we may ask, as the configuration says: docs/operators.md. */
#ifndef GUIA_UPSTREAM_OPERATOR_H
#define GUIA_UPSTREAM_OPERATOR_H

#include "base/address.h"

enum {
	OPERATOR_NAME_BYTES = 32,
	OPERATOR_RULES_MOST = 4096,
	OPERATOR_CHANGES_MOST = 60000, /* a minute */
	OPERATOR_LIFETIME_MOST_S = 24 * 3600,
};

/* Where visitors come in: a discard that hits it must name whose packets it means, or a person must agree. */
struct operator_service {
	uint8_t protocol;
	uint16_t port;
};

struct upstream_operator {
	char name[OPERATOR_NAME_BYTES];
	struct address peer;
	struct address local;
	struct address router_id; /* IPv4 */
	uint16_t port;
	uint32_t local_as;
	uint32_t peer_as;
	const char *password_file;     /* NULL: none */
	const struct prefix *prefixes; /* ours */
	size_t prefix_count;
	const struct prefix *spared; /* never filtered, neither to nor from */
	size_t spared_count;
	const struct operator_service *services;
	size_t service_count;
	bool takes_flows;
	bool takes_blackholes;
	bool has_next_hop[2]; /* of IPv4, IPv6 */
	struct address next_hop[2];
	uint8_t flow_bits[2];      /* a flow's destination is no wider; in the address's own form */
	uint8_t blackhole_bits[2]; /* nor a blackhole's prefix */
	uint32_t rules_most;
	uint32_t changes_most; /* announcements a minute */
	uint32_t lifetime_s;   /* a rule's longest */
	bool all_need_yes;     /* not only what blackholes */
};

#endif
