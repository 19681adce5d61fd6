#include "upstream/requests.h"
#include "base/test.h"
#include "upstream/link.h"

static uint64_t hits_now;

static uint64_t hits(const void *context, uint32_t ban)
{
	(void)context;
	return ban == 7 ? hits_now : 0;
}

static struct requests_sight seen(uint64_t now_ms, bool full, bool busy)
{
	return (struct requests_sight){.now_ms = now_ms, .full = full, .busy = busy, .hits = hits};
}

static struct route a_route(const char *text)
{
	struct route route;
	assert_true(route_read(slice_from_string(text), &route));
	return route;
}

#define UDP  "flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { discard; } }"
#define ICMP "flow route { match { destination 192.0.2.10/32; protocol [ =1 ]; } then { discard; } }"

/* The table of states, all of it. */
static void looks_follow_the_table(void **state)
{
	static const struct {
		enum probing_state from;
		enum probing_cause cause;
		enum probing_action action;
	} rows[] = {{PROBING_HELD, PROBING_DUE, PROBING_LIFT},
		    {PROBING_LIFTED, PROBING_ATTACK, PROBING_RAISE},
		    {PROBING_LIFTED, PROBING_CALM, PROBING_END}};
	(void)state;
	for (unsigned from = 0; from < PROBING_STATES; from++)
		for (unsigned cause = 0; cause < PROBING_CAUSES; cause++) {
			enum probing_state to;
			enum probing_action action = PROBING_NOTHING, expected = PROBING_NOTHING;
			for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
				if (rows[i].from == from && rows[i].cause == cause)
					expected = rows[i].action;
			assert_int_equal(probing_may((enum probing_state)from, (enum probing_cause)cause, &to, &action),
					 expected != PROBING_NOTHING);
			assert_int_equal(action, expected);
		}
}

static void looks_wait_twice_as_long_each_time(void **state)
{
	struct probing probing;
	uint64_t now = 1000, wait = PROBING_FIRST_MS;
	(void)state;
	probing_begin(&probing, now);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(probing_step(&probing, now + wait - 1, false, true), PROBING_NOTHING);
		assert_int_equal(probing_step(&probing, now + wait, false, false), PROBING_NOTHING);
		assert_int_equal(probing_step(&probing, now + wait, true, true), PROBING_NOTHING);
		assert_int_equal(probing_step(&probing, now + wait, false, true), PROBING_LIFT);
		now += wait + 1000;
		assert_int_equal(probing_step(&probing, now, true, true), PROBING_RAISE);
		wait = wait * 2 < PROBING_MOST_MS ? wait * 2 : PROBING_MOST_MS;
	}
	assert_int_equal(probing_step(&probing, now + wait, false, true), PROBING_LIFT);
	now += wait;
	assert_int_equal(probing_step(&probing, now + PROBING_LOOK_MS - 1, false, true), PROBING_NOTHING);
	assert_int_equal(probing_step(&probing, now + PROBING_LOOK_MS, false, true), PROBING_END);
	assert_int_equal(probing_step(&probing, now + PROBING_MOST_MS, true, true), PROBING_NOTHING);
}

static void expect(struct requests *requests, enum request_due due, uint64_t now)
{
	static const uint32_t ids[] = {4, 5};
	struct request *request = requests_next(requests);
	if (due == REQUEST_NOTHING) {
		assert_null(request);
		return;
	}
	assert_non_null(request);
	assert_int_equal(request->due, due);
	requests_done(requests, request, ids, 2, true, now);
}

static void second(struct requests *requests, uint64_t now, bool full, bool busy)
{
	const struct requests_sight sight = seen(now, full, busy);
	requests_second(requests, &sight);
}

