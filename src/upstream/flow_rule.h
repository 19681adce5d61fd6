/*
 * What a FlowSpec rule matches (RFC 8955 section 4.2, RFC 8956 section 3), as data: two prefixes, and terms such as
 * "destination port >= 1000", grouped by component in ascending order. A term with the AND bit belongs to the one
 * before it; the groups that makes are alternatives. Components must all hold.
 */
#ifndef GUIA_UPSTREAM_FLOW_RULE_H
#define GUIA_UPSTREAM_FLOW_RULE_H

#include "base/address.h"

enum flow_component {
	FLOW_DESTINATION = 1,
	FLOW_SOURCE,
	FLOW_PROTOCOL, /* of IPv6: the upper layer's */
	FLOW_PORT,     /* either */
	FLOW_DESTINATION_PORT,
	FLOW_SOURCE_PORT,
	FLOW_ICMP_TYPE,
	FLOW_ICMP_CODE,
	FLOW_TCP_FLAGS,
	FLOW_PACKET_LENGTH,
	FLOW_DSCP,
	FLOW_FRAGMENT,
	FLOW_LABEL, /* of IPv6 only */
	FLOW_COMPONENTS
};

/* Of numbers any of the first three, of bits any of the last two; beside FLOW_AND. */
enum flow_test {
	FLOW_EQUAL = 1,
	FLOW_GREATER = 2,
	FLOW_LESS = 4,
	FLOW_ALL_BITS = 1, /* all of the value's are set; else: any is */
	FLOW_NOT = 2,
	FLOW_AND = 0x40,
};

enum flow_fragment { FLOW_DONT_FRAGMENT = 1, FLOW_IS_FRAGMENT = 2, FLOW_FIRST_FRAGMENT = 4, FLOW_LAST_FRAGMENT = 8 };

enum {
	FLOW_TERMS_MOST = 48,
	FLOW_NLRI_BYTES = 239, /* routers are sure to take one whose length fits in a byte */
};

struct flow_term {
	uint8_t component;
	uint8_t test;
	uint32_t value;
};

struct flow_prefix {
	bool given;
	uint8_t offset; /* bits at the top that do not count; IPv6 only */
	struct prefix prefix;
};

struct flow_rule {
	bool v6;
	struct flow_prefix destination;
	struct flow_prefix source;
	uint8_t term_count;
	struct flow_term terms[FLOW_TERMS_MOST];
};

/* Whether a component's values are sets of bits. */
static inline bool flow_is_bits(unsigned component)
{
	return component == FLOW_TCP_FLAGS || component == FLOW_FRAGMENT;
}

/* The largest value that a component may be compared with. */
uint32_t flow_value_most(unsigned component);

/* Adds a term behind those there are. False: no room, out of order, or no such thing. */
bool flow_rule_add(struct flow_rule *rule, unsigned component, unsigned test, uint32_t value);

/* Whether a prefix may stand in a rule of this family: its own, with an offset before its length. */
bool flow_prefix_fits(const struct flow_prefix *prefix, bool v6);

/* Whether a value satisfies what the rule says of a component; true where it says nothing. */
bool flow_rule_takes(const struct flow_rule *rule, unsigned component, uint32_t value);

/* Whether any value from `least` to `most` does. */
bool flow_rule_takes_any(const struct flow_rule *rule, unsigned component, uint32_t least, uint32_t most);

bool flow_rule_has(const struct flow_rule *rule, unsigned component);

#endif
