#include "match/bytes.h"

#include "base/test_cases.h"

static void render_range(struct slice argument, struct slice value, struct buffer *out)
{
	struct byte_range set;
	struct slice bad;
	assert_int_equal(byte_range_parse(argument, &set, &bad), 0);
	size_t at = byte_range_find_foreign(&set, value, 0);
	if (at == value.len)
		buffer_text(out, "-");
	else
		buffer_number(out, (int64_t)at);
}

static void render_fault(const char *const *names, unsigned fault, size_t at, struct buffer *out)
{
	assert_int_equal(fault == 0, at == SIZE_MAX);
	if (fault == 0)
		buffer_text(out, "-");
	else
		buffer_printf(out, "%s %zu", names[fault], at);
}

static void render(struct slice check, struct slice argument, struct slice value, struct buffer *out)
{
	static const char *const URL[] = {"", "nothex", "short"};
	static const char *const UTF8[] = {"", "short", "invalid", "overlong", "restricted"};
	size_t at = SIZE_MAX;
	if (slice_equal(check, SLICE("range"))) {
		render_range(argument, value, out);
	} else if (slice_equal(check, SLICE("badrange"))) {
		struct byte_range set;
		struct slice bad = SLICE("none");
		assert_int_equal(byte_range_parse(argument, &set, &bad), BYTE_RANGE_BAD);
		buffer_add(out, bad);
	} else if (slice_equal(check, SLICE("url"))) {
		unsigned fault = url_encoding_check(value, &at);
		render_fault(URL, fault, at, out);
	} else {
		assert_true(slice_equal(check, SLICE("utf8")));
		unsigned fault = utf8_encoding_check(value, &at);
		render_fault(UTF8, fault, at, out);
	}
}

static void cases_come_out(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case test;
	for (test_cases_open(&cases, "src/match/bytes_cases.txt"); test_cases_next(&cases, &test);) {
		struct buffer out = buffer_make(NULL);
		render(test.column[0], test.column[1], test.column[2], &out);
		test_case_expect(&cases, &test, buffer_slice(&out), test.column[3]);
		buffer_free(&out);
	}
	test_cases_close(&cases);
}

TEST_MAIN(cmocka_unit_test(cases_come_out))