static void what_is_asked_is_held_looked_behind_and_ended(void **state)
{
	struct requests requests = {.count = 0};
	const struct route udp = a_route(UDP), icmp = a_route(ICMP);
	(void)state;
	assert_true(requests_want(&requests, &udp, 0, "link full"));
	assert_true(requests_want(&requests, &udp, 0, "link full"));
	assert_int_equal(requests.count, 1);
	expect(&requests, REQUEST_ASK, 1000);
	expect(&requests, REQUEST_NOTHING, 1000);
	/* Full all the time: asked again before it is over, and never lifted. */
	second(&requests, 80000, true, true);
	expect(&requests, REQUEST_NOTHING, 80000);
	second(&requests, 91000, true, true);
	expect(&requests, REQUEST_ASK, 91000);
	/* The link is free: one at a time is looked behind. */
	assert_true(requests_want(&requests, &icmp, 7, "link full"));
	expect(&requests, REQUEST_ASK, 91000);
	hits_now = 1000;
	second(&requests, 160000, false, false);
	expect(&requests, REQUEST_LIFT, 160000);
	expect(&requests, REQUEST_NOTHING, 160000);
	assert_int_equal(requests.items[1].probing.state, PROBING_LIFTED);
	second(&requests, 161000, false, false);
	expect(&requests, REQUEST_NOTHING, 161000);
	/* What a ban refuses at the gate tells that it is still there. */
	hits_now = 1000 + REQUEST_HITS;
	second(&requests, 162000, false, false);
	expect(&requests, REQUEST_RAISE, 162000);
	expect(&requests, REQUEST_NOTHING, 162000);
	second(&requests, 163000, false, false);
	expect(&requests, REQUEST_LIFT, 163000);
	second(&requests, 168000, false, false);
	expect(&requests, REQUEST_END, 168000);
	assert_int_equal(requests.count, 1);
	assert_int_equal(requests.items[0].ban, 7);
}

static void what_is_refused_is_asked_again_while_it_is_needed(void **state)
{
	struct requests requests = {.count = 0};
	const struct route udp = a_route(UDP);
	(void)state;
	assert_true(requests_want(&requests, &udp, 0, "link full"));
	requests_done(&requests, requests_next(&requests), NULL, 0, false, 1000);
	second(&requests, 20000, true, true);
	expect(&requests, REQUEST_NOTHING, 20000);
	second(&requests, 31000, true, true);
	assert_int_equal(requests_next(&requests)->due, REQUEST_ASK);
	requests_done(&requests, requests_next(&requests), NULL, 0, false, 31000);
	second(&requests, 32000, false, false);
	assert_int_equal(requests.count, 0);
}

static struct prefix banned;

static bool is_banned(const void *context, const struct prefix *source)
{
	(void)context;
	return source->bits == banned.bits && address_equal(&source->address, &banned.address);
}

/* Though the link is full: whom nobody bans any more nobody keeps away. */
static void what_is_against_a_source_ends_with_its_ban(void **state)
{
	struct requests requests = {.count = 0};
	const struct route udp = a_route(UDP);
	const struct route source = a_route(
		"flow route { match { destination 192.0.2.10/32; source 198.51.100.7/32; } then { discard; } }");
	struct requests_sight sight = seen(2000, true, true);
	(void)state;
	sight.stands = is_banned;
	banned = source.flow.source.prefix;
	assert_true(requests_want(&requests, &udp, 0, "link full"));
	assert_true(requests_want(&requests, &source, 7, "link full"));
	expect(&requests, REQUEST_ASK, 1000);
	expect(&requests, REQUEST_ASK, 1000);
	requests_second(&requests, &sight);
	expect(&requests, REQUEST_NOTHING, 2000);
	banned.bits = 0;
	requests_second(&requests, &sight);
	expect(&requests, REQUEST_END, 2000);
	expect(&requests, REQUEST_NOTHING, 2000);
	assert_int_equal(requests.count, 1);
	/* What was not asked yet, and what is to be asked again. */
	assert_true(requests_want(&requests, &source, 7, "link full"));
	requests_second(&requests, &sight);
	assert_int_equal(requests.count, 1);
	requests_adopt(&requests, &source, 4, "link full", true, 3000);
	requests.items[1].due = REQUEST_ASK;
	requests_second(&requests, &sight);
	expect(&requests, REQUEST_END, 3000);
	/* What is being lifted is lifted first. */
	requests_adopt(&requests, &source, 4, "link full", true, 3000);
	requests.items[1].due = REQUEST_LIFT;
	requests_second(&requests, &sight);
	expect(&requests, REQUEST_LIFT, 3000);
	requests_second(&requests, &sight);
	expect(&requests, REQUEST_END, 3000);
}

static void an_earlier_watchs_rules_are_taken_over(void **state)
{
	struct requests requests = {.count = 0};
	const struct route udp = a_route(UDP);
	(void)state;
	requests_adopt(&requests, &udp, 4, "link full", true, 1000);
	requests_adopt(&requests, &udp, 5, "link full", true, 1000);
	assert_int_equal(requests.count, 1);
	assert_int_equal(requests.items[0].id_count, 2);
	expect(&requests, REQUEST_NOTHING, 1000);
	second(&requests, 61000, false, false);
	expect(&requests, REQUEST_LIFT, 61000);
	for (unsigned i = (unsigned)requests.count; i < REQUESTS_MOST; i++) {
		char text[128];
		snprintf(text, sizeof(text),
			 "flow route { match { destination 192.0.2.%u/32; protocol [ =17 ]; } then { discard; } }",
			 i + 20);
		const struct route other = a_route(text);
		assert_true(requests_want(&requests, &other, 0, ""));
	}
	const struct route icmp = a_route(ICMP);
	assert_false(requests_want(&requests, &icmp, 0, ""));
}

