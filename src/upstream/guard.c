/*
 * The line is read back, then judged by what needs no memory, by its terms, by what passed before, and the first
 * verdict stands. What passed is a plain list of keys; the pace is a ring of as many times as there may be changes in a
 * minute.
 */
#include "upstream/guard.h"

#include "base/error.h"
#include "base/hash.h"

#include <netinet/in.h>
#include <stdlib.h>

enum {
	EPHEMERAL_PORT = 1024, /* the least that a visitor's may be */
	PACKET_LEAST = 20,
	PACKET_MOST = 1500, /* Ethernet's: no visitor's is longer */
};

/* What passed and was not withdrawn. */
struct passed {
	uint64_t hash;
	size_t len;
	uint64_t rate_bytes;
	uint8_t key[ROUTE_KEY_BYTES];
};

struct guard {
	const struct upstream_operator *operator_;
	struct hash_key hash_key;
	struct passed *passed; /* room for rules_most */
	size_t count;
	uint64_t *times; /* of the last changes_most announcements, in a ring; 0: none yet */
	size_t next;
};

const char *guard_text(enum guard_verdict verdict)
{
	static const char *const texts[] = {
#define GUARD(name, text) [GUARD_##name] = text,
#include "upstream/guard_verdicts.h"
#undef GUARD
	};
	return texts[verdict];
}

int guard_create(const struct upstream_operator *operator_, struct guard **ret_guard)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	if (guard == NULL)
		return -ENOMEM;
	guard->operator_ = operator_;
	guard->hash_key = hash_key_random();
	guard->passed = calloc(operator_->rules_most, sizeof(*guard->passed));
	guard->times = calloc(operator_->changes_most, sizeof(*guard->times));
	if (guard->passed == NULL || guard->times == NULL) {
		guard_free(guard);
		return -ENOMEM;
	}
	*ret_guard = guard;
	return 0;
}

void guard_free(struct guard *guard)
{
	if (guard == NULL)
		return;
	free(guard->passed);
	free(guard->times);
	free(guard);
}

size_t guard_count(const struct guard *guard)
{
	return guard->count;
}

uint64_t guard_change(const struct guard *guard, size_t at)
{
	return guard->times[(guard->next + at) % guard->operator_->changes_most];
}

void guard_note_change(struct guard *guard, uint64_t at_ms)
{
	guard->times[guard->next] = at_ms > 0 ? at_ms : 1;
	guard->next = (guard->next + 1) % guard->operator_->changes_most;
}

/* ---- addresses ---- */

static unsigned own_bits(const struct prefix *prefix)
{
	return prefix->bits - (prefix_is_v4(prefix) ? (unsigned)ADDRESS_V4_BITS : 0);
}

static bool overlaps(const struct prefix *a, const struct prefix *b)
{
	const struct prefix *wider = a->bits <= b->bits ? a : b, *other = wider == a ? b : a;
	struct prefix same = address_prefix(&other->address, wider->bits);
	return prefix_is_v4(a) == prefix_is_v4(b) && address_equal(&same.address, &wider->address);
}

static bool is_ours(const struct upstream_operator *o, const struct prefix *prefix)
{
	for (size_t i = 0; i < o->prefix_count; i++)
		if (o->prefixes[i].bits <= prefix->bits && overlaps(&o->prefixes[i], prefix))
			return true;
	return false;
}

/* The session's own two ends are never filtered, whether anybody thought of them or not. */
static bool is_spared(const struct upstream_operator *o, const struct prefix *prefix)
{
	const struct prefix peer = {o->peer, ADDRESS_BITS}, local = {o->local, ADDRESS_BITS};
	if (overlaps(prefix, &peer) || overlaps(prefix, &local))
		return true;
	for (size_t i = 0; i < o->spared_count; i++)
		if (overlaps(prefix, &o->spared[i]))
			return true;
	return false;
}

/* ---- visitors ---- */

