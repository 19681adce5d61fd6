/*
 * One grammar, written and read. What was read is written again and compared with the text, so that no other spelling
 * passes, whatever the reader takes.
 */
#include "upstream/route.h"

#include "base/error.h"
#include "base/reader.h"

#include <inttypes.h>

#define BLACKHOLE_COMMUNITY "65535:666"

/* ---- names ---- */

static const char *component_name(unsigned component, bool v6)
{
	static const char *const names[FLOW_COMPONENTS] = {
		[FLOW_PROTOCOL] = "protocol",
		[FLOW_PORT] = "port",
		[FLOW_DESTINATION_PORT] = "destination-port",
		[FLOW_SOURCE_PORT] = "source-port",
		[FLOW_ICMP_TYPE] = "icmp-type",
		[FLOW_ICMP_CODE] = "icmp-code",
		[FLOW_TCP_FLAGS] = "tcp-flags",
		[FLOW_PACKET_LENGTH] = "packet-length",
		[FLOW_DSCP] = "dscp",
		[FLOW_FRAGMENT] = "fragment",
		[FLOW_LABEL] = "flow-label",
	};
	if (v6 && component == FLOW_PROTOCOL)
		return "next-header";
	return v6 && component == FLOW_DSCP ? "traffic-class" : names[component];
}

/* Of numbers; NULL: there is no word. */
static const char *number_test(unsigned test)
{
	static const char *const words[8] = {[FLOW_EQUAL] = "=",
					     [FLOW_GREATER] = ">",
					     [FLOW_GREATER | FLOW_EQUAL] = ">=",
					     [FLOW_LESS] = "<",
					     [FLOW_LESS | FLOW_EQUAL] = "<=",
					     [FLOW_LESS | FLOW_GREATER] = "!="};
	return words[test & 7];
}

static const char *bits_test(unsigned test)
{
	static const char *const words[4] = {"", [FLOW_ALL_BITS] = "=", [FLOW_NOT] = "!",
					     [FLOW_NOT | FLOW_ALL_BITS] = "!="};
	return words[test & 3];
}

static const char *test_word(const struct flow_term *term)
{
	return flow_is_bits(term->component) ? bits_test(term->test) : number_test(term->test);
}

/* ---- writing ---- */

static void write_prefix(const struct prefix *prefix, struct buffer *out)
{
	char text[ADDRESS_TEXT_BYTES];
	buffer_printf(out, "%s/%d", address_format(&prefix->address, text),
		      prefix->bits - (prefix_is_v4(prefix) ? ADDRESS_V4_BITS : 0));
}

static int write_terms(const struct flow_rule *rule, struct buffer *out)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		const struct flow_term *term = &rule->terms[i];
		bool first = i == 0 || rule->terms[i - 1].component != term->component;
		bool last = i + 1 == rule->term_count || rule->terms[i + 1].component != term->component;
		const char *word = test_word(term);
		if (word == NULL)
			return -EINVAL;
		if (first)
			buffer_printf(out, "%s [ ", component_name(term->component, rule->v6));
		else
			buffer_text(out, (term->test & FLOW_AND) != 0 ? "&" : " ");
		buffer_printf(out, "%s%" PRIu32 "%s", word, term->value, last ? " ]; " : "");
	}
	return 0;
}

static int write_side(const char *name, const struct flow_prefix *side, struct buffer *out)
{
	if (!side->given)
		return 0;
	if (side->offset != 0)
		return -EINVAL;
	buffer_printf(out, "%s ", name);
	write_prefix(&side->prefix, out);
	buffer_text(out, "; ");
	return 0;
}

static int write_flow(const struct route *route, struct buffer *out)
{
	buffer_text(out, "flow route { match { ");
	int r = write_side("destination", &route->flow.destination, out);
	r = r != 0 ? r : write_side("source", &route->flow.source, out);
	r = r != 0 ? r : write_terms(&route->flow, out);
	if (r != 0 || route->rate_bytes > ROUTE_RATE_MOST)
		return -EINVAL;
	if (route->rate_bytes == 0)
		buffer_text(out, "} then { discard; } }");
	else
		buffer_printf(out, "} then { rate-limit %" PRIu64 "; } }", route->rate_bytes);
	return out->error;
}

