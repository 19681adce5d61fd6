#include "match/verify.h"

#include "base/test_cases.h"

static verify_function *find_check(struct slice name)
{
	static const struct {
		struct slice name;
		verify_function *verify;
	} CHECKS[] = {
		{SLICE_INIT("card"), verify_card},
		{SLICE_INIT("cpf"), verify_cpf},
		{SLICE_INIT("ssn"), verify_ssn},
		{SLICE_INIT("svnr"), verify_svnr},
	};
	size_t i = 0;
	while (!slice_equal(CHECKS[i].name, name))
		assert_true(++i < sizeof(CHECKS) / sizeof(CHECKS[0]));
	return CHECKS[i].verify;
}

static void cases_come_out(void **state)
{
	(void)state;
	struct regex_scratch *scratch;
	struct test_cases cases;
	struct test_case test;
	assert_int_equal(regex_scratch_create(&scratch), 0);
	for (test_cases_open(&cases, "src/match/verify_cases.txt"); test_cases_next(&cases, &test);) {
		struct regex *regex;
		struct regex_span span;
		struct slice value = test.column[2], got = SLICE("no");
		assert_int_equal(regex_compile(test.column[1], 0, &regex, NULL), 0);
		int r = verify_search(find_check(test.column[0]), regex, scratch, value, NULL, &span);
		assert_in_range(r, REGEX_NONE, REGEX_MATCH);
		if (r == REGEX_MATCH)
			got = slice_sub(value, span.start, span.end);
		test_case_expect(&cases, &test, got, test.column[3]);
		regex_free(regex);
	}
	test_cases_close(&cases);
	regex_scratch_free(scratch);
}

static void limits_are_passed_on(void **state)
{
	(void)state;
	struct regex *regex;
	struct regex_scratch *scratch;
	struct regex_span span;
	struct regex_limits limits = {.match = 1, .depth = 1};
	assert_int_equal(regex_compile(SLICE("(?:a*)*\\d{30}(?<!a)"), 0, &regex, NULL), 0);
	assert_int_equal(regex_scratch_create(&scratch), 0);
	assert_int_equal(verify_search(verify_card, regex, scratch, SLICE("aaaaaaaaaaaaaaaaaaaaaaaa0123456789012"),
				       &limits, &span),
			 REGEX_LIMIT);
	regex_scratch_free(scratch);
	regex_free(regex);
}

TEST_MAIN(cmocka_unit_test(cases_come_out), cmocka_unit_test(limits_are_passed_on))
