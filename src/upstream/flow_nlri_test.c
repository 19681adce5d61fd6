#include "upstream/flow_nlri.h"
#include "base/test.h"
#include "upstream/route.h"

static size_t from_hex(const char *text, uint8_t *bytes)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		if (*text != ' ') {
			bytes[count++] =
				(uint8_t)(byte_hex_value((uint8_t)text[0]) << 4 | byte_hex_value((uint8_t)text[1]));
			text++;
		}
	return count;
}

static int read_hex(const char *hex, bool v6, struct flow_rule *rule, struct slice *rest)
{
	uint8_t bytes[1024];
	size_t len = from_hex(hex, bytes);
	return flow_nlri_read(test_fenced(slice_make(bytes, len)), v6, rule, rest);
}

/* Those of RFC 8955 section 4.3 and RFC 8956 section 3.8, and rules of ours beside them. */
static void wire_and_words_agree(void **state)
{
	static const struct {
		bool v6;
		const char *hex;
		const char *told;
	} rows[] = {
		{false, "0b 01 18 c0 00 02 03 81 06 04 81 19", "discard tcp to 192.0.2.0/24 with a port 25"},
		{false, "12 01 18 c0 00 02 02 18 cb 00 71 04 03 89 45 8b 91 1f 90",
		 "discard from 203.0.113.0/24 to 192.0.2.0/24 with a port >= 137 and <= 139 or 8080"},
		{false, "09 01 20 c0 00 02 01 0c 80 05", "discard to 192.0.2.1, 5"},
		{true, "12 01 20 00 20 01 0d b8 02 68 40 12 34 56 78 9a 03 81 06",
		 "discard tcp from ::1234:5678:9a00:0/104 (from bit 64 on) to 2001:db8::/32"},
		{true, "0f 01 20 00 20 01 0d b8 02 68 41 24 68 ac f1 34",
		 "discard from ::1234:5678:9a00:0/104 (from bit 65 on) to 2001:db8::/32"},
		{false, "03 01 08 c0", "discard to 192.0.0.0/8"},
		{false, "02 01 00", "discard to 0.0.0.0/0"},
		{true, "03 01 00 00", "discard to ::/0"},
		{false, "0c 01 20 c0 00 02 0a 03 81 11 0c 80 06", "discard udp to 192.0.2.10, fragments"},
		{true, "19 01 80 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 0d a1 00 0f ff ff",
		 "discard to 2001:db8::1 flow label 1048575"},
		{false, "0a 01 18 c0 00 02 09 00 02 c2 10", "discard to 192.0.2.0/24 flags 2 and not 16"},
		{false, "09 01 18 c0 00 02 0a 92 03 e8", "discard to 192.0.2.0/24 of length > 1000"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct route route = {.kind = ROUTE_FLOW};
		struct slice rest;
		uint8_t bytes[FLOW_NLRI_BYTES + 1], expected[FLOW_NLRI_BYTES + 1];
		size_t len = from_hex(rows[i].hex, expected);
		struct buffer told = buffer_make(NULL);
		assert_int_equal(read_hex(rows[i].hex, rows[i].v6, &route.flow, &rest), 0);
		assert_int_equal(rest.len, 0);
		route_tell(&route, &told);
		buffer_byte(&told, '\0');
		assert_string_equal((char *)told.ptr, rows[i].told);
		assert_int_equal(flow_nlri_write(&route.flow, bytes), len);
		assert_memory_equal(bytes, expected, len);
		buffer_free(&told);
	}
}

static void what_is_no_rule_is_refused(void **state)
{
	static const struct {
		bool v6;
		const char *hex;
		int outcome;
	} rows[] = {
		{false, "", FLOW_NLRI_BAD},
		{false, "00", FLOW_NLRI_BAD},
		{false, "05 01 18 c0 00", FLOW_NLRI_BAD},                          /* cut */
		{false, "03 01 18 c0", FLOW_NLRI_BAD},                             /* a prefix cut */
		{false, "06 01 21 c0 00 02 00", FLOW_NLRI_BAD},                    /* /33 */
		{false, "0a 01 18 c0 00 02 01 18 c0 00 02", FLOW_NLRI_BAD},        /* twice */
		{false, "08 03 81 06 01 18 c0 00 02", FLOW_NLRI_BAD},              /* out of order */
		{false, "08 01 18 c0 00 02 03 01 06", FLOW_NLRI_BAD},              /* no end of the list */
		{false, "09 01 18 c0 00 02 05 91 1f", FLOW_NLRI_BAD},              /* a value cut */
		{false, "08 01 18 c0 00 02 0d 81 06", FLOW_NLRI_UNKNOWN},          /* a flow label in IPv4 */
		{false, "08 01 18 c0 00 02 0e 81 06", FLOW_NLRI_UNKNOWN},          /* no such component */
		{false, "0b 01 18 c0 00 02 05 a1 00 01 00 00", FLOW_NLRI_UNKNOWN}, /* a port of 65536 */
		{true, "04 01 20 20 20", FLOW_NLRI_BAD},                           /* an offset at the length */
		{true, "04 01 81 00 20", FLOW_NLRI_BAD},                           /* /129 */
		{true, "03 01 00 01", FLOW_NLRI_BAD},                              /* an offset into nothing */
		{true, "0f 01 60 00 00 00 00 00 00 00 00 00 00 00 ff ff", FLOW_NLRI_UNKNOWN}, /* IPv4 in disguise */
		{false, "f0", FLOW_NLRI_BAD},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_rule rule;
		struct slice rest;
		int outcome = read_hex(rows[i].hex, rows[i].v6, &rule, &rest);
		if (outcome != rows[i].outcome)
			fail_msg("%s: %d, not %d", rows[i].hex, outcome, rows[i].outcome);
	}
}

static void several_follow_each_other(void **state)
{
	struct flow_rule rule;
	struct slice rest;
	(void)state;
	assert_int_equal(read_hex("05 01 18 c0 00 02 05 01 18 c0 00 03", false, &rule, &rest), 0);
	assert_int_equal(rest.len, 6);
	assert_int_equal(flow_nlri_read(rest, false, &rule, &rest), 0);
	assert_int_equal(rest.len, 0);
	/* A length of two bytes. */
	assert_int_equal(read_hex("f0 05 01 18 c0 00 02", false, &rule, &rest), 0);
}

static void what_is_too_long_is_not_written(void **state)
{
	struct flow_rule rule = {.v6 = false};
	uint8_t bytes[FLOW_NLRI_BYTES + 1];
	(void)state;
	for (unsigned i = 0; i < FLOW_TERMS_MOST; i++)
		assert_true(flow_rule_add(&rule, FLOW_PORT, FLOW_EQUAL, 1000 + i));
	assert_int_equal(flow_nlri_write(&rule, bytes), 1 + 1 + 3 * FLOW_TERMS_MOST);
	assert_false(flow_rule_add(&rule, FLOW_PORT, FLOW_EQUAL, 1));
	rule = (struct flow_rule){.v6 = true};
	for (unsigned i = 0; i < FLOW_TERMS_MOST; i++)
		assert_true(flow_rule_add(&rule, FLOW_LABEL, FLOW_EQUAL, i));
	assert_int_equal(flow_nlri_write(&rule, bytes), 0);
}

static void terms_are_alternatives_of_conjunctions(void **state)
{
	struct flow_rule rule = {.v6 = false};
	(void)state;
	assert_true(flow_rule_add(&rule, FLOW_PROTOCOL, FLOW_EQUAL, 17));
	assert_true(flow_rule_add(&rule, FLOW_DESTINATION_PORT, FLOW_GREATER | FLOW_EQUAL, 137));
	assert_true(flow_rule_add(&rule, FLOW_DESTINATION_PORT, FLOW_AND | FLOW_LESS | FLOW_EQUAL, 139));
	assert_true(flow_rule_add(&rule, FLOW_DESTINATION_PORT, FLOW_EQUAL, 8080));
	assert_true(flow_rule_add(&rule, FLOW_FRAGMENT, 0, FLOW_IS_FRAGMENT | FLOW_FIRST_FRAGMENT));
	assert_false(flow_rule_add(&rule, FLOW_PORT, FLOW_EQUAL, 1));
	assert_false(flow_rule_add(&rule, FLOW_LABEL, FLOW_EQUAL, 1));
	assert_true(flow_rule_takes(&rule, FLOW_PROTOCOL, 17));
	assert_false(flow_rule_takes(&rule, FLOW_PROTOCOL, 6));
	for (uint32_t port = 0; port <= 0xffff; port++)
		assert_int_equal(flow_rule_takes(&rule, FLOW_DESTINATION_PORT, port),
				 (port >= 137 && port <= 139) || port == 8080);
	assert_true(flow_rule_takes_any(&rule, FLOW_DESTINATION_PORT, 138, 138));
	assert_true(flow_rule_takes_any(&rule, FLOW_DESTINATION_PORT, 0, 137));
	assert_false(flow_rule_takes_any(&rule, FLOW_DESTINATION_PORT, 140, 8079));
	assert_false(flow_rule_takes_any(&rule, FLOW_DESTINATION_PORT, 8081, 0xffff));
	assert_true(flow_rule_takes_any(&rule, FLOW_SOURCE_PORT, 1024, 0xffff));
	assert_false(flow_rule_takes(&rule, FLOW_FRAGMENT, 0));
	assert_true(flow_rule_takes(&rule, FLOW_FRAGMENT, FLOW_IS_FRAGMENT | FLOW_LAST_FRAGMENT));
}

static void rates_are_floats(void **state)
{
	static const struct {
		uint64_t rate;
		const char *hex;
	} rows[] = {{0, "80 06 fd e8 00 00 00 00"},
		    {12500, "80 06 fd e8 46 43 50 00"},
		    {1000000000, "80 06 fd e8 4e 6e 6b 28"}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[FLOW_ACTION_BYTES], expected[FLOW_ACTION_BYTES];
		uint64_t rate;
		from_hex(rows[i].hex, expected);
		flow_action_write(65000, rows[i].rate, bytes);
		assert_memory_equal(bytes, expected, sizeof(bytes));
		assert_true(flow_action_read(slice_make(bytes, sizeof(bytes)), &rate));
		assert_int_equal(rate, rows[i].rate);
	}
	static const char *const none[] = {"80 06 00 00 bf 80 00 00", "80 06 00 00 7f c0 00 00",
					   "80 06 00 00 7f 80 00 00", "80 07 00 00 00 00 00 00",
					   "80 06 00 00 00 00 00"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		uint8_t bytes[FLOW_ACTION_BYTES];
		uint64_t rate;
		assert_false(flow_action_read(slice_make(bytes, from_hex(none[i], bytes)), &rate));
	}
}

TEST_MAIN(cmocka_unit_test(wire_and_words_agree), cmocka_unit_test(what_is_no_rule_is_refused),
	  cmocka_unit_test(several_follow_each_other), cmocka_unit_test(what_is_too_long_is_not_written),
	  cmocka_unit_test(terms_are_alternatives_of_conjunctions), cmocka_unit_test(rates_are_floats))
