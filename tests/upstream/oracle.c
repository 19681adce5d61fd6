/* Lines for ExaBGP, as text, against what was agreed with an operator, and packets of visitors drawn near the line. */
#include "oracle.h"

#include "../collide/random.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned __int128 number;

/* Of one family: the first and the last address. */
struct range {
	bool v6;
	number first, last;
};

struct packet {
	unsigned protocol, destination_port, source_port, flags, length, fragment, dscp, label;
};

static number from_bytes(const uint8_t *bytes, unsigned count)
{
	number n = 0;
	for (unsigned i = 0; i < count; i++)
		n = n << 8 | bytes[i];
	return n;
}

static bool range_of(const char *text, struct range *range, unsigned *bits)
{
	char address[64];
	uint8_t bytes[16];
	if (sscanf(text, "%63[0-9a-f.:]/%u", address, bits) != 2)
		return false;
	range->v6 = strchr(address, ':') != NULL;
	if (inet_pton(range->v6 ? AF_INET6 : AF_INET, address, bytes) != 1)
		return false;
	unsigned all = range->v6 ? 128 : 32;
	number rest = *bits == 0 && range->v6 ? ~(number)0 : ((number)1 << (all - *bits)) - 1;
	range->first = from_bytes(bytes, all / 8);
	range->last = range->first | rest;
	return (range->first & rest) == 0 && *bits <= all;
}

static struct range range_of_prefix(const struct prefix *p)
{
	char text[ADDRESS_TEXT_BYTES], whole[ADDRESS_TEXT_BYTES + 8];
	struct range range = {0};
	unsigned bits;
	prefix_format(p, text);
	snprintf(whole, sizeof(whole),
		 strchr(text, '/') != NULL   ? "%s"
		 : strchr(text, ':') != NULL ? "%s/128"
					     : "%s/32",
		 text);
	if (!range_of(whole, &range, &bits))
		abort();
	return range;
}

static bool within(struct range inner, struct range outer)
{
	return inner.v6 == outer.v6 && inner.first >= outer.first && inner.last <= outer.last;
}

static bool meets(struct range a, struct range b)
{
	return a.v6 == b.v6 && a.first <= b.last && b.first <= a.last;
}

static bool meets_spared(const struct upstream_operator *o, struct range range)
{
	const struct prefix ends[] = {{o->peer, ADDRESS_BITS}, {o->local, ADDRESS_BITS}};
	for (size_t i = 0; i < 2; i++)
		if (meets(range, range_of_prefix(&ends[i])))
			return true;
	for (size_t i = 0; i < o->spared_count; i++)
		if (meets(range, range_of_prefix(&o->spared[i])))
			return true;
	return false;
}

/* ---- what a list says of a value ---- */

static bool holds(const char *word, unsigned value, bool bits)
{
	size_t op = strspn(word, "=<>!");
	unsigned wanted = (unsigned)strtoul(word + op, NULL, 10);
	if (bits) {
		bool all = word[0] == '=' || word[1] == '=', negated = word[0] == '!';
		bool any = all ? (value & wanted) == wanted : (value & wanted) != 0;
		return any != negated;
	}
	return strncmp(word, "!=", 2) == 0   ? value != wanted
	       : strncmp(word, ">=", 2) == 0 ? value >= wanted
	       : strncmp(word, "<=", 2) == 0 ? value <= wanted
	       : word[0] == '>'              ? value > wanted
	       : word[0] == '<'              ? value < wanted
					     : value == wanted;
}

/* Whether `NAME [ a b&c ]` holds; true where there is no such list. */
static bool takes(const char *line, const char *name, unsigned value, bool bits)
{
	char start[64], list[1024], *rest = NULL;
	snprintf(start, sizeof(start), " %s [ ", name);
	const char *at = strstr(line, start);
	if (at == NULL)
		return true;
	at += strlen(start);
	snprintf(list, sizeof(list), "%.*s", (int)(strchr(at, ']') - at), at);
	for (char *group = strtok_r(list, " ", &rest); group != NULL; group = strtok_r(NULL, " ", &rest)) {
		bool all = true;
		char *inner = NULL;
		for (char *word = strtok_r(group, "&", &inner); word != NULL; word = strtok_r(NULL, "&", &inner))
			all = all && holds(word, value, bits);
		if (all)
			return true;
	}
	return false;
}

