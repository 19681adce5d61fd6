#include "screen/course.h"

#include "base/test.h"
#include "screen/quiet.h"

#include <math.h>

static struct course course;
static struct quiet quiet;

static int anew(void **state)
{
	(void)state;
	course = (struct course){0};
	quiet = (struct quiet){0};
	return 0;
}

static void play(uint64_t from_ms, uint64_t step_ms, size_t times, uint64_t each)
{
	for (size_t i = 0; i < times; i++) {
		const uint64_t sums[COURSE_KINDS] = {each * i, 2 * each * i, 0, 0, 0, 0};
		course_sums(&course, sums, from_ms + i * step_ms);
	}
}

static void sums_become_rates(void **state)
{
	(void)state;
	uint64_t at_ms[8], step_ms;
	double values[8 * COURSE_KINDS];
	play(10000, 250, 21, 25); /* 100 and 200 a second */
	assert_int_equal(course_steps(&course, 8, at_ms, values, &step_ms), 5);
	assert_int_equal(step_ms, 1000);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(at_ms[i], 10000 + 1000 * i);
		assert_true(fabs(values[i * COURSE_KINDS] - 100) < 0.01);
		assert_true(fabs(values[i * COURSE_KINDS + 1] - 200) < 0.01);
	}
}

static void what_does_not_fit_is_taken_together(void **state)
{
	(void)state;
	uint64_t at_ms[10], step_ms;
	double values[10 * COURSE_KINDS];
	play(0, 1000, 2000, 7);
	assert_int_equal(course.count, COURSE_SECONDS);
	size_t steps = course_steps(&course, 10, at_ms, values, &step_ms);
	assert_in_range(steps, 9, 10);
	for (size_t i = 0; i < steps; i++) {
		assert_true(fabs(values[i * COURSE_KINDS] - 7) < 0.01);
		assert_true(i == 0 || at_ms[i] - at_ms[i - 1] == step_ms);
	}
}

/* Wherever the course begins within a step. */
static void the_newest_is_always_among_them(void **state)
{
	enum { ROOM_MOST = 30, STARTS = 120 };
	uint64_t at_ms[ROOM_MOST], step_ms;
	double values[ROOM_MOST * COURSE_KINDS];
	for (size_t room = 2; room <= ROOM_MOST; room++)
		for (size_t start = 1; start <= STARTS; start++) {
			anew(state);
			play(start * 1000, 1000, COURSE_SECONDS + 1, 7);
			size_t steps = course_steps(&course, room, at_ms, values, &step_ms);
			assert_in_range(steps, 1, room);
			assert_true(at_ms[steps - 1] + step_ms > (start + COURSE_SECONDS - 1) * 1000);
		}
}

static void a_watch_that_began_anew_is_no_flood(void **state)
{
	(void)state;
	uint64_t at_ms[8], step_ms;
	double values[8 * COURSE_KINDS];
	const uint64_t many[COURSE_KINDS] = {1000000}, few[COURSE_KINDS] = {5};
	course_sums(&course, many, 1000);
	course_sums(&course, few, 2000);
	assert_int_equal(course_steps(&course, 8, at_ms, values, &step_ms), 1);
	assert_true(values[0] == 0);
}

static void a_clock_set_back_begins_it_anew(void **state)
{
	(void)state;
	play(100000, 1000, 5, 1);
	play(50000, 1000, 3, 1);
	assert_int_equal(course.count, 2);
}

static void a_measure_is_marked_once(void **state)
{
	(void)state;
	course_mark(&course, 7, "a", "what", 1000, 2000);
	course_mark(&course, 7, "a", "what", 1001, 3000);
	course_mark(&course, 8, "a", "what", 1500, 3000);
	assert_int_equal(course.mark_count, 2);
	assert_int_equal(course.marks[1].number, 2);
	for (uint64_t i = 0; i < 3 * COURSE_MARKS; i++)
		course_mark(&course, 100 + i, "a", "what", 2000 + i, 3000);
	assert_int_equal(course.mark_count, COURSE_MARKS);
	course_mark(&course, 9, "a", "what", 2000000, 2000000);
	assert_int_equal(course.mark_count, 1);
	assert_int_equal(course.marks[0].number, 1);
}

static void what_is_usual_is_the_mean(void **state)
{
	(void)state;
	double per_s = -1;
	assert_false(quiet_rate(&quiet, 0, "a", &per_s));
	for (int i = 0; i < 600; i++) {
		quiet_second(&quiet);
		quiet_see(&quiet, 0, "a", i % 2 == 0 ? 10 : 30);
		if (i % 4 == 0)
			quiet_see(&quiet, 0, "b", 8);
	}
	assert_true(quiet_rate(&quiet, 0, "a", &per_s));
	assert_true(fabs(per_s - 20) < 2);
	assert_true(quiet_rate(&quiet, 0, "b", &per_s));
	assert_true(fabs(per_s - 2) < 1);
	assert_true(quiet_rate(&quiet, 1, "a", &per_s));
	assert_true(per_s == 0);
}

static void rare_keys_make_room(void **state)
{
	(void)state;
	double per_s = -1;
	char key[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "once %d", i);
		quiet_second(&quiet);
		quiet_see(&quiet, 0, "often", 50);
		quiet_see(&quiet, 0, key, 1);
	}
	assert_true(quiet_rate(&quiet, 0, "often", &per_s));
	assert_true(fabs(per_s - 50) < 1);
}

TEST_MAIN(cmocka_unit_test_setup(sums_become_rates, anew),
	  cmocka_unit_test_setup(what_does_not_fit_is_taken_together, anew),
	  cmocka_unit_test_setup(the_newest_is_always_among_them, anew),
	  cmocka_unit_test_setup(a_watch_that_began_anew_is_no_flood, anew),
	  cmocka_unit_test_setup(a_clock_set_back_begins_it_anew, anew),
	  cmocka_unit_test_setup(a_measure_is_marked_once, anew),
	  cmocka_unit_test_setup(what_is_usual_is_the_mean, anew), cmocka_unit_test_setup(rare_keys_make_room, anew))
