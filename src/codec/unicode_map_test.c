#include "codec/unicode_map.h"

#include "base/error.h"
#include "base/test.h"

static struct unicode_map map;

static int parse(struct slice text, unsigned code_page, struct buffer *ret_complaint)
{
	struct diagnostics list;
	diagnostics_init(&list);
	int r = unicode_map_parse(&map, test_fenced(text), code_page, "map", &list);
	assert_int_equal(r != 0, diagnostics_failed(&list));
	buffer_clear(ret_complaint);
	if (list.first != NULL)
		diagnostic_format(list.first, ret_complaint);
	diagnostics_destroy(&list);
	return r;
}

static void takes_its_page_only(void **state)
{
	(void)state;
	struct buffer complaint = buffer_make(NULL);
	struct slice text = SLICE("(MAC - Roman)\n\n# a comment\n1250  (ANSI)\n00a1:21 00a2:63\n\n"
				  "20127 (US-ASCII)\r\n00a1:22 2039:3c\r\n 203a:3e\n1251 x\n00a3:4c\n10ffff:41");
	assert_int_equal(parse(text, 20127, &complaint), 0);
	assert_int_equal(map.byte[0xa1], 0x22);
	assert_int_equal(map.byte[0xa2], UNICODE_MAP_ABSENT);
	assert_int_equal(map.byte[0x2039], '<');
	assert_int_equal(map.byte[0x203a], '>');
	assert_int_equal(map.byte[0xa3], UNICODE_MAP_ABSENT);
	assert_int_equal(map.byte[0xff0e], '.');
	assert_int_equal(parse(text, 1251, &complaint), 0);
	assert_int_equal(map.byte[0xa3], 0x4c);
	assert_int_equal(map.byte[0xa1], UNICODE_MAP_ABSENT);
	buffer_free(&complaint);
}

static void complains_with_a_place(void **state)
{
	(void)state;
	struct buffer complaint = buffer_make(NULL);
	assert_int_equal(parse(SLICE("20127 x\n00a1:21 00zz:22\n"), 20127, &complaint), -EINVAL);
	assert_true(slice_starts_with(buffer_slice(&complaint), SLICE("map:2:9: error: ")));
	assert_int_equal(parse(SLICE("20127 x\n00a1:121\n"), 20127, &complaint), -EINVAL);
	assert_int_equal(parse(SLICE("20127 x\n00a1:\n"), 20127, &complaint), -EINVAL);
	assert_int_equal(parse(SLICE("20127 x\n00a1:21 junk"), 20127, &complaint), -EINVAL);
	assert_int_equal(parse(SLICE("20127 x\n00zz:21\n"), 1250, &complaint), -EINVAL);
	assert_true(slice_find(buffer_slice(&complaint), SLICE("1250"), 0) < complaint.len);
	assert_int_equal(parse(SLICE(""), 20127, &complaint), -EINVAL);
	buffer_free(&complaint);
}

TEST_MAIN(cmocka_unit_test(takes_its_page_only), cmocka_unit_test(complains_with_a_place))
