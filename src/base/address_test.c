#include "base/address.h"
#include "base/prefix_list.h"
#include "base/test.h"

static void text_round_trips(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.1/32", "192.0.2.1"},
		{"2001:db8::1", "2001:db8::1"},
		{"2001:DB8::/32", "2001:db8::/32"},
		{"::/0", "::/0"},
		{"::1/128", "::1"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix p;
		char text[ADDRESS_TEXT_BYTES];
		assert_true(prefix_parse(slice_from_string(rows[i][0]), &p));
		assert_string_equal(prefix_format(&p, text), rows[i][1]);
	}
}

static void an_address_alone_has_no_length(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} rows[] = {{"192.0.2.1", true},     {"2001:db8::1", true}, {"192.0.2.1/32", false},
		    {"2001:db8::1/", false}, {"", false},           {"a.test", false}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address a;
		char text[ADDRESS_TEXT_BYTES];
		assert_int_equal(address_parse(slice_from_string(rows[i].text), &a), rows[i].good);
		if (rows[i].good)
			assert_string_equal(address_format(&a, text), rows[i].text);
	}
}

static void a_list_is_read_and_a_wrong_line_named(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int outcome;
		size_t number; /* of prefixes, or the line */
	} rows[] = {
		{"", 0, 0},
		{"\n \t\r\n# nothing\n", 0, 0},
		{"192.0.2.0/24", 0, 1},
		{"192.0.2.0/24\r\n 2001:db8::/32 # ours\n\n10.0.0.1\n", 0, 3},
		{"10.0.0.1\n10.0.0.2\n10.0.0.3\n10.0.0.4\n", PREFIX_LIST_LONG, 4},
		{"10.0.0.1\n\n10.0.0.256\n", PREFIX_LIST_BAD, 3},
		{"10.0.0.1 10.0.0.2\n", PREFIX_LIST_BAD, 1},
		{"10.0.0.1/8\n", PREFIX_LIST_BAD, 1},
		{"10.0.0.1\nx", PREFIX_LIST_BAD, 2},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix *prefixes = NULL;
		size_t count = 0, line = 0;
		int r = prefix_list_read(slice_from_string(rows[i].text), 3, &prefixes, &count, &line);
		assert_int_equal(r, rows[i].outcome);
		assert_int_equal(r == 0 ? count : line, rows[i].number);
		free(prefixes);
	}
}

static void what_is_no_prefix_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {"",
					   "/24",
					   "192.0.2.1/",
					   "192.0.2.1/33",
					   "192.0.2.1/24",
					   "192.0.2",
					   "192.0.2.256",
					   "192.0.2.0/024",
					   "2001:db8::1/32",
					   "2001:db8::/129",
					   "fe80::1%eth0",
					   "1.2.3.4:80",
					   "[::1]",
					   "192.0.2.0/-1",
					   " 192.0.2.1"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix p;
		if (prefix_parse(test_fenced(slice_from_string(rows[i])), &p))
			fail_msg("'%s' was taken for a prefix", rows[i]);
	}
	struct prefix p;
	assert_false(prefix_parse(slice_make("192.0.2.1\0", 10), &p));
}

static struct prefix parsed(const char *text)
{
	struct prefix p;
	assert_true(prefix_parse(slice_from_string(text), &p));
	return p;
}

static void prefixes_hold_their_own_family_only(void **state)
{
	(void)state;
	static const struct {
		const char *prefix;
		const char *address;
		bool has;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"0.0.0.0/0", "198.51.100.1", true},
		{"::/0", "198.51.100.1", false},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"2001:db8::/65", "2001:db8::8000:0:0:0", false},
		{"::/0", "2001:db8::1", true},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix p = parsed(rows[i].prefix), a = parsed(rows[i].address);
		assert_int_equal(prefix_has(&p, &a.address), rows[i].has);
	}
}

TEST_MAIN(cmocka_unit_test(text_round_trips), cmocka_unit_test(what_is_no_prefix_is_refused),
	  cmocka_unit_test(a_list_is_read_and_a_wrong_line_named),
	  cmocka_unit_test(prefixes_hold_their_own_family_only), cmocka_unit_test(an_address_alone_has_no_length))
