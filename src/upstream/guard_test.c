#include "upstream/guard.h"
#include "base/test_cases.h"
#include "upstream/test_operator.h"

static enum guard_verdict judged(const struct upstream_operator *operator_, struct slice line, bool yes,
				 uint64_t until_ms)
{
	struct guard *guard;
	const struct guard_terms terms = {1000000, until_ms, yes};
	assert_int_equal(guard_create(operator_, &guard), 0);
	enum guard_verdict verdict = guard_judge(guard, test_fenced(line), &terms);
	guard_free(guard);
	return verdict;
}

static const char *const NAMES[] = {
#define GUARD(name, text) [GUARD_##name] = #name,
#include "upstream/guard_verdicts.h"
#undef GUARD
};

static void lines_are_judged_by_what_they_hit(void **state)
{
	const struct upstream_operator operator_ = test_operator();
	struct test_cases cases;
	struct test_case row;
	(void)state;
	for (test_cases_open(&cases, "src/upstream/guard_cases.txt"); test_cases_next(&cases, &row);)
		for (size_t yes = 0; yes < 2; yes++)
			test_case_expect(&cases, &row,
					 slice_from_string(NAMES[judged(&operator_, row.column[2], yes, 1060000)]),
					 row.column[yes]);
	test_cases_close(&cases);
}

static void what_is_not_agreed_does_not_pass(void **state)
{
	const struct slice flow = SLICE("neighbor 203.0.113.1 announce flow route { match { destination 192.0.2.10/32; "
					"protocol [ =17 ]; } then { discard; } }");
	const struct slice hole =
		SLICE("neighbor 203.0.113.1 announce route 192.0.2.10/32 next-hop 192.0.2.1 community [ 65535:666 ]");
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
