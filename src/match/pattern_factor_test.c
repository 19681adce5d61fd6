#include "match/pattern_factor.h"

#include "base/test_cases.h"

static void render(struct slice source, struct buffer *out)
{
	struct pattern pattern;
	struct pattern_factors factors;
	assert_int_equal(pattern_parse(source, 0, &pattern), 0);
	assert_int_equal(pattern_factors_find(&pattern, 3, &factors), 0);
	for (size_t i = 0; i < factors.count; i++) {
		buffer_text(out, i > 0 ? " " : "");
		buffer_add(out, slice_make(factors.items[i].bytes, factors.items[i].len));
	}
	if (factors.items == NULL)
		buffer_text(out, "none");
	pattern_factors_free(&factors);
	pattern_free(&pattern);
}

static void cases_come_out(void **state)
{
	(void)state;
	struct test_cases cases;
	struct test_case test;
	for (test_cases_open(&cases, "src/match/pattern_factor_cases.txt"); test_cases_next(&cases, &test);) {
		struct buffer out = buffer_make(NULL);
		render(test.column[0], &out);
		test_case_expect(&cases, &test, buffer_slice(&out), test.column[1]);
		buffer_free(&out);
	}
	test_cases_close(&cases);
}

TEST_MAIN(cmocka_unit_test(cases_come_out))
