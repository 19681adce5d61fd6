/* The compiled program, run by the kernel on packets that are data. Skipped where BPF is not allowed. */
#include "edge/test_program.h"

#include "base/file.h"

#include <endian.h>
#include <stdlib.h>
#include <unistd.h>

/* In less no budget of one a second has room for one more than it began with, and no flood is over (SYN_CALM_NS). */
enum { BUDGET_MS = 900 };

static void say_those_of_the_cases(void)
{
	say_hour("192.0.2.7", BAN_REFUSE, BAN_AUTOMATIC, 11);
	say_hour("198.51.100.0/24", BAN_REFUSE, BAN_AUTOMATIC, 12);
	say_hour("198.51.100.128/25", BAN_ALLOW, BAN_LISTED, 0);
	say_hour("198.51.100.200", BAN_REFUSE, BAN_BY_PERSON, 13);
	say_hour("100.70.0.0/16", BAN_REFUSE, BAN_AUTOMATIC, 14);
	say_hour("100.64.16.0/20", BAN_REFUSE, BAN_AUTOMATIC, 15);
	say_hour("192.0.2.64/30", BAN_REFUSE, BAN_AUTOMATIC, 16);
	say_hour("2001:db8::7", BAN_REFUSE, BAN_AUTOMATIC, 17);
	say_hour("2001:db8:0:5::/64", BAN_REFUSE, BAN_AUTOMATIC, 18);
	say_hour("2001:db8:9::/48", BAN_REFUSE, BAN_AUTOMATIC, 19);
	say_hour("2001:db8:9:42::/64", BAN_ALLOW, BAN_LISTED, 0);
	say_hour("2001:db8:7:1200::/56", BAN_REFUSE, BAN_AUTOMATIC, 20);
	/* Nothing is left of what was lifted, and what has ended does not begin. */
	say_hour("192.0.2.1", BAN_REFUSE, BAN_AUTOMATIC, 21);
	assert_int_equal(try_say("192.0.2.1", BAN_LIFTED, BAN_AUTOMATIC, 0, 21), 0);
	assert_int_equal(try_say("192.0.2.6", BAN_REFUSE, BAN_AUTOMATIC, now_ms() - 1000, 22), EDGE_ABSENT);
}

static void packets_go_where_they_should(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case one;
	begin(UNBOUND);
	say_those_of_the_cases();
	test_cases_open(&cases, "tests/data/edge/packets.cases");
	while (test_cases_next(&cases, &one)) {
		uint8_t bytes[FRAME_MOST];
		struct slice frame = unhex(one.column[2], bytes);
		const char *reason = edge_reason_texts[run(frame).reason];
		if (!slice_equal(one.column[1], slice_from_string(reason)))
			fail_msg("line %u: %.*s: %s", one.line, SLICE_ARG(one.column[0]), reason);
	}
	test_cases_close(&cases);
	end();
}

/* However short, and with any one byte another, a packet is passed or dropped, counted once, and the kernel goes on. */
static void packets_cut_and_damaged(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case one;
	begin(UNBOUND);
	say_those_of_the_cases();
	test_cases_open(&cases, "tests/data/edge/packets.cases");
	while (test_cases_next(&cases, &one)) {
		uint8_t bytes[FRAME_MOST];
		struct slice frame = unhex(one.column[2], bytes);
		for (size_t length = 14; length < frame.len; length++)
			run(slice_make(bytes, length));
		for (size_t at = 12; at < frame.len && at < 80; at++) {
			uint8_t was = bytes[at];
			bytes[at] = (uint8_t)(was ^ (1 << at % 8));
			run(frame);
			bytes[at] = 0xff;
			run(frame);
			bytes[at] = was;
		}
	}
	test_cases_close(&cases);
	end();
}

