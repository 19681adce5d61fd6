#include "upstream/route.h"
#include "base/error.h"
#include "base/test_cases.h"

static const char *const LINES[] = {
	"neighbor 192.0.2.254 announce flow route { match { destination 192.0.2.10/32; } then { discard; } }",
	"neighbor 192.0.2.254 withdraw flow route { match { destination 192.0.2.0/24; source 198.51.100.0/24; } then { "
	"discard; } }",
	"neighbor 192.0.2.254 announce flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; "
	"destination-port [ "
	">=1000&<=2000 =53 ]; source-port [ !=53 ]; packet-length [ >=1000 ]; fragment [ 6 ]; } then { rate-limit "
	"125000; } }",
	"neighbor 2001:db8::fe announce flow route { match { destination 2001:db8::1/128; next-header [ =17 =58 ]; "
	"icmp-type [ "
	"=3 ]; icmp-code [ <4 ]; tcp-flags [ =2&!16 ]; traffic-class [ =46 ]; flow-label [ >7 ]; } then { discard; } }",
	"neighbor 192.0.2.254 announce flow route { match { source 198.51.100.7/32; port [ =53 ]; dscp [ <=8 ]; } then "
	"{ "
	"discard; } }",
	"neighbor 192.0.2.254 announce route 192.0.2.10/32 next-hop 192.0.2.1 community [ 65535:666 ]",
	"neighbor 192.0.2.254 withdraw route 2001:db8::/64 next-hop 2001:db8::1 community [ 65535:666 ]",
};

static void lines_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		struct route_line line;
		struct buffer out = buffer_make(NULL);
		struct slice text = test_fenced(slice_from_string(LINES[i]));
		if (!route_line_read(text, &line))
			fail_msg("not read: %s", LINES[i]);
		assert_int_equal(route_line_write(&line, &out), 0);
		assert_int_equal(out.len, text.len + 1);
		assert_memory_equal(out.ptr, text.ptr, text.len);
		assert_int_equal(out.ptr[text.len], '\n');
		assert_int_equal(line.withdraw, strstr(LINES[i], "withdraw") != NULL);
		buffer_free(&out);
		/* Whatever byte is lost or changed, it is another line or none. */
		for (size_t at = 0; at < text.len; at++)
			assert_false(route_line_read(test_fenced(slice_sub(text, 0, at)), &line));
	}
}

/* What ExaBGP would take, or might, and we never write. */
static void other_words_are_refused(void **state)
{
	struct test_cases cases;
	struct test_case row;
	struct route_line line;
	(void)state;
	assert_false(route_line_read(SLICE(""), &line));
	for (test_cases_open(&cases, "src/upstream/route_refused.txt"); test_cases_next(&cases, &row);)
		if (route_line_read(row.column[0], &line))
			fail_msg("line %u is taken for one of ours", row.line);
	test_cases_close(&cases);
}

static void words_for_all_or_nothing(void **state)
{
	struct route route = {.kind = ROUTE_FLOW};
	struct buffer out = buffer_make(NULL);
	struct prefix prefix;
	(void)state;
	assert_true(prefix_parse(SLICE("192.0.2.1"), &prefix));
	route.flow.destination = (struct flow_prefix){true, 0, prefix};
	assert_true(flow_rule_add(&route.flow, FLOW_PORT, FLOW_LESS | FLOW_GREATER | FLOW_EQUAL, 1));
	assert_int_equal(route_write(&route, &out), -EINVAL);
	route.flow.term_count = 0;
	route.rate_bytes = ROUTE_RATE_MOST + 1;
	assert_int_equal(route_write(&route, &out), -EINVAL);
	buffer_free(&out);
}

static void keys_tell_routes_apart(void **state)
{
	uint8_t keys[sizeof(LINES) / sizeof(LINES[0])][ROUTE_KEY_BYTES];
	size_t lens[sizeof(LINES) / sizeof(LINES[0])];
	(void)state;
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		struct route_line line;
		uint8_t again[ROUTE_KEY_BYTES];
		assert_true(route_line_read(slice_from_string(LINES[i]), &line));
		lens[i] = route_key(&line.route, keys[i]);
		assert_true(lens[i] > 0);
		/* What is done with the packets makes no other route. */
		line.route.rate_bytes = 77;
		assert_int_equal(route_key(&line.route, again), lens[i]);
		assert_memory_equal(again, keys[i], lens[i]);
		for (size_t j = 0; j < i; j++)
			assert_false(lens[j] == lens[i] && memcmp(keys[i], keys[j], lens[i]) == 0);
	}
}

TEST_MAIN(cmocka_unit_test(lines_round_trip), cmocka_unit_test(other_words_are_refused),
	  cmocka_unit_test(words_for_all_or_nothing), cmocka_unit_test(keys_tell_routes_apart))