static bool filters(const char *line, const struct packet *p)
{
	if (strstr(line, " icmp-type [") != NULL || strstr(line, " icmp-code [") != NULL ||
	    (strstr(line, " tcp-flags [") != NULL && p->protocol != 6))
		return false;
	return takes(line, "protocol", p->protocol, false) && takes(line, "next-header", p->protocol, false) &&
	       takes(line, "destination-port", p->destination_port, false) &&
	       takes(line, "source-port", p->source_port, false) &&
	       (takes(line, "port", p->destination_port, false) || takes(line, "port", p->source_port, false)) &&
	       takes(line, "tcp-flags", p->flags, true) && takes(line, "packet-length", p->length, false) &&
	       takes(line, "fragment", p->fragment, true) && takes(line, "dscp", p->dscp, false) &&
	       takes(line, "traffic-class", p->dscp, false) && takes(line, "flow-label", p->label, false);
}

/* ---- visitors ---- */

/* A number of the line's, or beside it, where it can be: what rules are about is where they differ. */
static unsigned near_line(const char *line, unsigned least, unsigned most, uint64_t *seed)
{
	size_t len = strlen(line), at = random_below(seed, (unsigned)len);
	at += strcspn(line + at, "0123456789");
	unsigned value = (unsigned)strtoul(line + at, NULL, 10) + random_below(seed, 3) - 1;
	return value >= least && value <= most ? value : least + random_below(seed, most - least + 1);
}

static struct packet visitor(const struct operator_service *service, const char *line, uint64_t *seed)
{
	static const unsigned flags[] = {0x02, 0x10, 0x18, 0x11, 0x14, 0x04};
	return (struct packet){.protocol = service->protocol,
			       .destination_port = service->port,
			       .source_port = near_line(line, 1024, 65535, seed),
			       .flags = service->protocol == 6 ? RANDOM_OF(seed, flags) : 0,
			       .length = near_line(line, 40, 1500, seed),
			       .fragment = random_below(seed, 2),
			       .dscp = near_line(line, 0, 63, seed),
			       .label = near_line(line, 0, 0xfffff, seed)};
}

static bool filters_visitors(const struct upstream_operator *o, const char *line, uint64_t *seed)
{
	for (size_t i = 0; i < o->service_count; i++)
		for (unsigned count = 0; count < 40; count++) {
			struct packet packet = visitor(&o->services[i], line, seed);
			if (filters(line, &packet))
				return true;
		}
	return false;
}

/* ---- the line ---- */

static const char *judge_blackhole(const struct upstream_operator *o, const char *line, struct range range, bool yes)
{
	char hop[ADDRESS_TEXT_BYTES], end[128];
	address_format(&o->next_hop[range.v6], hop);
	snprintf(end, sizeof(end), " next-hop %s community [ 65535:666 ]", hop);
	if (!o->takes_blackholes || !yes)
		return "a blackhole that was not agreed to";
	return o->has_next_hop[range.v6] && strstr(line, end) != NULL ? NULL : "another next hop";
}

static const char *judge_flow(const struct upstream_operator *o, const char *line, bool yes, uint64_t *seed)
{
	const char *at = strstr(line, " source ");
	struct range source;
	unsigned bits = 0;
	bool v6 = false;
	if (!o->takes_flows)
		return "a flow that was not agreed to";
	if (at != NULL && !range_of(at + 8, &source, &bits))
		return "a source that is none";
	if (at != NULL && meets_spared(o, source))
		return "a source that is protected";
	v6 = at != NULL && source.v6;
	if (strstr(line, "discard") == NULL && strstr(line, "rate-limit ") == NULL)
		return "another action";
	if (!yes && o->all_need_yes)
		return "nobody agreed";
	if (!yes && bits < (v6 ? 32 : 16) && filters_visitors(o, line, seed))
		return "it keeps visitors away";
	return NULL;
}

const char *oracle_judge(const struct upstream_operator *o, const char *line, bool yes, uint64_t *seed)
{
	char start[128], peer[ADDRESS_TEXT_BYTES];
	const char *flow = strstr(line, " announce flow route { match { destination ");
	const char *hole = strstr(line, " announce route ");
	struct range range;
	unsigned bits;
	bool ours = false;
	snprintf(start, sizeof(start), "neighbor %s announce ", address_format(&o->peer, peer));
	if (strncmp(line, start, strlen(start)) != 0)
		return "another neighbour, or no announcement";
	if ((flow == NULL) == (hole == NULL) || strchr(line, '\n') != NULL)
		return "neither flow nor blackhole";
	if (!range_of(flow != NULL ? flow + 43 : hole + 16, &range, &bits))
		return "a destination that is none";
	for (size_t i = 0; i < o->prefix_count; i++)
		ours = ours || within(range, range_of_prefix(&o->prefixes[i]));
	if (!ours)
		return "a destination that is not ours";
	if (meets_spared(o, range))
		return "a destination that is protected";
	if (bits < (flow != NULL ? o->flow_bits[range.v6] : o->blackhole_bits[range.v6]))
		return "too wide";
	return flow != NULL ? judge_flow(o, line, yes, seed) : judge_blackhole(o, line, range, yes);
}