/* A budget's first packets pass, and an allowance makes no difference: sources can be forged. */
static void budgets_hold_also_for_the_allowed(void **state)
{
	(void)state;
	static const struct edge_limits limits[EDGE_BUDGETS] = {
		[EDGE_BUDGET_UDP] = {1, 100},
		[EDGE_BUDGET_UDP_PORT] = {1, 5},
		[EDGE_BUDGET_FRAGMENTS] = {1, 3},
	};
	uint8_t bytes[FRAME_MOST];
	unsigned datagrams, fragments, rounds = 0;
	enum edge_reason reason;
	bool late;
	do {
		begin(limits);
		say_hour("10.0.0.1", BAN_ALLOW, BAN_BY_PERSON, 0);
		uint64_t began_ms = clock_monotonic_ms();
		datagrams = count_of(frame_of(DATAGRAM, bytes), 100, EDGE_UDP_OVER);
		struct slice other = frame_of(DATAGRAM, bytes);
		bytes[36] = 0x11; /* another port is not the flooded one */
		reason = run(other).reason;
		fragments = count_of(frame_of(FRAGMENT, bytes), 100, EDGE_FRAGMENT_OVER);
		late = took_longer(began_ms, BUDGET_MS, &rounds);
		end();
	} while (late);
	assert_int_equal(datagrams, 95);
	assert_int_equal(reason, EDGE_CLEAN);
	assert_int_equal(fragments, 97);
}

