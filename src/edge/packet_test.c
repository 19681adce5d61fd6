/*
 * What the compiled program makes of packets that nobody would send, against a plain reading of the same bytes: made
 * at random, of headers in any order, then cut and damaged. Skipped where BPF is not allowed.
 */
#include "edge/test_loaded.h"

#include "base/random.h"
#include "base/reader.h"

#include <sched.h>

enum { FRAME_MOST = 8192, ETHERNET_BYTES = 14, PACKETS = 40000 };

/* ---- a plain reading ---- */

enum kind { KIND_MALFORMED, KIND_OTHER, KIND_PLAIN, KIND_FRAGMENT, KIND_UDP, KIND_SYN };

struct reading {
	enum kind kind;
	bool v6;
	struct address from;
};

static uint32_t number(struct reader *r, unsigned bytes)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | reader_byte(r);
	return value;
}

static enum kind read_transport(struct reader *r, unsigned protocol)
{
	if (protocol == 6) {
		struct slice tcp = reader_take(r, 20);
		if (tcp.len < 20 || tcp.ptr[12] >> 4 < 5)
			return KIND_MALFORMED;
		return (tcp.ptr[13] & 0x17) == 2 ? KIND_SYN : KIND_PLAIN;
	}
	if (protocol == 17)
		return reader_take(r, 8).len == 8 ? KIND_UDP : KIND_MALFORMED;
	return KIND_PLAIN;
}

static void read_v4(struct reader *r, struct reading *reading)
{
	struct slice ip = reader_take(r, 20);
	if (ip.len < 20)
		return;
	size_t bytes = (size_t)(ip.ptr[0] & 15) * 4;
	reading->from = address_from_v4(ip.ptr + 12);
	if (ip.ptr[0] >> 4 != 4 || bytes < 20 || (size_t)(ip.ptr[2] << 8 | ip.ptr[3]) < bytes)
		return;
	reader_skip(r, bytes - 20);
	if (r->overrun)
		return;
	bool part = (ip.ptr[6] & 0x3f) != 0 || ip.ptr[7] != 0;
	reading->kind = part ? KIND_FRAGMENT : read_transport(r, ip.ptr[9]);
}

static void read_v6(struct reader *r, struct reading *reading)
{
	struct slice ip = reader_take(r, 40);
	if (ip.len < 40 || ip.ptr[0] >> 4 != 6)
		return;
	reading->v6 = true;
	reading->from = address_from_v6(ip.ptr + 8);
	unsigned next = ip.ptr[6];
	for (unsigned i = 0; next == 0 || next == 43 || next == 60 || next == 51 || next == 44; i++) {
		struct slice head = slice_sub(reader_rest(r), 0, reader_left(r) < 8 ? reader_left(r) : 8);
		if (head.len < 8 || i == 6)
			return;
		if (next == 44 && (head.ptr[2] != 0 || (head.ptr[3] & 0xf9) != 0)) {
			reading->kind = KIND_FRAGMENT;
			return;
		}
		reader_skip(r, next == 44 ? 8 : next == 51 ? (head.ptr[1] + 2u) * 4 : (head.ptr[1] + 1u) * 8);
		if (r->overrun)
			return;
		next = head.ptr[0];
	}
	reading->kind = read_transport(r, next);
}

static struct reading read_packet(struct slice frame)
{
	struct reading reading = {.kind = KIND_MALFORMED};
	struct reader r = reader_make(frame);
	reader_skip(&r, 12);
	uint32_t type = number(&r, 2);
	for (unsigned tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); tags++) {
		reader_skip(&r, 2);
		type = number(&r, 2);
	}
	if (r.overrun)
		return reading;
	if (type == 0x0800)
		read_v4(&r, &reading);
	else if (type == 0x86dd)
		read_v6(&r, &reading);
	else
		reading.kind = KIND_OTHER;
	return reading;
}

/* ---- who is banned ---- */