/* A link of 8 Mbit/s carries a million bytes a second. */
static void a_full_link_is_seen(void **state)
{
	struct link_meter meter;
	uint64_t now = 1000, bytes = 5000;
	(void)state;
	link_meter_init(&meter);
	link_meter_feed(&meter, now, bytes, 8, 100);
	for (unsigned i = 0; i < 60; i++) {
		link_meter_feed(&meter, now += 1000, bytes += 100000, 8, 100);
		assert_false(meter.full);
	}
	assert_true(meter.usual > 99 && meter.usual < 101);
	link_meter_feed(&meter, now += 1000, bytes += 950000, 8, 100);
	assert_false(meter.full);
	link_meter_feed(&meter, now += 1000, bytes += 950000, 8, 100);
	assert_true(meter.full);
	for (unsigned i = 0; i < LINK_CLEAR_SECONDS; i++) {
		assert_true(meter.full);
		link_meter_feed(&meter, now += 1000, bytes += 100000, 8, 100);
	}
	assert_false(meter.full);
	/* Less is enough where visitors fall away, and not without. */
	for (unsigned i = 0; i < 5; i++)
		link_meter_feed(&meter, now += 1000, bytes += 700000, 8, 90);
	assert_false(meter.full);
	for (unsigned i = 0; i < 2; i++)
		link_meter_feed(&meter, now += 1000, bytes += 700000, 8, 30);
	assert_true(meter.full);
	/* What is usual is not learned from it. */
	for (unsigned i = 0; i < 300; i++)
		link_meter_feed(&meter, now += 1000, bytes += 700000, 8, 1);
	assert_true(meter.usual > 80);
	/* Another interface's counter, and a clock that stands, tell nothing. */
	double share = meter.share;
	link_meter_feed(&meter, now += 1000, 10, 8, 30);
	link_meter_feed(&meter, now, 20, 8, 30);
	assert_true(meter.share == share);
}