static uint32_t sum_of(const uint8_t *bytes, size_t count, uint32_t sum)
{
	for (size_t i = 0; i < count; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void check_answer(const struct ran *ran, const uint8_t *asked, size_t ip_at, size_t ip_bytes,
			 size_t addresses_at)
{
	const uint8_t *ip = ran->frame + ip_at, *tcp = ip + ip_bytes;
	size_t each = ip_bytes == 20 ? 4 : 16;
	assert_int_equal(ran->bytes, ip_at + ip_bytes + 24);
	assert_memory_equal(ran->frame, asked + 6, 6);
	assert_memory_equal(ran->frame + 6, asked, 6);
	assert_memory_equal(ran->frame + 12, asked + 12, ip_at - 12);
	assert_memory_equal(ip + addresses_at, asked + ip_at + addresses_at + each, each);
	assert_memory_equal(ip + addresses_at + each, asked + ip_at + addresses_at, each);
	assert_memory_equal(tcp, "\x01\xbb\x9c\x40", 4);
	assert_memory_equal(tcp + 8, "\0\0\0\2", 4);
	assert_int_equal(tcp[12] >> 4, 6);
	assert_int_equal(tcp[13], 0x12);
	if (ip_bytes == 20)
		assert_int_equal(folded(sum_of(ip, 20, 0)), 0xffff);
	assert_int_equal(folded(sum_of(tcp, 24, sum_of(ip + addresses_at, each * 2, 6 + 24))), 0xffff);
}

static void syns_above_the_budget_are_answered(void **state)
{
	(void)state;
	static const struct edge_limits limits[EDGE_BUDGETS] = {[EDGE_BUDGET_SYN_PORT] = {1, 4}};
	static const char *const frames[] = {SYN, SYN6};
	for (unsigned i = 0; i < 2; i++) {
		uint8_t bytes[FRAME_MOST];
		struct slice frame = frame_of(frames[i], bytes);
		unsigned left, then, rounds = 0;
		struct ran ran;
		bool late;
		do {
			begin(limits);
			edge.table.control->answers = 0;
			uint64_t began_ms = clock_monotonic_ms();
			left = count_of(frame, 50, EDGE_SYN_LEFT);
			then = count_of(frame, 20, EDGE_SYN_LEFT);
			edge.table.control->answers = 1;
			ran = run(frame);
			late = took_longer(began_ms, BUDGET_MS, &rounds);
			end();
		} while (late);
		assert_int_equal(left, 46);
		assert_int_equal(then, 20);
		assert_int_equal(ran.reason, EDGE_SYN_ANSWERED);
		if (i == 0)
			check_answer(&ran, bytes, 14, 20, 12);
		else
			check_answer(&ran, bytes, 18, 40, 8);
	}
}

static uint64_t tracked_now(void)
{
	struct buffer text = buffer_make(NULL);
	assert_int_equal(file_read("/proc/sys/net/netfilter/nf_conntrack_count", 32, &text), 0);
	buffer_byte(&text, 0);
	uint64_t count = strtoull((const char *)text.ptr, NULL, 10);
	buffer_free(&text);
	return count;
}

/* The SYN in the frame, whose cookie was in the answer, becomes the ACK to that. */
static void make_ack(uint8_t *tcp, const uint8_t *answer)
{
	uint32_t cookie;
	memcpy(&cookie, answer + 4, sizeof(cookie));
	cookie = htobe32(be32toh(cookie) + 1);
	memcpy(tcp + 4, "\0\0\0\2", 4);
	memcpy(tcp + 8, &cookie, sizeof(cookie));
	tcp[13] = 0x10;
}

/* Where the host tracks connections, the ACK to an answer of the edge's has an entry before the kernel has the packet.
 */
static void an_answered_handshake_is_tracked(void **state)
{
	(void)state;
	static const struct edge_limits limits[EDGE_BUDGETS] = {[EDGE_BUDGET_SYN_PORT] = {1, 1}};
	static const char *const frames[] = {SYN, SYN6};
	static const size_t tcp_at[] = {34, 58};
	if (unshare(CLONE_NEWNET) != 0 || edge_tracked() < 0 ||
	    access("/proc/sys/net/netfilter/nf_conntrack_count", R_OK) != 0)
		skip();
	assert_int_equal(edge_tracked(), 0);
	begin(limits);
	edge.table.control->answers = 1;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t bytes[FRAME_MOST];
		struct slice frame = frame_of(frames[i], bytes);
		struct ran ran = run(frame);
		while (ran.reason != EDGE_SYN_ANSWERED)
			ran = run(frame);
		make_ack(bytes + tcp_at[i], ran.frame + tcp_at[i]);
		uint64_t before = tracked_now();
		edge.table.control->tracks = 0;
		assert_int_equal(run(frame).reason, EDGE_CLEAN);
		assert_int_equal(tracked_now(), before);
		edge.table.control->tracks = 1;
		bytes[tcp_at[i] + 8] ^= 1; /* forged */
		assert_int_equal(run(frame).reason, EDGE_CLEAN);
		assert_int_equal(tracked_now(), before);
		bytes[tcp_at[i] + 8] ^= 1;
		for (unsigned again = 0; again < 3; again++) {
			assert_int_equal(run(frame).reason, EDGE_CLEAN);
			assert_int_equal(tracked_now(), before + 1);
		}
		assert_int_equal(edge_tracked(), 1);
	}
	end();
}

/* Above the budget of all ports, each destination's first SYN still goes to the kernel, whose cookies depend on it. */
static void a_quiet_listener_gets_its_first_syn(void **state)
{
	(void)state;
	static const struct edge_limits limits[EDGE_BUDGETS] = {
		[EDGE_BUDGET_SYN] = {1, 2}, [EDGE_BUDGET_SYN_PORT] = {100, 100}};
	uint8_t bytes[FRAME_MOST];
	enum edge_reason first, second;
	unsigned left, rounds = 0;
	bool late;
	do {
		begin(limits);
		uint64_t began_ms = clock_monotonic_ms();
		struct slice frame = frame_of(SYN, bytes);
		left = count_of(frame, 20, EDGE_SYN_LEFT);
		bytes[36] = 0x50; /* another port */
		first = run(frame).reason;
		second = run(frame).reason;
		late = took_longer(began_ms, BUDGET_MS, &rounds);
		end();
	} while (late);
	assert_int_equal(left, 18);
	assert_int_equal(first, EDGE_CLEAN);
	assert_int_equal(second, EDGE_SYN_LEFT);
}

/* In a flood of SYNs none passes but the first ones; some time after it they do again. */
static void a_flood_of_syns_passes_no_more(void **state)
{
	(void)state;
	static const struct edge_limits limits[EDGE_BUDGETS] = {[EDGE_BUDGET_SYN_PORT] = {20, 3}};
	uint8_t bytes[FRAME_MOST];
	begin(limits);
	struct slice frame = frame_of(SYN, bytes);
	uint64_t flooded_ms;
	unsigned later, rounds = 0;
	do {
		flooded_ms = clock_monotonic_ms();
		count_of(frame, 100, EDGE_SYN_LEFT);
		usleep(300000); /* a budget of six, had it been spent only by those that passed */
		later = count_of(frame, 1, EDGE_SYN_LEFT);
	} while (took_longer(flooded_ms, BUDGET_MS, &rounds));
	assert_int_equal(later, 1);
	for (flooded_ms = clock_monotonic_ms(); clock_monotonic_ms() - flooded_ms < 2000;)
		usleep(100000);
	assert_int_equal(run(frame).reason, EDGE_CLEAN);
	end();
}

enum { FLOOD = 200 };

/* Where nearly all are banned the tables are asked without the bits before them: for nobody that changes anything. */
static void packets_go_where_they_should_in_a_flood_of_the_banned(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case one;
	uint8_t flood_bytes[FRAME_MOST];
	struct slice flood = frame_of(DATAGRAM, flood_bytes);
	begin(UNBOUND);
	say_those_of_the_cases();
	say_hour("10.0.0.1", BAN_REFUSE, BAN_AUTOMATIC, 23);
	test_cases_open(&cases, "tests/data/edge/packets.cases");
	while (test_cases_next(&cases, &one)) {
		uint8_t bytes[FRAME_MOST];
		struct slice frame = unhex(one.column[2], bytes);
		assert_int_equal(count_of(flood, FLOOD, EDGE_BANNED), FLOOD);
		const char *reason = edge_reason_texts[run(frame).reason];
		if (!slice_equal(one.column[1], slice_from_string(reason)))
			fail_msg("line %u: %.*s: %s", one.line, SLICE_ARG(one.column[0]), reason);
	}
	test_cases_close(&cases);
	end();
}

/* Bits that are missing, which never happens, tell whether they were asked. */
static void bits_are_asked_but_in_a_flood_of_the_banned(void **state)
{
	(void)state;
	uint8_t bytes[FRAME_MOST], flood_bytes[FRAME_MOST];
	struct slice flood = frame_of(DATAGRAM, flood_bytes), other = frame_of(DATAGRAM, bytes);
	bytes[29] = 2; /* 10.0.0.2 */
	begin(UNBOUND);
	say_hour("10.0.0.1", BAN_REFUSE, BAN_AUTOMATIC, 1);
	assert_int_equal(count_of(flood, FLOOD, EDGE_BANNED), FLOOD);
	memset(edge.table.v4_some, 0, edge.mapped_bytes[EDGE_MAP_v4_some]);
	assert_int_equal(count_of(flood, FLOOD, EDGE_BANNED), FLOOD);
	assert_int_equal(count_of(other, FLOOD, EDGE_CLEAN), FLOOD);
	assert_int_equal(run(flood).reason, EDGE_CLEAN);
	end();
}

static void hits_are_counted_by_mitigation(void **state)
{
	(void)state;
	uint8_t bytes[FRAME_MOST];
	uint64_t hits = 0;
	begin(UNBOUND);
	say_hour("10.0.0.0/24", BAN_REFUSE, BAN_AUTOMATIC, 70000);
	assert_int_equal(count_of(frame_of(DATAGRAM, bytes), 7, EDGE_BANNED), 7);
	assert_int_equal(edge_mitigation_hits(&edge, 70000, &hits), 0);
	assert_int_equal(hits, 7);
	assert_int_equal(edge_mitigation_hits(&edge, 70001, &hits), -ENOENT);
	assert_int_equal(edge_mitigation_hits(&edge, 0, &hits), 0);
	assert_int_equal(hits, 0);
	/* what has no counter of its own */
	say_hour("10.0.0.0/24", BAN_REFUSE, BAN_AUTOMATIC, 0);
	assert_int_equal(count_of(frame_of(DATAGRAM, bytes), 5, EDGE_BANNED), 5);
	assert_int_equal(edge_mitigation_hits(&edge, 0, &hits), 0);
	assert_int_equal(hits, 5);
	end();
}

/* However many there were: counters are those of mitigations that have bans. */
static void each_mitigation_has_a_counter_of_its_own(void **state)
{
	(void)state;
	uint8_t bytes[FRAME_MOST];
	uint64_t hits = 0;
	begin(UNBOUND);
	say_hour("10.1.0.0/24", BAN_REFUSE, BAN_AUTOMATIC, 1);
	for (uint32_t id = 2; id <= 3 * EDGE_MITIGATIONS; id++) {
		edge.counters_ms = 0; /* as if they came some seconds apart */
		say_hour("10.0.0.0/24", BAN_REFUSE, BAN_AUTOMATIC, id);
	}
	assert_int_equal(count_of(frame_of(DATAGRAM, bytes), 3, EDGE_BANNED), 3);
	assert_int_equal(edge_mitigation_hits(&edge, 3 * EDGE_MITIGATIONS, &hits), 0);
	assert_int_equal(hits, 3);
	assert_int_equal(edge_mitigation_hits(&edge, 1, &hits), 0); /* which still has a ban */
	assert_int_equal(edge_mitigation_hits(&edge, 2, &hits), -ENOENT);
	end();
}

static void bans_end_by_themselves(void **state)
{
	(void)state;
	uint8_t bytes[FRAME_MOST];
	begin(UNBOUND);
	struct slice frame = frame_of(DATAGRAM, bytes);
	enum edge_reason reason;
	uint64_t began_ms;
	unsigned rounds = 0;
	int said;
	do {
		began_ms = clock_monotonic_ms();
		said = try_say("10.0.0.1", BAN_REFUSE, BAN_AUTOMATIC, now_ms() + 2000, 5);
		reason = run(frame).reason;
	} while (took_longer(began_ms, 1000, &rounds)); /* it has ended, or may have */
	assert_int_equal(said, 0);
	assert_int_equal(reason, EDGE_BANNED);
	uint32_t end_ticks = edge_now_ticks() + (2000 * 1000000ull >> EDGE_TICK_SHIFT) + 2;
	while (edge_now_ticks() < end_ticks)
		usleep(50000);
	assert_int_equal(run(frame).reason, EDGE_CLEAN);
	end();
}

static void ranks_and_widths(void **state)
{
	(void)state;
	begin(UNBOUND);
	say_hour("10.0.0.1", BAN_REFUSE, BAN_BY_PERSON, 1);
	assert_int_equal(try_say("10.0.0.1", BAN_REFUSE, BAN_AUTOMATIC, BAN_FOR_EVER, 2), EDGE_STRONGER);
	assert_int_equal(try_say("10.0.0.1", BAN_LIFTED, BAN_AUTOMATIC, 0, 2), EDGE_ABSENT);
	assert_int_equal(try_say("10.0.0.1", BAN_LIFTED, BAN_BY_PERSON, 0, 1), 0);
	assert_int_equal(try_say("10.0.0.0/7", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER, 1), EDGE_TOO_WIDE);
	assert_int_equal(try_say("2001:db8::/32", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER, 1), EDGE_TOO_WIDE);
	say_hour("2001:db8::/32", BAN_ALLOW, BAN_LISTED, 0);
	assert_int_equal(edge.table.control->allows, 1);
	assert_int_equal(try_say("2001:db8::/32", BAN_LIFTED, BAN_LISTED, 0, 0), 0);
	assert_int_equal(edge.table.control->allows, 0);
	end();
}

static struct ban_entry entry_of(const char *text, enum ban_kind kind, enum ban_rank rank, uint32_t id)
{
	struct prefix p;
	assert_true(prefix_parse(slice_from_string(text), &p));
	return (struct ban_entry){p.address, BAN_FOR_EVER, id, p.bits, (uint8_t)kind, (uint8_t)rank, 0};
}

/* Of a crowd in one bucket and its spill, however many there are, those who are banned are dropped, and no others. */
static void a_full_spill_is_searched(void **state)
{
	(void)state;
	enum { CROWD = (1 + EDGE_NET_SPILL_BUCKETS) * EDGE_NET_ENTRIES, SOURCE_AT = 26 };
	static struct address crowd[CROWD];
	uint8_t bytes[FRAME_MOST];
	struct slice frame = frame_of(SYN6, bytes);
	begin(UNBOUND);
	const struct edge_geometry *g = &edge.table.control->geometry;
	for (uint64_t high = 0x20010db800000000, i = 0; i < CROWD; high++)
		if (edge_v6_bucket(edge_net_hash(high, 0, g->seeds), g->v6_net.bucket_bits) == 5)
			crowd[i++] = address_from_words(high, 0);
	for (unsigned banned = 0; banned < CROWD; banned++) {
		const struct ban_entry entry = {crowd[banned], BAN_FOR_EVER, 1, 64, BAN_REFUSE, BAN_AUTOMATIC, 0};
		assert_int_equal(edge_say(&edge, &entry, now_ms()), 0);
		for (unsigned i = 0; i < CROWD; i++) {
			memcpy(bytes + SOURCE_AT, &crowd[i], sizeof(crowd[i]));
			assert_int_equal(run(frame).reason, i <= banned ? EDGE_BANNED : EDGE_CLEAN);
		}
	}
	end();
}

/* Whoever adopts the edge says all that its book has: what else stood there is gone, what it has stands. */
static void takes_what_an_image_says(void **state)
{
	(void)state;
	const struct ban_entry entries[] = {
		entry_of("10.0.0.1", BAN_REFUSE, BAN_AUTOMATIC, 3),
		entry_of("10.0.0.1", BAN_REFUSE, BAN_BY_PERSON, 4),
		entry_of("10.1.0.0/16", BAN_REFUSE, BAN_AUTOMATIC, 3),
		entry_of("10.1.2.0/24", BAN_ALLOW, BAN_LISTED, 0),
		entry_of("10.0.0.0/7", BAN_REFUSE, BAN_BY_PERSON, 4),
	};
	const struct image_version version = {.generation = 1, .boot = "this boot"};
	struct buffer bytes = buffer_make(NULL);
	struct ban_image image;
	size_t refused = 0;
	begin(UNBOUND);
	say_those_of_the_cases();
	assert_int_equal(ban_image_build(entries, 5, &version, &bytes), 0);
	assert_int_equal(ban_image_check(buffer_slice(&bytes), version.boot, &image), IMAGE_GOOD);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(edge_take(&edge, &image, now_ms(), &refused), 0);
		assert_int_equal(refused, 1);
		const uint32_t bans[EDGE_LENGTHS] = {[EDGE_V4_32] = 1, [EDGE_V4_16] = 1};
		assert_memory_equal(edge.table.control->bans, bans, sizeof(bans));
		assert_int_equal(edge.table.control->allows, 1);
		uint64_t word = ban_table_find(&edge.table, EDGE_V4_32, &entries[0].address);
		assert_int_equal(edge_word_rank(word), BAN_BY_PERSON);
	}
	buffer_free(&bytes);
	end();
}

LOADED_TEST_MAIN(stay_here, cmocka_unit_test(packets_go_where_they_should), cmocka_unit_test(packets_cut_and_damaged),
		 cmocka_unit_test(budgets_hold_also_for_the_allowed),
		 cmocka_unit_test(syns_above_the_budget_are_answered),
		 cmocka_unit_test(an_answered_handshake_is_tracked),
		 cmocka_unit_test(a_quiet_listener_gets_its_first_syn),
		 cmocka_unit_test(a_flood_of_syns_passes_no_more),
		 cmocka_unit_test(packets_go_where_they_should_in_a_flood_of_the_banned),
		 cmocka_unit_test(bits_are_asked_but_in_a_flood_of_the_banned),
		 cmocka_unit_test(hits_are_counted_by_mitigation),
		 cmocka_unit_test(each_mitigation_has_a_counter_of_its_own), cmocka_unit_test(bans_end_by_themselves),
		 cmocka_unit_test(ranks_and_widths), cmocka_unit_test(takes_what_an_image_says),
		 cmocka_unit_test(a_full_spill_is_searched))
