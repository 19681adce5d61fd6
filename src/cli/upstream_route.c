/*
 * A list becomes the terms of one component of a FlowSpec rule: a number is one comparison, a range two of them joined
 * by AND. What an option may not hold is told with an example.
 */
#include "cli/upstream_route.h"

#include <inttypes.h>
#include <stdlib.h>

static bool number(struct slice text, uint32_t most, uint32_t *ret_number)
{
	uint64_t value;
	if (!slice_number(text, most, &value))
		return false;
	*ret_number = (uint32_t)value;
	return true;
}

static bool protocol(struct slice text, bool v6, uint32_t *ret_number)
{
	static const struct {
		const char *name;
		uint32_t numbers[2]; /* of IPv4, IPv6 */
	} names[] = {{"tcp", {6, 6}}, {"udp", {17, 17}}, {"icmp", {1, 58}}, {"gre", {47, 47}}, {"esp", {50, 50}}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_equal_nocase(text, slice_from_string(names[i].name))) {
			*ret_number = names[i].numbers[v6];
			return true;
		}
	return number(text, 255, ret_number);
}

/* "A" or "A-B". */
static bool add_item(struct flow_rule *rule, unsigned component, struct slice item)
{
	struct slice first;
	struct slice last = slice_cut(item, '-', &first);
	uint32_t from, to, most = flow_value_most(component);
	if (component == FLOW_PROTOCOL)
		return protocol(item, rule->v6, &from) && flow_rule_add(rule, component, FLOW_EQUAL, from);
	if (first.len == item.len)
		return number(item, most, &from) && flow_rule_add(rule, component, FLOW_EQUAL, from);
	return number(first, most, &from) && number(last, most, &to) && from < to &&
	       flow_rule_add(rule, component, FLOW_GREATER | FLOW_EQUAL, from) &&
	       flow_rule_add(rule, component, FLOW_AND | FLOW_LESS | FLOW_EQUAL, to);
}

static int add_list(const struct cli_arguments *arguments, const char *option, unsigned component,
		    struct flow_rule *rule)
{
	const char *text = cli_value(arguments, option);
	struct slice rest = slice_from_string(text), item;
	while (text != NULL && (rest.len > 0 || *text == '\0')) {
		bool more = slice_find_byte(rest, ',', 0) < rest.len;
		rest = slice_cut(rest, ',', &item);
		if ((more && rest.len == 0) || !add_item(rule, component, item))
			return cli_fail(CLI_USER, "--%s %s: should be %s", option, text,
					component == FLOW_PROTOCOL ? "tcp, udp, icmp, a number, or several with commas"
					: component == FLOW_PACKET_LENGTH
						? "bytes of whole packets, numbers and ranges, such as 40,1200-1500"
						: "numbers and ranges, such as 53,1000-2000");
	}
	return CLI_FINE;
}

static int read_flow(const struct cli_arguments *arguments, struct route *route)
{
	static const struct {
		const char *option;
		unsigned component;
	} lists[] = {{"protocol", FLOW_PROTOCOL},
		     {"port", FLOW_DESTINATION_PORT},
		     {"from-port", FLOW_SOURCE_PORT},
		     {"length", FLOW_PACKET_LENGTH}};
	const char *from = cli_value(arguments, "from"), *rate = cli_value(arguments, "rate");
	struct flow_rule *rule = &route->flow;
	if (from != NULL) {
		rule->source.given = true;
		if (!prefix_parse(slice_from_string(from), &rule->source.prefix) ||
		    !flow_prefix_fits(&rule->source, rule->v6))
			return cli_fail(CLI_USER,
					"--from %s: should be a prefix of the destination's family, with no bits set "
					"behind its length",
					from);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		int code = add_list(arguments, lists[i].option, lists[i].component, rule);
		if (code != CLI_FINE)
			return code;
	}
	if (cli_flag(arguments, "fragments"))
		(void)flow_rule_add(rule, FLOW_FRAGMENT, 0, FLOW_IS_FRAGMENT | FLOW_FIRST_FRAGMENT);
	route->rate_bytes = 0;
	if (rate != NULL && !cli_number(rate, 1, ROUTE_RATE_MOST, &route->rate_bytes))
		return cli_fail(CLI_USER, "--rate %s: should be a number of bytes a second, %" PRIu64 " at most", rate,
				(uint64_t)ROUTE_RATE_MOST);
	return CLI_FINE;
}

static const char *const of_flows[] = {"from", "protocol", "port", "from-port", "length", "fragments", "rate"};

/* An option that says more of a flow; NULL: none is given. */
static const char *said_of_flow(const struct cli_arguments *arguments)
{
	for (size_t i = 0; i < sizeof(of_flows) / sizeof(of_flows[0]); i++)
		if (cli_value(arguments, of_flows[i]) != NULL || cli_flag(arguments, of_flows[i]))
			return of_flows[i];
	return NULL;
}

int upstream_route_none(const struct cli_arguments *arguments)
{
	static const char *const others[] = {"for", "why", "operator"};
	const char *said = said_of_flow(arguments);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && said == NULL; i++)
		said = cli_value(arguments, others[i]) != NULL ? others[i] : NULL;
	said = said == NULL && cli_flag(arguments, "blackhole") ? "blackhole" : said;
	return said == NULL ? CLI_FINE : cli_fail(CLI_USER, "--%s: of packets to which destination?", said);
}

int upstream_route_read(const struct cli_arguments *arguments, const char *destination, struct route *ret_route)
{
	struct route route = {.kind = ROUTE_FLOW};
	struct prefix prefix;
	bool exact = prefix_parse(slice_from_string(destination), &prefix);
	if (!exact && prefix_around(slice_from_string(destination), &prefix))
		return cli_fail_around(destination, &prefix);
	if (!exact)
		return cli_fail(CLI_USER, "%s: not an address or prefix of ours, such as 192.0.2.10 or 2001:db8::/64",
				destination);
	if (cli_flag(arguments, "blackhole")) {
		if (said_of_flow(arguments) != NULL)
			return cli_fail(CLI_USER, "--blackhole takes all packets: --%s has no place there",
					said_of_flow(arguments));
		route.kind = ROUTE_BLACKHOLE;
		route.prefix = prefix;
		route.next_hop = prefix.address;
		*ret_route = route;
		return CLI_FINE;
	}
	route.flow.v6 = !prefix_is_v4(&prefix);
	route.flow.destination = (struct flow_prefix){true, 0, prefix};
	int code = read_flow(arguments, &route);
	if (code == CLI_FINE)
		*ret_route = route;
	return code;
}