static const struct rule {
	const char *prefix;
	enum ban_kind kind;
	enum ban_rank rank;
} RULES[] = {
	{"10.1.0.0/16", BAN_REFUSE, BAN_AUTOMATIC},       {"10.1.7.0/24", BAN_ALLOW, BAN_LISTED},
	{"10.1.7.9", BAN_REFUSE, BAN_BY_PERSON},          {"192.0.2.0/25", BAN_REFUSE, BAN_LISTED},
	{"192.0.2.0/31", BAN_ALLOW, BAN_LISTED},          {"192.0.2.1", BAN_ALLOW, BAN_AUTOMATIC},
	{"2001:db8::/48", BAN_REFUSE, BAN_AUTOMATIC},     {"2001:db8:0:7::/64", BAN_ALLOW, BAN_LISTED},
	{"2001:db8:1:2::/64", BAN_REFUSE, BAN_AUTOMATIC}, {"2001:db8:2::1", BAN_REFUSE, BAN_BY_PERSON},
};
enum { RULE_COUNT = sizeof(RULES) / sizeof(RULES[0]) };
static struct prefix prefixes[RULE_COUNT];

static bool rule_has(unsigned i, const struct reading *reading)
{
	return prefix_has(&prefixes[i], &reading->from) && reading->v6 != prefix_is_v4(&prefixes[i]);
}

/* EDGE_CLEAN, EDGE_BANNED or EDGE_ALLOWED: of ranks the highest, of one rank the longest, of those the allowance. */
static enum edge_reason word_on(const struct reading *reading)
{
	const struct rule *ban = NULL;
	unsigned ban_bits = 0;
	for (unsigned i = 0; i < RULE_COUNT; i++)
		if (RULES[i].kind == BAN_REFUSE && rule_has(i, reading) && (ban == NULL || RULES[i].rank > ban->rank)) {
			ban = &RULES[i];
			ban_bits = prefixes[i].bits;
		}
	if (ban == NULL)
		return EDGE_CLEAN;
	for (unsigned i = 0; i < RULE_COUNT; i++)
		if (RULES[i].kind == BAN_ALLOW && rule_has(i, reading) &&
		    (RULES[i].rank > ban->rank || (RULES[i].rank == ban->rank && prefixes[i].bits >= ban_bits)))
			return EDGE_ALLOWED;
	return EDGE_BANNED;
}

/* Budgets are spent, so that its kind is seen; but a SYN may be the first of its destination, or a stranger's. */
static bool may_be(const struct reading *reading, enum edge_reason reason, bool strangers_wait)
{
	if (reading->kind == KIND_MALFORMED || reading->kind == KIND_OTHER)
		return reason == (reading->kind == KIND_OTHER ? EDGE_OTHER : EDGE_MALFORMED);
	enum edge_reason word = word_on(reading);
	if (word == EDGE_BANNED || reading->kind == KIND_PLAIN)
		return reason == word;
	if (reading->kind == KIND_SYN)
		return reason == word || reason == EDGE_SYN_LEFT || (strangers_wait && reason == EDGE_STRANGER_OVER);
	return reason == (reading->kind == KIND_UDP ? EDGE_UDP_OVER : EDGE_FRAGMENT_OVER);
}

/* ---- packets ---- */

struct made {
	uint8_t bytes[FRAME_MOST];
	size_t len;
	uint64_t random;
};

static uint32_t below(struct made *made, uint32_t limit)
{
	return (uint32_t)(random_next(&made->random) >> 32) % limit;
}

static void put(struct made *made, uint64_t value, unsigned bytes)
{
	while (bytes-- > 0)
		made->bytes[made->len++] = (uint8_t)(value >> 8 * bytes);
}

static void put_transport(struct made *made, unsigned protocol)
{
	static const uint8_t flags[] = {2, 0x12, 0x10, 3, 6, 0xc2, 0};
	if (protocol == 6) {
		put(made, below(made, 65536), 2);
		put(made, 443 + below(made, 2), 2);
		put(made, random_next(&made->random), 8);
		put(made, (uint64_t)(below(made, 12) + 4) << 4, 1);
		put(made, flags[below(made, sizeof(flags))], 1);
		put(made, 0, 6);
	}
	for (unsigned i = below(made, 24); i > 0; i--)
		put(made, below(made, 256), 1);
}

static const uint8_t PROTOCOLS[] = {6, 6, 6, 17, 17, 1, 58, 50, 59, 0, 43, 60, 51, 44};

static uint8_t some_protocol(struct made *made)
{
	return PROTOCOLS[below(made, sizeof(PROTOCOLS))];
}

