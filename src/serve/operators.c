/*
 * As in config_yaml.c: a table of keys, and all faults told at once. What is not said is what usual() has, or follows
 * from what is said (complete()).
 */
#include "serve/operators.h"

#include "base/error.h"
#include "serve/valid.h"
#include "upstream/operator.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIST_MOST = 256, OWN_BITS_V4 = 8, OWN_BITS_V6 = 16 };

enum key_kind {
	KEY_NAME,
	KEY_ADDRESS,
	KEY_AS,
	KEY_NUMBER,
	KEY_BITS,
	KEY_PORT,
	KEY_PATH,
	KEY_OWN,
	KEY_PREFIXES,
	KEY_SERVICES,
	KEY_TAKES,
	KEY_NEXT_HOP,
	KEY_YES,
};

#define AT(member) offsetof(struct upstream_operator, member)

static const struct yaml_key keys[] = {
	{"name", KEY_NAME, AT(name), "name: ctm", 0, 0, true},
	{"peer", KEY_ADDRESS, AT(peer), "peer: 203.0.113.1", 0, 0, true},
	{"local_address", KEY_ADDRESS, AT(local), "local_address: 192.0.2.1", 0, 0, true},
	{"local_as", KEY_AS, AT(local_as), "local_as: 65020", 1, UINT32_MAX, true},
	{"peer_as", KEY_AS, AT(peer_as), "peer_as: 65010", 1, UINT32_MAX, true},
	{"prefixes", KEY_OWN, AT(prefixes), "prefixes: [192.0.2.0/24, \"2001:db8::/32\"]", 0, 0, true},
	{"router_id", KEY_ADDRESS, AT(router_id), "router_id: 192.0.2.1", 0, 0, false},
	{"peer_port", KEY_PORT, AT(port), "peer_port: 179", 1, 65535, false},
	{"password_file", KEY_PATH, AT(password_file), "password_file: ctm.password", 0, 0, false},
	{"protected", KEY_PREFIXES, AT(spared), "protected: [192.0.2.53]", 0, 0, false},
	{"services", KEY_SERVICES, AT(services), "services: [tcp/80, tcp/443]", 0, 0, false},
	{"takes", KEY_TAKES, 0, "takes: [flowspec, blackhole]", 0, 0, false},
	{"next_hop", KEY_NEXT_HOP, 0, "next_hop: [192.0.2.1, \"2001:db8::1\"]", 0, 0, false},
	{"rules", KEY_NUMBER, AT(rules_most), "rules: 100", 1, OPERATOR_RULES_MOST, false},
	{"changes_per_minute", KEY_NUMBER, AT(changes_most), "changes_per_minute: 60", 1, OPERATOR_CHANGES_MOST, false},
	{"lifetime_minutes", KEY_NUMBER, AT(lifetime_s), "lifetime_minutes: 60", 1, OPERATOR_LIFETIME_MOST_S / 60,
	 false},
	{"flow_ipv4_bits", KEY_BITS, AT(flow_bits[0]), "flow_ipv4_bits: 24", 8, 32, false},
	{"flow_ipv6_bits", KEY_BITS, AT(flow_bits[1]), "flow_ipv6_bits: 48", 16, 128, false},
	{"blackhole_ipv4_bits", KEY_BITS, AT(blackhole_bits[0]), "blackhole_ipv4_bits: 32", 8, 32, false},
	{"blackhole_ipv6_bits", KEY_BITS, AT(blackhole_bits[1]), "blackhole_ipv6_bits: 128", 16, 128, false},
	{"needs_yes", KEY_YES, AT(all_need_yes), "needs_yes: blackhole", 0, 0, false},
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static int complain(const struct yaml_source *s, struct source_place place, const char *hint, const char *message)
{
	diagnostics_add(s->diagnostics, DIAGNOSTIC_ERROR, place, hint, "%s", message);
	return CONFIG_INVALID;
}

/* ---- values ---- */

static bool read_name(const struct yaml_node *node, char name[OPERATOR_NAME_BYTES])
{
	if (node->kind != YAML_SCALAR || node->text.len == 0 || node->text.len >= OPERATOR_NAME_BYTES)
		return false;
	for (size_t i = 0; i < node->text.len; i++) {
		uint8_t c = node->text.ptr[i];
		if (!byte_is_alpha(c) && !byte_is_digit(c) && c != '-' && c != '_' && c != '.')
			return false;
	}
	memcpy(name, node->text.ptr, node->text.len);
	name[node->text.len] = '\0';
	return true;
}

static bool read_address(const struct yaml_node *node, struct address *ret_address)
{
	return node->kind == YAML_SCALAR && address_parse(node->text, ret_address);
}

static bool is_narrow(const struct prefix *prefix)
{
	return prefix_is_v4(prefix) ? prefix->bits >= ADDRESS_V4_BITS + OWN_BITS_V4 : prefix->bits >= OWN_BITS_V6;
}

/* One, or a list: each child in turn, NULL at the end. */
static const struct yaml_node *first_of(const struct yaml_node *node)
{
	return node->kind == YAML_LIST ? node->first : node->kind == YAML_SCALAR ? node : NULL;
}

static const struct yaml_node *next_of(const struct yaml_node *node, const struct yaml_node *item)
{
	return node->kind == YAML_LIST ? item->next : NULL;
}

static int read_prefixes(const struct yaml_source *s, const struct yaml_node *node, const struct yaml_key *key,
			 const struct prefix **ret_prefixes, size_t *ret_count)
{
	struct prefix *prefixes = arena_zalloc(s->arena, LIST_MOST, sizeof(*prefixes));
	size_t count = 0;
	if (prefixes == NULL)
		return -ENOMEM;
	for (const struct yaml_node *at = first_of(node); at != NULL; at = next_of(node, at)) {
		if (count == LIST_MOST)
			return yaml_key_wrong(s, at, key, "256 prefixes at most");
		if (at->kind != YAML_SCALAR || !prefix_parse(at->text, &prefixes[count]))
			return yaml_key_wrong(s, at, key,
					      "prefixes such as 192.0.2.0/24, with no bits set behind their length");
		if (key->kind == KEY_OWN && !is_narrow(&prefixes[count]))
			return yaml_key_wrong(s, at, key, "one's own: no wider than /8, of IPv6 than /16");
		count++;
	}
	if (count == 0)
		return yaml_key_wrong(s, node, key, "a prefix, or a list of them");
	*ret_prefixes = prefixes;
	*ret_count = count;
	return 0;
}

static bool read_service(struct slice text, struct operator_service *ret_service)
{
	struct slice protocol, port = slice_cut(text, '/', &protocol);
	uint64_t number = 0;
	bool tcp = slice_equal(protocol, SLICE("tcp"));
	if (!slice_number(port, UINT16_MAX, &number) || number == 0 || (!tcp && !slice_equal(protocol, SLICE("udp"))))
		return false;
	*ret_service = (struct operator_service){tcp ? 6 : 17, (uint16_t)number};
	return true;
}

static int read_services(const struct yaml_source *s, const struct yaml_node *node, const struct yaml_key *key,
			 struct upstream_operator *o)
{
	struct operator_service *services = arena_zalloc(s->arena, LIST_MOST, sizeof(*services));
	o->service_count = 0;
	if (services == NULL)
		return -ENOMEM;
	for (const struct yaml_node *at = first_of(node); at != NULL; at = next_of(node, at))
		if (o->service_count == LIST_MOST || at->kind != YAML_SCALAR ||
		    !read_service(at->text, &services[o->service_count++]))
			return yaml_key_wrong(s, at, key, "what is served, such as tcp/443 or udp/443");
	o->services = services;
	return o->service_count > 0 ? 0 : yaml_key_wrong(s, node, key, "what is served, such as tcp/443");
}

static int read_takes(const struct yaml_source *s, const struct yaml_node *node, const struct yaml_key *key,
		      struct upstream_operator *o)
{
	o->takes_flows = o->takes_blackholes = false;
	for (const struct yaml_node *at = first_of(node); at != NULL; at = next_of(node, at)) {
		if (at->kind == YAML_SCALAR && slice_equal(at->text, SLICE("flowspec")))
			o->takes_flows = true;
		else if (at->kind == YAML_SCALAR && slice_equal(at->text, SLICE("blackhole")))
			o->takes_blackholes = true;
		else
			return yaml_key_wrong(s, at, key, "flowspec, blackhole, or a list of both");
	}
	return o->takes_flows || o->takes_blackholes
		       ? 0
		       : yaml_key_wrong(s, node, key, "flowspec, blackhole, or a list of both");
}

static int read_next_hops(const struct yaml_source *s, const struct yaml_node *node, const struct yaml_key *key,
			  struct upstream_operator *o)
{
	for (const struct yaml_node *at = first_of(node); at != NULL; at = next_of(node, at)) {
		struct address hop;
		if (!read_address(at, &hop) || o->has_next_hop[!address_is_v4(&hop)])
			return yaml_key_wrong(s, at, key, "an address of each family at most");
		o->has_next_hop[!address_is_v4(&hop)] = true;
		o->next_hop[!address_is_v4(&hop)] = hop;
	}
	return 0;
}

static int read_path(const struct yaml_source *s, const struct yaml_node *node, const struct yaml_key *key,
		     const char **ret_path)
{
	const char *should = node->kind == YAML_SCALAR ? valid_path(node->text) : "a path";
	if (should != NULL)
		return yaml_key_wrong(s, node, key, should);
	*ret_path = arena_string(s->arena, node->text);
	return *ret_path != NULL ? 0 : -ENOMEM;
}

static int read_yes(const struct yaml_source *s, const struct yaml_node *node, const struct yaml_key *key,
		    bool *ret_all)
{
	bool all = node->kind == YAML_SCALAR && slice_equal(node->text, SLICE("everything"));
	if (!all && !(node->kind == YAML_SCALAR && slice_equal(node->text, SLICE("blackhole"))))
		return yaml_key_wrong(s, node, key, "blackhole, or everything");
	*ret_all = all;
	return 0;
}

static int read_scalar(const struct yaml_source *s, const struct yaml_node *node, const struct yaml_key *key,
		       void *member)
{
	int64_t number = 0;
	if (key->kind == KEY_NAME)
		return read_name(node, member) ? 0
					       : yaml_key_wrong(s, node, key, "a word of letters, digits, -, _ and .");
	if (key->kind == KEY_ADDRESS)
		return read_address(node, member) ? 0 : yaml_key_wrong(s, node, key, "an address");
	int r = yaml_key_number(s, node, key, &number);
	if (r != 0)
		return r;
	if (key->kind == KEY_BITS)
		*(uint8_t *)member = (uint8_t)number;
	else if (key->kind == KEY_PORT)
		*(uint16_t *)member = (uint16_t)number;
	else
		*(uint32_t *)member = (uint32_t)number;
	return 0;
}

static int read_value(const struct yaml_source *s, const struct yaml_node *node, const struct yaml_key *key,
		      struct upstream_operator *o)
{
	void *member = (char *)o + key->offset;
	switch (key->kind) {
	case KEY_OWN:
		return read_prefixes(s, node, key, &o->prefixes, &o->prefix_count);
	case KEY_PREFIXES:
		return read_prefixes(s, node, key, &o->spared, &o->spared_count);
	case KEY_SERVICES:
		return read_services(s, node, key, o);
	case KEY_TAKES:
		return read_takes(s, node, key, o);
	case KEY_NEXT_HOP:
		return read_next_hops(s, node, key, o);
	case KEY_PATH:
		return read_path(s, node, key, member);
	case KEY_YES:
		return read_yes(s, node, key, member);
	default:
		return read_scalar(s, node, key, member);
	}
}

/* ---- an operator ---- */

/* What was not said follows from what was. */
static int complete(const struct yaml_source *s, const struct yaml_node *node, struct upstream_operator *o)
{
	struct source_place place = yaml_place(node, s->file, s->text);
	bool v6 = !address_is_v4(&o->local);
	if (address_is_v4(&o->peer) == v6 || address_equal(&o->peer, &o->local))
		return complain(s, place, "peer: 203.0.113.1, local_address: 192.0.2.1",
				"`peer` and `local_address` must be two addresses of one family");
	if (yaml_get(node, "router_id") == NULL)
		o->router_id = o->local;
	if (!address_is_v4(&o->router_id))
		return complain(s, place, "router_id: 192.0.2.1",
				"an operator reached by IPv6 needs a `router_id`, an IPv4 address");
	if (!o->has_next_hop[v6]) {
		o->has_next_hop[v6] = true;
		o->next_hop[v6] = o->local;
	}
	return 0;
}

static struct upstream_operator usual(void)
{
	static const struct operator_service services[] = {{6, 80}, {6, 443}};
	return (struct upstream_operator){.services = services,
					  .service_count = 2,
					  .takes_flows = true,
					  .takes_blackholes = true,
					  .rules_most = 100,
					  .changes_most = 60,
					  .lifetime_s = 60,
					  .flow_bits = {24, 48},
					  .blackhole_bits = {32, 128}};
}

static int read_operator(const struct yaml_source *s, const struct yaml_node *node, struct upstream_operator *o)
{
	int worst = 0;
	if (node->kind != YAML_MAP)
		return complain(s, yaml_place(node, s->file, s->text), keys[0].hint, "an operator must be a map");
	*o = usual();
	for (const struct yaml_node *at = node->first; at != NULL && worst >= 0; at = at->next) {
		const struct yaml_key *key = yaml_key_find(at->key, keys, KEYS);
		int r = key == NULL ? yaml_key_unknown(s, at, keys, KEYS) : read_value(s, at, key, o);
		worst = r != 0 ? r : worst;
	}
	o->lifetime_s *= 60; /* it was in minutes */
	for (size_t i = 0; i < KEYS && worst == 0; i++)
		if (keys[i].needed && yaml_get(node, keys[i].name) == NULL) {
			diagnostics_add(s->diagnostics, DIAGNOSTIC_ERROR, yaml_place(node, s->file, s->text),
					keys[i].hint, "an operator needs `%s`", keys[i].name);
			worst = CONFIG_INVALID;
		}
	return worst != 0 ? worst : complete(s, node, o);
}

static int check_twice(const struct yaml_source *s, const struct yaml_node *node, const struct operator_list *list)
{
	const struct upstream_operator *last = &list->items[list->count];
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, last->name) == 0 || address_equal(&list->items[i].peer, &last->peer))
			return complain(s, yaml_place(node, s->file, s->text), "keep one of the two",
					"two operators have one name or one peer");
	return 0;
}