/* Flags that packets of an ordinary connection have. */
static bool takes_a_visitors_flags(const struct flow_rule *rule)
{
	static const uint32_t usual[] = {0x02, 0xc2, 0x10, 0x18, 0x11, 0x19, 0x04, 0x14, 0x50, 0x58, 0x90, 0x98};
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (flow_rule_takes(rule, FLOW_TCP_FLAGS, usual[i]))
			return true;
	return false;
}

static bool takes_a_visitors_ports(const struct flow_rule *rule, uint32_t port)
{
	return flow_rule_takes(rule, FLOW_DESTINATION_PORT, port) &&
	       flow_rule_takes_any(rule, FLOW_SOURCE_PORT, EPHEMERAL_PORT, 0xffff) &&
	       (flow_rule_takes(rule, FLOW_PORT, port) || flow_rule_takes_any(rule, FLOW_PORT, EPHEMERAL_PORT, 0xffff));
}

/* Whether some packet of a visitor's to the service matches, as far as it depends on more than addresses. */
static bool takes_visitors(const struct flow_rule *rule, const struct operator_service *service)
{
	bool tcp = service->protocol == IPPROTO_TCP;
	if (flow_rule_has(rule, FLOW_ICMP_TYPE) || flow_rule_has(rule, FLOW_ICMP_CODE) ||
	    (flow_rule_has(rule, FLOW_TCP_FLAGS) && !(tcp && takes_a_visitors_flags(rule))))
		return false;
	return flow_rule_takes(rule, FLOW_PROTOCOL, service->protocol) && takes_a_visitors_ports(rule, service->port) &&
	       flow_rule_takes_any(rule, FLOW_PACKET_LENGTH, PACKET_LEAST, PACKET_MOST) &&
	       (flow_rule_takes(rule, FLOW_FRAGMENT, 0) || flow_rule_takes(rule, FLOW_FRAGMENT, FLOW_DONT_FRAGMENT));
}

static bool names_a_source(const struct flow_rule *rule)
{
	unsigned least = rule->v6 ? GUARD_SOURCE_BITS_V6 : GUARD_SOURCE_BITS_V4;
	return rule->source.given && rule->source.offset == 0 && own_bits(&rule->source.prefix) >= least;
}

bool guard_blackholes(const struct upstream_operator *operator_, const struct route *route)
{
	if (route->kind == ROUTE_BLACKHOLE)
		return true;
	if (names_a_source(&route->flow))
		return false;
	for (size_t i = 0; i < operator_->service_count; i++)
		if (takes_visitors(&route->flow, &operator_->services[i]))
			return true;
	return false;
}

/* ---- judging ---- */

static const struct passed *find(const struct guard *guard, const uint8_t *key, size_t len)
{
	uint64_t hash = hash_bytes(&guard->hash_key, slice_make(key, len));
	for (size_t i = 0; i < guard->count; i++) {
		const struct passed *p = &guard->passed[i];
		if (p->hash == hash && p->len == len && memcmp(p->key, key, len) == 0)
			return p;
	}
	return NULL;
}

/* What needs no memory of what passed before. */
static enum guard_verdict judge_route(const struct upstream_operator *o, const struct route *route)
{
	struct prefix destination;
	bool flow = route->kind == ROUTE_FLOW;
	if (flow ? !o->takes_flows : !o->takes_blackholes)
		return GUARD_NOT_TAKEN;
	if (!route_destination(route, &destination))
		return GUARD_NO_DESTINATION;
	unsigned v6 = prefix_is_v4(&destination) ? 0 : 1;
	if (!is_ours(o, &destination))
		return GUARD_FOREIGN;
	if (is_spared(o, &destination) ||
	    (flow && route->flow.source.given && is_spared(o, &route->flow.source.prefix)))
		return GUARD_SPARED;
	if (own_bits(&destination) < (flow ? o->flow_bits[v6] : o->blackhole_bits[v6]))
		return GUARD_WIDE;
	if (!flow && !(o->has_next_hop[v6] && address_equal(&route->next_hop, &o->next_hop[v6])))
		return GUARD_NEXT_HOP;
	return GUARD_PASSES;
}