static void put_v4(struct made *made)
{
	static const uint32_t from[] = {0x0a010000, 0x0a010700, 0x0a010709, 0xc0000200, 0xc0000280, 0x0a020000, 0};
	uint8_t protocol = some_protocol(made);
	uint32_t options = below(made, 3) == 0 ? below(made, 11) : 0;
	uint32_t part = below(made, 4) != 0 ? 0x4000 * below(made, 2) : below(made, 0x4000);
	put(made, 0x45 + options, 1);
	put(made, 0, 1);
	put(made, 20 + options * 4 + below(made, 40), 2);
	put(made, below(made, 65536), 2);
	put(made, part, 2);
	put(made, 64, 1);
	put(made, protocol, 1);
	put(made, 0, 2);
	put(made, from[below(made, sizeof(from) / sizeof(from[0]))] + below(made, 2), 4);
	put(made, 0xcb007101, 4);
	put(made, 0x0101010101010101, options > 1 ? 8 : options * 4);
	for (uint32_t i = 2; i < options; i++)
		put(made, 0, 4);
	put_transport(made, protocol);
}

static void put_extension(struct made *made, uint8_t protocol, uint8_t next)
{
	uint32_t length = protocol == 44 ? below(made, 2) * below(made, 256) : below(made, 4);
	uint32_t bytes = protocol == 44 ? 8 : protocol == 51 ? (length + 2) * 4 : (length + 1) * 8;
	put(made, next, 1);
	put(made, length, 1);
	put(made, below(made, 2) * below(made, 65536), 2);
	for (uint32_t i = 4; i < bytes; i++)
		put(made, 0, 1);
}

static void put_v6(struct made *made)
{
	static const uint64_t from[] = {0x20010db800000000, 0x20010db800000007, 0x20010db800010002,
					0x20010db800020000, 0x20010db800030000, 0};
	uint64_t low[] = {1, random_next(&made->random), 0xffff0a010001};
	unsigned extensions = below(made, 3) == 0 ? below(made, 8) : 0;
	uint8_t protocol = extensions > 0 ? PROTOCOLS[9 + below(made, 5)] : some_protocol(made);
	put(made, 0x60000000, 4);
	put(made, below(made, 65536), 2);
	put(made, protocol, 1);
	put(made, 64, 1);
	put(made, from[below(made, sizeof(from) / sizeof(from[0]))], 8);
	put(made, low[below(made, 3)], 8);
	put(made, 0x20010db8ffff0000, 8);
	put(made, 1, 8);
	for (unsigned i = 0; i < extensions; i++) {
		uint8_t next = i + 1 < extensions ? PROTOCOLS[9 + below(made, 5)] : some_protocol(made);
		put_extension(made, protocol, next);
		protocol = next;
	}
	put_transport(made, protocol);
}

static void make(struct made *made)
{
	made->len = 0;
	put(made, 0x020000000001, 6);
	put(made, 0x020000000002, 6);
	for (unsigned tags = below(made, 3) == 0 ? below(made, 4) : 0; tags > 0; tags--)
		put(made, (below(made, 2) ? 0x81000000u : 0x88a80000u) | below(made, 4096), 4);
	uint32_t dice = below(made, 16);
	put(made, dice == 0 ? 0x0806 : dice & 1 ? 0x0800 : 0x86dd, 2);
	if (dice & 1)
		put_v4(made);
	else
		put_v6(made);
	if (below(made, 3) == 0)
		made->len = ETHERNET_BYTES + below(made, (uint32_t)(made->len - ETHERNET_BYTES + 1));
	for (unsigned damage = below(made, 3); damage > 0; damage--)
		made->bytes[12 + below(made, (uint32_t)(made->len - 12))] = (uint8_t)below(made, 256);
}

/* ---- the program ---- */

static enum edge_reason run(struct slice frame)
{
	static uint8_t out[FRAME_MOST + 64];
	struct edge_counts before, after;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.ptr, .data_size_in = (uint32_t)frame.len,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);
	enum edge_reason reason = EDGE_REASONS;
	assert_int_equal(edge_count(&edge, &before), 0);
	assert_int_equal(bpf_prog_test_run_opts(loaded.program, &options), 0);
	assert_int_equal(edge_count(&edge, &after), 0);
	for (unsigned i = 0; i < EDGE_REASONS; i++)
		if (after.packets[i] != before.packets[i]) {
			assert_int_equal(after.packets[i] - before.packets[i], 1);
			assert_int_equal(reason, EDGE_REASONS);
			reason = (enum edge_reason)i;
		}
	assert_int_not_equal(reason, EDGE_REASONS);
	assert_int_equal(options.retval, reason >= EDGE_FIRST_DROP ? XDP_DROP : XDP_PASS);
	return reason;
}

