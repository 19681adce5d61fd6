#include "upstream/guard.h"
#include "upstream/test_operator.h"

#define FLOW(match) "neighbor 203.0.113.1 announce flow route { match { " match "} then { discard; } }"

static enum guard_verdict judged(const struct upstream_operator *operator_, const char *line, bool yes,
				 uint64_t until_ms)
{
	struct guard *guard;
	const struct guard_terms terms = {1000000, until_ms, yes};
	assert_int_equal(guard_create(operator_, &guard), 0);
	enum guard_verdict verdict = guard_judge(guard, test_fenced(slice_from_string(line)), &terms);
	guard_free(guard);
	return verdict;
}

static void lines_are_judged_by_what_they_hit(void **state)
{
	static const struct {
		enum guard_verdict without_yes;
		enum guard_verdict with_yes;
		const char *line;
	} rows[] = {
		/* Not to a service of ours. */
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; protocol [ =17 ]; ")},
		{GUARD_PASSES, GUARD_PASSES,
		 FLOW("destination 192.0.2.10/32; protocol [ =6 ]; destination-port [ =22 ]; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; fragment [ 6 ]; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; packet-length [ >=1501 ]; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; source-port [ <1024 ]; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; icmp-type [ =8 ]; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; protocol [ =6 ]; tcp-flags [ =3 ]; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 2001:db8::10/128; next-header [ =17 ]; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; destination-port [ !=80&!=443 ]; ")},
		/* To a service, but from somebody. */
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; source 198.51.100.0/24; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; source 198.51.0.0/16; ")},
		{GUARD_PASSES, GUARD_PASSES, FLOW("destination 2001:db8::10/128; source 2001:db9::/32; ")},
		/* Blackholing by another name. */
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; source 198.50.0.0/15; ")},
		{GUARD_SPARED, GUARD_SPARED,
		 FLOW("destination 192.0.2.10/32; source 0.0.0.0/0; ")}, /* the session's end is in it */
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 2001:db8::10/128; source 2000::/16; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES,
		 FLOW("destination 192.0.2.10/32; protocol [ =6 ]; destination-port [ =443 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; protocol [ !=17 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; port [ =80 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES,
		 FLOW("destination 192.0.2.10/32; destination-port [ >=100&<=1000 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; destination-port [ =22 >=443 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; source-port [ >=50000 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; protocol [ =6 ]; tcp-flags [ 2 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; packet-length [ <64 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; fragment [ !2 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES, FLOW("destination 192.0.2.10/32; dscp [ =0 ]; ")},
		{GUARD_BLACKHOLES, GUARD_PASSES,
		 "neighbor 203.0.113.1 announce flow route { match { destination 192.0.2.10/32; } then { rate-limit "
		 "1000000; } }"},
		{GUARD_BLACKHOLES, GUARD_PASSES,
		 "neighbor 203.0.113.1 announce route 192.0.2.10/32 next-hop 192.0.2.1 community [ 65535:666 ]"},
		{GUARD_BLACKHOLES, GUARD_PASSES,
		 "neighbor 203.0.113.1 announce route 2001:db8::10/128 next-hop 2001:db8::1 community [ 65535:666 ]"},
		/* What no yes helps. */
		{GUARD_UNREADABLE, GUARD_UNREADABLE, "announce route 192.0.2.10/32 next-hop self"},
		{GUARD_UNREADABLE, GUARD_UNREADABLE, "shutdown"},
		{GUARD_OTHER_NEIGHBOR, GUARD_OTHER_NEIGHBOR,
		 "neighbor 203.0.113.2 announce route 192.0.2.10/32 next-hop 192.0.2.1 community [ 65535:666 ]"},
		{GUARD_NO_DESTINATION, GUARD_NO_DESTINATION, FLOW("source 198.51.100.0/24; ")},
		{GUARD_FOREIGN, GUARD_FOREIGN, FLOW("destination 192.0.3.10/32; protocol [ =17 ]; ")},
		{GUARD_FOREIGN, GUARD_FOREIGN, FLOW("destination 192.0.2.0/23; protocol [ =17 ]; ")},
		{GUARD_FOREIGN, GUARD_FOREIGN, FLOW("destination 0.0.0.0/0; protocol [ =17 ]; ")},
		{GUARD_FOREIGN, GUARD_FOREIGN, FLOW("destination 2001:db9::/48; next-header [ =17 ]; ")},
		{GUARD_SPARED, GUARD_SPARED, FLOW("destination 192.0.2.53/32; source 198.51.100.0/24; ")},
		{GUARD_SPARED, GUARD_SPARED, FLOW("destination 192.0.2.0/24; protocol [ =17 ]; ")},
		{GUARD_SPARED, GUARD_SPARED,
		 FLOW("destination 192.0.2.1/32; protocol [ =17 ]; ")}, /* the session's own end */
		{GUARD_SPARED, GUARD_SPARED,
		 FLOW("destination 192.0.2.10/32; source 203.0.113.0/24; ")}, /* the other */
		{GUARD_SPARED, GUARD_SPARED,
		 "neighbor 203.0.113.1 announce route 192.0.2.53/32 next-hop 192.0.2.1 community [ 65535:666 ]"},
		{GUARD_WIDE, GUARD_WIDE, FLOW("destination 2001:db8:8000::/33; next-header [ =17 ]; ")},
		{GUARD_WIDE, GUARD_WIDE,
		 "neighbor 203.0.113.1 announce route 192.0.2.128/25 next-hop 192.0.2.1 community [ 65535:666 ]"},
		{GUARD_NEXT_HOP, GUARD_NEXT_HOP,
		 "neighbor 203.0.113.1 announce route 192.0.2.10/32 next-hop 192.0.2.2 community [ 65535:666 ]"},
		{GUARD_ABSENT, GUARD_ABSENT,
		 "neighbor 203.0.113.1 withdraw route 192.0.2.10/32 next-hop 192.0.2.1 community [ 65535:666 ]"},
	};
	const struct upstream_operator operator_ = test_operator();
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum guard_verdict without = judged(&operator_, rows[i].line, false, 1060000);
		enum guard_verdict with = judged(&operator_, rows[i].line, true, 1060000);
		if (without != rows[i].without_yes || with != rows[i].with_yes)
			fail_msg("%s: %s; with a yes: %s", rows[i].line, guard_text(without), guard_text(with));
	}
}

static void what_is_not_agreed_does_not_pass(void **state)
{
	static const char *const flow = FLOW("destination 192.0.2.10/32; protocol [ =17 ]; ");
	static const char *const hole =
		"neighbor 203.0.113.1 announce route 192.0.2.10/32 next-hop 192.0.2.1 community [ 65535:666 ]";
	struct upstream_operator operator_ = test_operator();
	(void)state;
	operator_.takes_flows = false;
	assert_int_equal(judged(&operator_, flow, true, 1060000), GUARD_NOT_TAKEN);
	assert_int_equal(judged(&operator_, hole, true, 1060000), GUARD_PASSES);
	operator_ = test_operator();
	operator_.takes_blackholes = false;
	assert_int_equal(judged(&operator_, hole, true, 1060000), GUARD_NOT_TAKEN);
	operator_ = test_operator();
	operator_.has_next_hop[0] = false;
	assert_int_equal(judged(&operator_, hole, true, 1060000), GUARD_NEXT_HOP);
	operator_ = test_operator();
	operator_.all_need_yes = true;
	assert_int_equal(judged(&operator_, flow, false, 1060000), GUARD_NEEDS_YES);
	assert_int_equal(judged(&operator_, flow, true, 1060000), GUARD_PASSES);
	operator_ = test_operator();
	assert_int_equal(judged(&operator_, flow, true, 1000000), GUARD_LIFETIME);
	assert_int_equal(judged(&operator_, flow, true, 0), GUARD_LIFETIME);
	assert_int_equal(judged(&operator_, flow, true, 1000000 + 3600000), GUARD_PASSES);
	assert_int_equal(judged(&operator_, flow, true, 1000000 + 3600001), GUARD_LIFETIME);
	assert_int_equal(judged(&operator_, flow, true, UINT64_MAX), GUARD_LIFETIME);
}

static enum guard_verdict passes(struct guard *guard, unsigned host, bool withdraw, uint64_t now_ms)
{
	char line[256];
	const struct guard_terms terms = {now_ms, now_ms + 60000, false};
	snprintf(line, sizeof(line),
		 "neighbor 203.0.113.1 %s flow route { match { destination 192.0.2.%u/32; protocol [ =17 ]; } then { "
		 "discard; } }",
		 withdraw ? "withdraw" : "announce", host);
	return guard_pass(guard, slice_from_string(line), &terms);
}

static void number_and_pace_are_bounded(void **state)
{
	const struct upstream_operator operator_ = test_operator();
	struct guard *guard;
	(void)state;
	assert_int_equal(guard_create(&operator_, &guard), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(passes(guard, 100 + i, false, 1000), GUARD_PASSES);
	assert_int_equal(passes(guard, 104, false, 1000), GUARD_FULL);
	/* The same again is no other, and no change. */
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(passes(guard, 100, false, 1000), GUARD_PASSES);
	assert_int_equal(guard_count(guard), 4);
	/* Two changes are left of this minute. */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(passes(guard, 100, true, 2000), GUARD_PASSES);
		assert_int_equal(passes(guard, 100, true, 2000), GUARD_ABSENT);
		assert_int_equal(passes(guard, 100, false, 2000), GUARD_PASSES);
	}
	assert_int_equal(passes(guard, 100, true, 2000), GUARD_PASSES);
	assert_int_equal(passes(guard, 100, false, 60999), GUARD_FAST);
	assert_int_equal(passes(guard, 100, false, 61000), GUARD_PASSES);
	guard_free(guard);
}

TEST_MAIN(cmocka_unit_test(lines_are_judged_by_what_they_hit), cmocka_unit_test(what_is_not_agreed_does_not_pass),
	  cmocka_unit_test(number_and_pace_are_bounded))
