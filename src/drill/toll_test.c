#include "drill/toll.h"

#include "base/test.h"

static void counters_of_the_link_are_found(void **state)
{
	(void)state;
	static const char devices[] =
		"Inter-|   Receive\n face |bytes    packets errs drop\n"
		"    lo: 1 2 3 4 5\n  gate: 139426064 2676011    7    42    0     0\n gate2: 9 9 9 9\n";
	uint64_t received, lost;
	assert_true(toll_link_read(slice_from_string(devices), "gate", &received, &lost));
	assert_int_equal(received, 2676011);
	assert_int_equal(lost, 42);
	assert_false(toll_link_read(slice_from_string(devices), "gat", &received, &lost));
	assert_false(toll_link_read(slice_from_string("gate: 1 2 3\n"), "gate", &received, &lost));
	assert_false(toll_link_read(slice_from_string(""), "gate", &received, &lost));
}

static void a_threads_time_is_found(void **state)
{
	(void)state;
	uint64_t ns;
	assert_true(toll_thread_read(slice_from_string("1234567890123 4 5\n"), &ns));
	assert_int_equal(ns, 1234567890123);
	assert_false(toll_thread_read(slice_from_string("12\n"), &ns));
	assert_false(toll_thread_read(slice_from_string(""), &ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_of_the_link_are_found),
		cmocka_unit_test(a_threads_time_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