static const uint8_t DATAGRAM[] = {2, 0,  0,  0, 0, 1, 2, 0, 0, 0,   0, 2,   8, 0, 0x45, 0, 0,  28, 0, 1, 0,
				   0, 64, 17, 0, 0, 9, 9, 9, 9, 203, 0, 113, 1, 0, 53,   0, 53, 0,  8, 0, 0};

static void fail_at(unsigned packet, struct slice frame, enum edge_reason reason)
{
	char hex[2 * 256 + 1];
	size_t shown = frame.len < 256 ? frame.len : 256;
	for (size_t i = 0; i < shown; i++)
		snprintf(hex + 2 * i, 3, "%02x", frame.ptr[i]);
	fail_msg("packet %u: %s: %s", packet, edge_reason_texts[reason], hex);
}

static void packets_are_read_as_they_stand(void **state)
{
	(void)state;
	struct made *made = calloc(1, sizeof(*made));
	assert_non_null(made);
	made->random = 20240710;
	unsigned seen[EDGE_REASONS] = {0};
	for (unsigned i = 0; i < PACKETS; i++) {
		make(made);
		struct slice frame = slice_make(made->bytes, made->len);
		struct reading reading = read_packet(frame);
		bool strangers_wait = i % 2 == 1;
		edge.table.control->strangers_until = strangers_wait ? EDGE_FOR_EVER : 0;
		enum edge_reason reason = run(frame);
		if (!may_be(&reading, reason, strangers_wait))
			fail_at(i, frame, reason);
		seen[reason]++;
	}
	free(made);
	for (enum edge_reason reason = 0; reason < EDGE_FIRST_ANSWER; reason++)
		if (seen[reason] < PACKETS / 1000)
			fail_msg("only %u of %s", seen[reason], edge_reason_texts[reason]);
}

/* Of a packet in parts the first alone is seen: what lies beyond it is no fault of the packet. */
static void packets_in_parts(void **state)
{
	(void)state;
	struct made *made = calloc(1, sizeof(*made));
	assert_non_null(made);
	make(made);
	made->len = ETHERNET_BYTES - 2;
	put(made, 0x86dd, 2);
	put(made, 0x6000000000000040, 8);
	put(made, 0x20010db8ffff0000, 8);
	put(made, 1, 8);
	put(made, 0x20010db8ffff0000, 8);
	put(made, 2, 8);
	for (unsigned i = 0; i < 3; i++) {
		size_t from = made->len;
		put(made, 0x00ff, 2); /* options of 2,048 bytes: the third lies behind the first part */
		made->len = from + 2048;
	}
	assert_int_equal(run(slice_make(made->bytes, 6000)), EDGE_CLEAN);
	assert_int_equal(run(slice_make(made->bytes, 3000)), EDGE_MALFORMED);
	made->bytes[26] = made->bytes[27] = 0; /* from 2001:db8:: */
	assert_int_equal(run(slice_make(made->bytes, 6000)), EDGE_BANNED);
	free(made);
}

static int try_say(const char *text, enum ban_kind kind, unsigned rank, uint64_t expires_ms)
{
	struct prefix prefix;
	assert_true(prefix_parse(slice_from_string(text), &prefix));
	const struct ban_entry entry = {prefix.address, expires_ms, 90, prefix.bits, (uint8_t)kind, (uint8_t)rank, 0};
	return edge_say(&edge, &entry, now_ms());
}

static void say(const char *text, enum ban_kind kind, unsigned rank, uint64_t expires_ms)
{
	assert_int_equal(try_say(text, kind, rank, expires_ms), 0);
}

/* Said while it holds, on however slow a machine. -> when it is over */
static uint64_t allow_for_a_moment(const char *text)
{
	enum { TRIES = 50 };
	uint64_t soon_ms = 0;
	int said = EDGE_ABSENT;
	for (unsigned i = 0; i < TRIES && said == EDGE_ABSENT; i++) {
		soon_ms = now_ms() + 600;
		said = try_say(text, BAN_ALLOW, BAN_BY_PERSON, soon_ms);
	}
	assert_int_equal(said, 0);
	return soon_ms;
}

/* What becomes of a packet without a budget. */
static enum edge_reason reason_for(const char *source)
{
	enum { PROTOCOL_AT = 23, SOURCE_AT = 26, ICMP = 1 };
	uint8_t bytes[sizeof(DATAGRAM)];
	struct prefix who;
	assert_true(prefix_parse(slice_from_string(source), &who) && prefix_is_v4(&who));
	memcpy(bytes, DATAGRAM, sizeof(bytes));
	bytes[PROTOCOL_AT] = ICMP;
	memcpy(bytes + SOURCE_AT, who.address.bytes + 12, 4);
	return run(slice_make(bytes, sizeof(bytes)));
}