/* Of a link of 8 Mbit/s, which carries 100,000 bytes a tick. */
static void what_fills_a_link_is_seen_within_a_second(void **state)
{
	static const struct {
		const char *what;
		uint64_t bytes[10];
		unsigned full_after; /* ticks; 0: not at all */
	} cases[] = {
		{"all the time", {95000, 95000, 95000, 95000, 95000, 95000, 95000, 95000, 95000, 95000}, 6},
		{"with a pause", {95000, 95000, 95000, 95000, 95000, 10, 95000, 95000, 95000, 95000}, 0},
		{"not quite", {89000, 89000, 89000, 89000, 89000, 89000, 89000, 89000, 89000, 89000}, 0},
		{"in one tick", {900000, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_meter meter;
		uint64_t now = 1000, bytes = 5000;
		unsigned full_after = 0;
		link_meter_init(&meter);
		link_meter_tick(&meter, now, bytes, 8);
		for (unsigned tick = 1; tick <= 10; tick++) {
			link_meter_tick(&meter, now += 100, bytes += cases[i].bytes[tick - 1], 8);
			if (meter.full && full_after == 0)
				full_after = tick;
		}
		assert_int_equal(full_after, cases[i].full_after);
	}
}

/* A second of a link whose width nobody told. */
static const struct unknown_width_case {
	const char *what;
	unsigned times;
	uint64_t bytes; /* a second */
	double visitors;
	bool may_be_full; /* after it */
} unknown_width_cases[] = {
	{"as usual", 60, 500000, 100, false},
	{"more, and visitors as ever: a download", 20, 12000000, 100, false},
	{"as usual again", 10, 500000, 100, false},
	{"visitors gone, and no more than usual: a quiet night, or an origin that fails", 20, 500000, 10, false},
	{"as usual", 20, 500000, 100, false},
	{"more, and fewer visitors", 3, 12000000, 20, false},
	{"and it lasts", 2, 12100000, 20, true},
	{"still", 30, 11900000, 30, true},
	{"less", 4, 600000, 40, true},
	{"as usual", 6, 500000, 100, false},
	{"much, and ever more: nothing holds it up", 1, 4000000, 20, false},
	{"much, and ever more", 1, 6000000, 20, false},
	{"much, and ever more", 1, 9000000, 20, false},
	{"much, and ever more", 1, 14000000, 20, false},
};

static void a_link_of_unknown_width_may_be_full(void **state)
{
	struct link_meter meter;
	uint64_t now = 1000, bytes = 0;
	(void)state;
	link_meter_init(&meter);
	for (size_t i = 0; i < sizeof(unknown_width_cases) / sizeof(unknown_width_cases[0]); i++) {
		const struct unknown_width_case *c = &unknown_width_cases[i];
		for (unsigned at = 0; at < c->times; at++)
			link_meter_feed(&meter, now += 1000, bytes += c->bytes, 0, c->visitors);
		if (meter.may_be_full != c->may_be_full || meter.full)
			fail_msg("%s: %d", c->what, meter.may_be_full);
	}
}

/* Another interface's counter, a clock that stands, a width that nobody told. */
static void what_a_tick_cannot_tell_fills_no_link(void **state)
{
	struct link_meter meter;
	uint64_t now = 1000;
	(void)state;
	link_meter_init(&meter);
	for (unsigned i = 0; i < 20; i++) {
		link_meter_tick(&meter, now += 100, 1000000000 - i, 8);
		link_meter_tick(&meter, now, 2000000000 + i * 1000000, 8);
	}
	for (uint64_t i = 0; i < 20; i++)
		link_meter_tick(&meter, now += 100, i * 1000000, 0);
	assert_false(meter.full);
}

static void the_kernels_tables_are_read(void **state)
{
	static const char dev[] = "Inter-|   Receive                                                |  Transmit\n"
				  " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
				  "    lo:  733112    9021    0    0    0     0          0         0   733112    9021\n"
				  "  eth0:18446744073709551615 7 0 0 0 0 0 0 12 3\n";
	static const char route[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
				    "eth1\t00000000\t00000000\t0001\t0\t0\t0\t000000FF\n"
				    "eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
	struct link_counter counter;
	struct slice name;
	(void)state;
	assert_true(link_counter_read(test_fenced(slice_from_string(dev)), SLICE("lo"), &counter));
	assert_int_equal(counter.bytes, 733112);
	assert_int_equal(counter.packets, 9021);
	assert_true(link_counter_read(slice_from_string(dev), SLICE("eth0"), &counter));
	assert_true(counter.bytes == UINT64_MAX && counter.packets == 7);
	assert_false(link_counter_read(slice_from_string(dev), SLICE("eth"), &counter));
	assert_false(link_counter_read(SLICE("lo: x"), SLICE("lo"), &counter));
	assert_false(link_counter_read(SLICE("lo: 1"), SLICE("lo"), &counter));
	assert_false(link_counter_read(SLICE("lo:"), SLICE("lo"), &counter));
	assert_true(link_default_read(test_fenced(slice_from_string(route)), &name));
	assert_slice(name, "eth0");
	assert_false(link_default_read(SLICE("Iface\tDestination\neth0\t0000A8C0\n"), &name));
}

/* With routers that take no such rules it waits, and what it is against is not kept away by it. */
static void what_is_not_sent_is_not_counted(void **state)
{
	static struct requests requests;
	const struct route udp = a_route(UDP);
	const uint32_t ids[] = {1};
	(void)state;
	memset(&requests, 0, sizeof(requests));
	assert_true(requests_want(&requests, &udp, 0, "link full"));
	assert_int_equal(requests_sent(&requests), 0);
	requests_done(&requests, requests_next(&requests), ids, 1, false, 1000);
	assert_true(requests.items[0].asked && requests_sent(&requests) == 0);
	/* Another operator's takes it, says the keeper to the next watch. */
	requests_adopt(&requests, &udp, 2, "link full", true, 2000);
	assert_int_equal(requests_sent(&requests), 1);
	requests_adopt(&requests, &udp, 3, "link full", false, 2000);
	assert_int_equal(requests_sent(&requests), 1);
}

TEST_MAIN(cmocka_unit_test(looks_follow_the_table), cmocka_unit_test(looks_wait_twice_as_long_each_time),
	  cmocka_unit_test(what_is_asked_is_held_looked_behind_and_ended),
	  cmocka_unit_test(what_is_refused_is_asked_again_while_it_is_needed),
	  cmocka_unit_test(what_is_against_a_source_ends_with_its_ban),
	  cmocka_unit_test(an_earlier_watchs_rules_are_taken_over), cmocka_unit_test(what_is_not_sent_is_not_counted),
	  cmocka_unit_test(a_full_link_is_seen), cmocka_unit_test(what_fills_a_link_is_seen_within_a_second),
	  cmocka_unit_test(a_link_of_unknown_width_may_be_full),
	  cmocka_unit_test(what_a_tick_cannot_tell_fills_no_link), cmocka_unit_test(the_kernels_tables_are_read))