int route_write(const struct route *route, struct buffer *out)
{
	char text[ADDRESS_TEXT_BYTES];
	if (route->kind == ROUTE_FLOW)
		return write_flow(route, out);
	buffer_text(out, "route ");
	write_prefix(&route->prefix, out);
	buffer_printf(out, " next-hop %s community [ " BLACKHOLE_COMMUNITY " ]",
		      address_format(&route->next_hop, text));
	return out->error;
}

int route_line_write(const struct route_line *line, struct buffer *out)
{
	char text[ADDRESS_TEXT_BYTES];
	buffer_printf(out, "neighbor %s %s ", address_format(&line->neighbor, text),
		      line->withdraw ? "withdraw" : "announce");
	int r = route_write(&line->route, out);
	buffer_byte(out, '\n');
	return r != 0 ? r : out->error;
}

/* ---- reading ---- */

/* Decimal, without leading zeroes. */
static bool read_number(struct reader *r, uint64_t most, uint64_t *ret_number)
{
	uint64_t value = 0;
	size_t from = r->at;
	for (int c; (c = reader_peek(r, 0)) >= '0' && c <= '9'; r->at++) {
		value = value * 10 + (uint64_t)(c - '0');
		if (value > most || (r->at > from && r->bytes.ptr[from] == '0'))
			return false;
	}
	*ret_number = value;
	return r->at > from;
}

/* With its length, and as we would write it. */
static bool read_prefix(struct slice text, struct prefix *ret_prefix)
{
	return slice_find_byte(text, '/', 0) < text.len && prefix_parse(text, ret_prefix);
}

static bool read_side(struct reader *r, struct slice name, struct flow_prefix *side)
{
	if (!reader_accept(r, name))
		return true;
	side->given = true;
	return read_prefix(reader_until(r, ';'), &side->prefix) && reader_accept(r, SLICE(" "));
}

/* The longest word that fits. */
static bool read_test(struct reader *r, bool bits, unsigned *ret_test)
{
	const char *best = NULL;
	for (unsigned test = 0; test < (bits ? 4u : 8u); test++) {
		const char *word = bits ? bits_test(test) : number_test(test);
		if (word != NULL && slice_starts_with(reader_rest(r), slice_from_string(word)) &&
		    (best == NULL || strlen(word) > strlen(best))) {
			best = word;
			*ret_test = test;
		}
	}
	return best != NULL && reader_accept(r, slice_from_string(best));
}

static bool read_list(struct reader *r, unsigned component, struct flow_rule *rule)
{
	for (unsigned and = 0;;) {
		unsigned test = 0;
		uint64_t value;
		if (!read_test(r, flow_is_bits(component), &test) ||
		    !read_number(r, flow_value_most(component), &value) ||
		    !flow_rule_add(rule, component, test | and, (uint32_t)value))
			return false;
		if (reader_accept(r, SLICE(" ]; ")))
			return true;
		and = reader_accept(r, SLICE("&")) ? FLOW_AND : 0;
		if (and == 0 && !reader_accept(r, SLICE(" ")))
			return false;
	}
}

static bool read_terms(struct reader *r, struct flow_rule *rule)
{
	for (unsigned component = FLOW_PROTOCOL; component < FLOW_COMPONENTS; component++) {
		struct reader ahead = *r;
		if (!reader_accept(&ahead, slice_from_string(component_name(component, rule->v6))) ||
		    !reader_accept(&ahead, SLICE(" [ ")))
			continue;
		*r = ahead;
		if (!read_list(r, component, rule))
			return false;
	}
	return true;
}

static bool read_action(struct reader *r, uint64_t *ret_rate)
{
	*ret_rate = 0;
	if (reader_accept(r, SLICE("discard")))
		return true;
	return reader_accept(r, SLICE("rate-limit ")) && read_number(r, ROUTE_RATE_MOST, ret_rate) && *ret_rate > 0;
}