/*
 * What the edge drops the gate would refuse, also where a ban is in pieces and where allowances lie one within another:
 * of one rank the longest holds, and what is over hides nothing.
 */
static void who_is_allowed_is_not_dropped(void **state)
{
	static const struct {
		const char *source;
		enum edge_reason reason;
	} cases[] = {
		{"203.0.113.1", EDGE_ALLOWED},  {"203.0.113.65", EDGE_BANNED}, {"203.0.113.7", EDGE_BANNED},
		{"203.0.113.63", EDGE_ALLOWED}, {"198.18.2.1", EDGE_ALLOWED},  {"198.18.4.1", EDGE_BANNED},
		{"100.99.1.1", EDGE_ALLOWED},   {"100.99.1.2", EDGE_ALLOWED},  {"100.99.2.1", EDGE_BANNED},
		{"10.7.0.4", EDGE_ALLOWED},     {"10.7.0.5", EDGE_ALLOWED},    {"198.19.0.9", EDGE_BANNED},
		{"198.19.0.129", EDGE_BANNED},
	};
	(void)state;
	/* In pieces: the shorter ban does not hold against the longer allowance, and one address of it is banned again.
	 */
	say("203.0.113.0/25", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	say("203.0.113.0/26", BAN_ALLOW, BAN_BY_PERSON, BAN_FOR_EVER);
	say("203.0.113.7", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	say("198.18.0.0/20", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	say("198.18.2.0/23", BAN_ALLOW, BAN_BY_PERSON, BAN_FOR_EVER);
	/* A whole network that is allowed does not bear on a longer ban in pieces. */
	say("198.19.0.0/24", BAN_ALLOW, BAN_BY_PERSON, BAN_FOR_EVER);
	say("198.19.0.0/25", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	say("198.19.0.128/26", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	/* An allowance that is over, within one that is not. */
	say("100.99.0.0/16", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	say("100.99.1.0/24", BAN_ALLOW, BAN_BY_PERSON, BAN_FOR_EVER);
	uint64_t soon_ms = allow_for_a_moment("100.99.1.1");
	/* A proxy of ours, whatever a person says of it and of who is beside it. */
	say("10.7.0.0/16", BAN_ALLOW, BAN_RANKS, BAN_FOR_EVER);
	say("10.7.0.4/31", BAN_ALLOW, BAN_BY_PERSON, BAN_FOR_EVER);
	say("10.7.0.5", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	say("10.7.0.4/30", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	while (now_ms() <= soon_ms)
		usleep(50000);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum edge_reason reason = reason_for(cases[i].source);
		if (reason != cases[i].reason)
			fail_msg("%s: %s", cases[i].source, edge_reason_texts[reason]);
	}
}

static int spend(void **state)
{
	(void)state;
	static const struct edge_budget spent = {(uint64_t)1 << 62, 0};
	cpu_set_t here;
	begin(UNBOUND);
	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here); /* a budget is a processor's */
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
	uint8_t part[sizeof(DATAGRAM)];
	edge.table.control->budgets[EDGE_BUDGET_UDP] = spent;
	edge.table.control->budgets[EDGE_BUDGET_FRAGMENTS] = spent;
	edge.table.control->budgets[EDGE_BUDGET_SYN] = spent;
	edge.table.control->strangers = spent;
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		assert_true(prefix_parse(slice_from_string(RULES[i].prefix), &prefixes[i]));
		const struct ban_entry entry = {prefixes[i].address,    BAN_FOR_EVER,           1 + i, prefixes[i].bits,
						(uint8_t)RULES[i].kind, (uint8_t)RULES[i].rank, 0};
		assert_int_equal(edge_say(&edge, &entry, 1), 0);
	}
	memcpy(part, DATAGRAM, sizeof(part));
	part[20] = 0x20; /* more fragments */
	run(slice_make(DATAGRAM, sizeof(DATAGRAM)));
	run(slice_make(part, sizeof(part)));
	return 0;
}

LOADED_TEST_MAIN(spend, cmocka_unit_test(packets_are_read_as_they_stand), cmocka_unit_test(packets_in_parts),
		 cmocka_unit_test(who_is_allowed_is_not_dropped))
