/* An operator for tests: 192.0.2.0/24 and 2001:db8::/32 are ours, .53 and ::53 are protected. */
#ifndef GUIA_UPSTREAM_TEST_OPERATOR_H
#define GUIA_UPSTREAM_TEST_OPERATOR_H

#include "base/test.h"
#include "upstream/operator.h"

static inline struct prefix test_prefix(const char *text)
{
	struct prefix prefix;
	if (!prefix_parse(slice_from_string(text), &prefix))
		fail_msg("no prefix: %s", text);
	return prefix;
}

static inline struct upstream_operator test_operator(void)
{
	static const struct operator_service services[] = {{6, 80}, {6, 443}};
	static struct prefix ours[2], spared[2];
	ours[0] = test_prefix("192.0.2.0/24");
	ours[1] = test_prefix("2001:db8::/32");
	spared[0] = test_prefix("192.0.2.53");
	spared[1] = test_prefix("2001:db8::53");
	return (struct upstream_operator){
		.name = "one",
		.peer = test_prefix("203.0.113.1").address,
		.local = test_prefix("192.0.2.1").address,
		.router_id = test_prefix("192.0.2.1").address,
		.local_as = 65020,
		.peer_as = 65010,
		.prefixes = ours,
		.prefix_count = 2,
		.spared = spared,
		.spared_count = 2,
		.services = services,
		.service_count = 2,
		.takes_flows = true,
		.takes_blackholes = true,
		.has_next_hop = {true, true},
		.next_hop = {test_prefix("192.0.2.1").address, test_prefix("2001:db8::1").address},
		.flow_bits = {24, 48},
		.blackhole_bits = {32, 128},
		.rules_most = 4,
		.changes_most = 6,
		.lifetime_s = 3600};
}

#endif