/* The family is that of the prefixes: a rule without any has none, and is not ours. */
static bool read_flow(struct reader *r, struct route *route)
{
	struct flow_rule *rule = &route->flow;
	if (!read_side(r, SLICE("destination "), &rule->destination) ||
	    !read_side(r, SLICE("source "), &rule->source) || (!rule->destination.given && !rule->source.given))
		return false;
	const struct flow_prefix *side = rule->destination.given ? &rule->destination : &rule->source;
	rule->v6 = !prefix_is_v4(&side->prefix);
	if ((rule->destination.given && !flow_prefix_fits(&rule->destination, rule->v6)) ||
	    (rule->source.given && !flow_prefix_fits(&rule->source, rule->v6)))
		return false;
	return read_terms(r, rule) && reader_accept(r, SLICE("} then { ")) && read_action(r, &route->rate_bytes) &&
	       reader_accept(r, SLICE("; } }")) && reader_at_end(r);
}

static bool read_blackhole(struct reader *r, struct route *route)
{
	return read_prefix(reader_until(r, ' '), &route->prefix) && reader_accept(r, SLICE("next-hop ")) &&
	       address_parse(reader_until(r, ' '), &route->next_hop) &&
	       prefix_is_v4(&route->prefix) == address_is_v4(&route->next_hop) &&
	       reader_accept(r, SLICE("community [ " BLACKHOLE_COMMUNITY " ]")) && reader_at_end(r);
}

/* Many texts read as one address; only the one that we write counts. */
static bool is_own_text(struct slice text, const struct route *route)
{
	struct buffer again = buffer_make(NULL);
	bool same = route_write(route, &again) == 0 && slice_equal(buffer_slice(&again), text);
	buffer_free(&again);
	return same;
}

bool route_read(struct slice text, struct route *ret_route)
{
	struct route route = {.kind = ROUTE_FLOW};
	struct reader r = reader_make(text);
	bool good = false;
	if (text.len > ROUTE_LINE_BYTES)
		return false;
	if (reader_accept(&r, SLICE("flow route { match { "))) {
		good = read_flow(&r, &route);
	} else if (reader_accept(&r, SLICE("route "))) {
		route.kind = ROUTE_BLACKHOLE;
		good = read_blackhole(&r, &route);
	}
	if (!good || !is_own_text(text, &route))
		return false;
	*ret_route = route;
	return true;
}

bool route_line_read(struct slice text, struct route_line *ret_line)
{
	struct route_line line = {.withdraw = false};
	struct reader r = reader_make(text);
	char own[ADDRESS_TEXT_BYTES];
	if (!reader_accept(&r, SLICE("neighbor ")))
		return false;
	struct slice neighbor = reader_until(&r, ' ');
	if (!address_parse(neighbor, &line.neighbor) ||
	    !slice_equal(neighbor, slice_from_string(address_format(&line.neighbor, own))))
		return false;
	line.withdraw = reader_accept(&r, SLICE("withdraw "));
	if (!line.withdraw && !reader_accept(&r, SLICE("announce ")))
		return false;
	if (!route_read(reader_rest(&r), &line.route))
		return false;
	*ret_line = line;
	return true;
}

/* ---- keys ---- */

size_t route_key(const struct route *route, uint8_t key[ROUTE_KEY_BYTES])
{
	key[0] = (uint8_t)route->kind;
	if (route->kind == ROUTE_FLOW) {
		key[0] |= route->flow.v6 ? 0x80 : 0;
		size_t len = flow_nlri_write(&route->flow, key + 1);
		return len == 0 ? 0 : 1 + len;
	}
	memcpy(key + 1, route->prefix.address.bytes, ADDRESS_BYTES);
	key[1 + ADDRESS_BYTES] = route->prefix.bits;
	return 1 + ADDRESS_BYTES + 1;
}

bool route_destination(const struct route *route, struct prefix *ret_prefix)
{
	if (route->kind == ROUTE_BLACKHOLE)
		*ret_prefix = route->prefix;
	else if (route->flow.destination.given && route->flow.destination.offset == 0)
		*ret_prefix = route->flow.destination.prefix;
	else
		return false;
	return true;
}
