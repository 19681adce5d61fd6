#include "match/compare.h"

#include "base/test_cases.h"

typedef bool compare_function(struct slice value, struct slice argument, size_t *ret_at);

static const struct {
	struct slice name;
	compare_function *compare;
} ROWS[] = {
	{SLICE_INIT("equal"), compare_equal},
	{SLICE_INIT("contains"), compare_contains},
	{SLICE_INIT("containsWord"), compare_contains_word},
	{SLICE_INIT("beginsWith"), compare_begins_with},
	{SLICE_INIT("endsWith"), compare_ends_with},
	{SLICE_INIT("within"), compare_within},
};
enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };

static void render(const struct test_case *test, struct buffer *out)
{
	struct slice name = test->column[0], value = test->column[1];
	if (slice_equal(name, SLICE("number"))) {
		buffer_number(out, compare_number(value));
		return;
	}
	if (slice_equal(name, SLICE("narrow"))) {
		buffer_number(out, compare_number_narrow(compare_number(value)));
		return;
	}
	size_t row = 0, at = SIZE_MAX;
	while (row < ROW_COUNT && !slice_equal(ROWS[row].name, name))
		row++;
	assert_true(row < ROW_COUNT);
	if (ROWS[row].compare(value, test->column[2], &at)) {
		buffer_number(out, (int64_t)at);
		return;
	}
	assert_int_equal(at, SIZE_MAX);
	buffer_text(out, "no");
}

static void cases_come_out(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case test;
	for (test_cases_open(&cases, "src/match/compare_cases.txt"); test_cases_next(&cases, &test);) {
		struct buffer out = buffer_make(NULL);
		render(&test, &out);
		test_case_expect(&cases, &test, buffer_slice(&out), test.column[3]);
		buffer_free(&out);
	}
	test_cases_close(&cases);
}

TEST_MAIN(cmocka_unit_test(cases_come_out))
