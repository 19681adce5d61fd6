#include "limit/source_pace.h"

#include "base/test.h"

#include <stdlib.h>

static struct address source_of(uint32_t n)
{
	return address_from_v4((uint8_t[]){(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n});
}

static struct source_pace *pace_of(size_t sources)
{
	struct source_pace *pace = calloc(1, source_pace_bytes(sources));
	assert_non_null(pace);
	source_pace_init(pace, sources);
	return pace;
}

static void tells_since_the_last_of_the_same_source(void **state)
{
	(void)state;
	struct source_pace *pace = pace_of(1000);
	struct address a = source_of(1), b = source_of(2);
	assert_int_equal(source_pace_meet(pace, &a, 5000), 0);
	assert_int_equal(source_pace_meet(pace, &b, 5000), 0);
	assert_int_equal(source_pace_meet(pace, &a, 5000), 1);
	assert_int_equal(source_pace_meet(pace, &a, 6234), 1234);
	assert_int_equal(source_pace_meet(pace, &b, 6234), 1234);
	assert_int_equal(source_pace_meet(pace, &b, 6234 + SOURCE_PACE_MOST_MS), SOURCE_PACE_MOST_MS);
	assert_int_equal(source_pace_meet(pace, &b, 6235 + 2 * SOURCE_PACE_MOST_MS), 0);
	free(pace);
}

static void time_may_pass_what_fits_into_a_slot(void **state)
{
	(void)state;
	struct source_pace *pace = pace_of(8);
	struct address a = source_of(1);
	assert_int_equal(source_pace_meet(pace, &a, UINT32_MAX - 10), 0);
	assert_int_equal(source_pace_meet(pace, &a, (uint64_t)UINT32_MAX + 10), 20);
	free(pace);
}

/* Another process' clock is a moment ahead: it came, just now. */
static void a_clock_behind_is_no_source_that_never_came(void **state)
{
	(void)state;
	static const uint64_t nows[] = {100000, (uint64_t)UINT32_MAX + 2};
	struct source_pace *pace = pace_of(8);
	for (uint32_t i = 0; i < 2; i++) {
		struct address a = source_of(i + 1);
		assert_int_equal(source_pace_meet(pace, &a, nows[i]), 0);
		assert_int_equal(source_pace_meet(pace, &a, nows[i] - 3), 1);
		assert_int_equal(source_pace_meet(pace, &a, nows[i] + 7), 10);
		assert_int_equal(source_pace_meet(pace, &a, nows[i] - 60000), 0);
	}
	free(pace);
}

/* More sources than there is room for: the latest of each bucket stay, and nobody gets another's time for longer. */
static void a_full_table_keeps_who_came_last(void **state)
{
	(void)state;
	enum { ROOM = 4096, LATE = 256 };
	struct source_pace *pace = pace_of(ROOM);
	size_t known = 0;
	for (uint32_t i = 0; i < 8 * ROOM; i++) {
		struct address a = source_of(i);
		(void)source_pace_meet(pace, &a, i);
	}
	for (uint32_t i = 8 * ROOM - LATE; i < 8 * ROOM; i++) {
		struct address a = source_of(i);
		known += source_pace_meet(pace, &a, 8 * ROOM) != 0;
	}
	assert_in_range(known, LATE - 2, LATE);
	free(pace);
}

TEST_MAIN(cmocka_unit_test(tells_since_the_last_of_the_same_source),
	  cmocka_unit_test(time_may_pass_what_fits_into_a_slot),
	  cmocka_unit_test(a_clock_behind_is_no_source_that_never_came),
	  cmocka_unit_test(a_full_table_keeps_who_came_last))