int operators_read(const struct yaml_node *node, const struct yaml_source *source, struct operator_list *ret_operators)
{
	struct operator_list list = {.count = 0};
	int worst = 0;
	if (node->kind != YAML_LIST || node->count == 0)
		return complain(source, yaml_place(node, source->file, source->text),
				"operators: [{name: ctm, peer: 203.0.113.1, ...}]",
				"`operators` must be a list of maps");
	list.items = arena_zalloc(source->arena, node->count, sizeof(*list.items));
	if (list.items == NULL)
		return -ENOMEM;
	for (const struct yaml_node *at = node->first; at != NULL && worst >= 0; at = at->next) {
		int r = read_operator(source, at, &list.items[list.count]);
		r = r != 0 ? r : check_twice(source, at, &list);
		list.count += r == 0;
		worst = r != 0 ? r : worst;
	}
	if (worst == 0)
		*ret_operators = list;
	return worst;
}

bool operators_own(const struct operator_list *operators, struct slice address)
{
	struct prefix exact;
	if (!prefix_parse(address, &exact))
		return false;
	for (size_t i = 0; i < operators->count; i++)
		for (size_t j = 0; j < operators->items[i].prefix_count; j++)
			if (prefix_has(&operators->items[i].prefixes[j], &exact.address))
				return true;
	return false;
}

int operators_spare(struct operator_list *operators, const struct prefix *prefixes, size_t count, struct arena *arena)
{
	for (size_t i = 0; i < operators->count && count > 0; i++) {
		struct upstream_operator *o = &operators->items[i];
		struct prefix *all = arena_zalloc(arena, o->spared_count + count, sizeof(*all));
		if (all == NULL)
			return -ENOMEM;
		if (o->spared_count > 0)
			memcpy(all, o->spared, o->spared_count * sizeof(*all));
		memcpy(all + o->spared_count, prefixes, count * sizeof(*all));
		o->spared = all;
		o->spared_count += count;
	}
	return 0;
}
