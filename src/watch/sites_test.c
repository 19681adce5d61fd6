#include "watch/sites.h"

#include "base/test.h"

/* Two looks a second apart. */
static struct sites looked_at(void)
{
	return (struct sites){.seconds = 1, .at_ns = {5000000000, 4000000000}};
}

static void a_rate_is_what_came_in_a_second(void **state)
{
	(void)state;
	const struct sites sites = looked_at();
	assert_int_equal((int)sites_rate(&sites, 150, 100), 50);
}

/* With the file of a worker that ended its sums are gone: that is no rate, and below nothing there is none. */
static void sums_that_fall_have_grown_by_nothing(void **state)
{
	(void)state;
	const struct sites sites = looked_at();
	assert_int_equal(sums_grown(150, 100), 50);
	assert_int_equal(sums_grown(100, 150), 0);
	assert_int_equal((int)sites_rate(&sites, 100, 150), 0);
}

TEST_MAIN(cmocka_unit_test(a_rate_is_what_came_in_a_second), cmocka_unit_test(sums_that_fall_have_grown_by_nothing))
