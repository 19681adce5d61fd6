/* Routes in a person's words. */
#include "upstream/route.h"

#include <inttypes.h>

static void tell_value(const struct flow_term *term, struct buffer *out)
{
	static const char *const fragments[] = {
		[FLOW_DONT_FRAGMENT] = "not to be fragmented", [FLOW_IS_FRAGMENT] = "later fragments",
		[FLOW_FIRST_FRAGMENT] = "first fragments",     [FLOW_IS_FRAGMENT | FLOW_FIRST_FRAGMENT] = "fragments",
		[FLOW_LAST_FRAGMENT] = "last fragments",
	};
	static const struct {
		uint32_t number;
		const char *name;
	} protocols[] = {{1, "icmp"}, {6, "tcp"}, {17, "udp"}, {47, "gre"}, {50, "esp"}, {58, "icmpv6"}};
	if (term->component == FLOW_FRAGMENT && term->value < sizeof(fragments) / sizeof(fragments[0]) &&
	    fragments[term->value] != NULL) {
		buffer_text(out, fragments[term->value]);
		return;
	}
	for (size_t i = 0; term->component == FLOW_PROTOCOL && i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == term->value) {
			buffer_text(out, protocols[i].name);
			return;
		}
	buffer_printf(out, "%" PRIu32, term->value);
}

static void tell_test(const struct flow_term *term, struct buffer *out)
{
	static const char *const numbers[8] = {"never ", "", "> ", ">= ", "< ", "<= ", "not ", "any "};
	static const char *const bits[4] = {"", "all of ", "not ", "not all of "};
	buffer_text(out, flow_is_bits(term->component) ? bits[term->test & 3] : numbers[term->test & 7]);
}

static void tell_terms(const struct flow_rule *rule, unsigned component, const char *before, struct buffer *out)
{
	bool first = true;
	for (size_t i = 0; i < rule->term_count; i++) {
		const struct flow_term *term = &rule->terms[i];
		if (term->component != component)
			continue;
		buffer_text(out, first ? before : (term->test & FLOW_AND) != 0 ? " and " : " or ");
		tell_test(term, out);
		tell_value(term, out);
		first = false;
	}
}

static void tell_side(const struct flow_prefix *side, const char *before, struct buffer *out)
{
	char text[ADDRESS_TEXT_BYTES];
	if (!side->given)
		return;
	buffer_printf(out, "%s%s", before, prefix_format(&side->prefix, text));
	if (side->offset != 0)
		buffer_printf(out, " (from bit %u on)", side->offset);
}

void route_tell(const struct route *route, struct buffer *out)
{
	static const struct {
		unsigned component;
		const char *before;
	} rest[] = {{FLOW_PORT, " with a port "},
		    {FLOW_DESTINATION_PORT, " port "},
		    {FLOW_SOURCE_PORT, " from port "},
		    {FLOW_ICMP_TYPE, " type "},
		    {FLOW_ICMP_CODE, " code "},
		    {FLOW_TCP_FLAGS, " flags "},
		    {FLOW_PACKET_LENGTH, " of length "},
		    {FLOW_DSCP, " dscp "},
		    {FLOW_FRAGMENT, ", "},
		    {FLOW_LABEL, " flow label "}};
	char text[ADDRESS_TEXT_BYTES];
	if (route->kind == ROUTE_BLACKHOLE) {
		buffer_printf(out, "blackhole %s", prefix_format(&route->prefix, text));
		return;
	}
	if (route->rate_bytes == 0)
		buffer_text(out, "discard");
	else
		buffer_printf(out, "limit to %" PRIu64 " bytes/s", route->rate_bytes);
	tell_terms(&route->flow, FLOW_PROTOCOL, " ", out);
	tell_side(&route->flow.source, " from ", out);
	tell_side(&route->flow.destination, " to ", out);
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		tell_terms(&route->flow, rest[i].component, rest[i].before, out);
}