static enum guard_verdict judge_terms(const struct upstream_operator *o, const struct route *route,
				      const struct guard_terms *terms)
{
	if (terms->until_ms <= terms->now_ms || terms->until_ms - terms->now_ms > (uint64_t)o->lifetime_s * 1000)
		return GUARD_LIFETIME;
	if (terms->yes)
		return GUARD_PASSES;
	if (guard_blackholes(o, route))
		return GUARD_BLACKHOLES;
	return o->all_need_yes ? GUARD_NEEDS_YES : GUARD_PASSES;
}

static bool is_too_fast(const struct guard *guard, uint64_t now_ms)
{
	uint64_t oldest = guard->times[guard->next];
	return oldest != 0 && now_ms - oldest < GUARD_MINUTE_MS;
}

struct judged {
	struct route_line line;
	size_t len;
	uint8_t key[ROUTE_KEY_BYTES];
	const struct passed *before; /* the same route, as it passed before */
	bool changes;                /* something at the router */
};

static enum guard_verdict judge(const struct guard *guard, struct slice text, const struct guard_terms *terms,
				bool adopts, struct judged *j)
{
	const struct upstream_operator *o = guard->operator_;
	if (!route_line_read(text, &j->line))
		return GUARD_UNREADABLE;
	if (!address_equal(&j->line.neighbor, &o->peer))
		return GUARD_OTHER_NEIGHBOR;
	j->len = route_key(&j->line.route, j->key);
	if (j->len == 0)
		return GUARD_TOO_LONG;
	j->before = find(guard, j->key, j->len);
	if (j->line.withdraw)
		return j->before != NULL ? GUARD_PASSES : GUARD_ABSENT;
	j->changes = j->before == NULL || j->before->rate_bytes != j->line.route.rate_bytes;
	enum guard_verdict verdict = judge_route(o, &j->line.route);
	if (verdict == GUARD_PASSES)
		verdict = judge_terms(o, &j->line.route, terms);
	if (verdict == GUARD_PASSES && j->before == NULL && guard->count == o->rules_most)
		verdict = GUARD_FULL;
	if (verdict == GUARD_PASSES && j->changes && !adopts && is_too_fast(guard, terms->now_ms))
		verdict = GUARD_FAST;
	return verdict;
}

enum guard_verdict guard_judge(const struct guard *guard, struct slice line, const struct guard_terms *terms)
{
	struct judged j;
	return judge(guard, line, terms, false, &j);
}

static void note(struct guard *guard, const struct judged *j, uint64_t now_ms, bool adopts)
{
	struct passed *before = (struct passed *)j->before;
	if (j->line.withdraw) {
		*before = guard->passed[--guard->count];
		return;
	}
	if (before == NULL) {
		before = &guard->passed[guard->count++];
		before->hash = hash_bytes(&guard->hash_key, slice_make(j->key, j->len));
		before->len = j->len;
		memcpy(before->key, j->key, j->len);
	}
	before->rate_bytes = j->line.route.rate_bytes;
	if (j->changes && !adopts)
		guard_note_change(guard, now_ms);
}

static enum guard_verdict pass(struct guard *guard, struct slice line, const struct guard_terms *terms, bool adopts)
{
	struct judged j;
	enum guard_verdict verdict = judge(guard, line, terms, adopts, &j);
	if (verdict == GUARD_PASSES)
		note(guard, &j, terms->now_ms, adopts);
	return verdict;
}

enum guard_verdict guard_pass(struct guard *guard, struct slice line, const struct guard_terms *terms)
{
	return pass(guard, line, terms, false);
}

enum guard_verdict guard_adopt(struct guard *guard, struct slice line, const struct guard_terms *terms)
{
	return pass(guard, line, terms, true);
}
