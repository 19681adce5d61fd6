#include "drill/percentile.h"

#include "base/test.h"

static void nearest_rank(void **state)
{
	(void)state;
	int32_t values[] = {50, 15, 40, 20, 35};
	assert_int_equal(percentile(values, 5, 5), 15);
	assert_int_equal(percentile(values, 5, 30), 20);
	assert_int_equal(percentile(values, 5, 40), 20);
	assert_int_equal(percentile(values, 5, 50), 35);
	assert_int_equal(percentile(values, 5, 100), 50);
	assert_int_equal(percentile_sorted(values, 5, 99), 50);
}

static void of_a_hundred_the_one_before_the_last(void **state)
{
	(void)state;
	int32_t values[1000];
	for (int i = 0; i < 1000; i++)
		values[i] = 1000 - i;
	assert_int_equal(percentile(values, 1000, 99), 990);
	assert_int_equal(percentile_sorted(values, 1000, 99.9), 999);
	assert_int_equal(percentile_sorted(values, 1000, 0.1), 1);
}

static void of_none_and_of_one(void **state)
{
	(void)state;
	int32_t one = -7;
	assert_int_equal(percentile(NULL, 0, 99), 0);
	assert_int_equal(percentile(&one, 1, 1), -7);
	assert_int_equal(percentile(&one, 1, 100), -7);
}

TEST_MAIN(cmocka_unit_test(nearest_rank), cmocka_unit_test(of_a_hundred_the_one_before_the_last),
	  cmocka_unit_test(of_none_and_of_one))
