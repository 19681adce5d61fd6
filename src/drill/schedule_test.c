#include "drill/schedule.h"

#include "base/test.h"

static const int64_t ms = 1000000;

static void assert_ordered(const struct schedule *schedule, uint32_t people)
{
	for (size_t i = 0; i < schedule->count; i++) {
		assert_true(i == 0 || schedule->items[i - 1].at_ns <= schedule->items[i].at_ns);
		assert_in_range(schedule->items[i].who, 0, people - 1);
	}
}

static size_t count_between(const struct schedule *schedule, int64_t from_ms, int64_t to_ms)
{
	size_t count = 0;
	for (size_t i = 0; i < schedule->count; i++)
		count += schedule->items[i].at_ns >= from_ms * ms && schedule->items[i].at_ns < to_ms * ms;
	return count;
}

static void residents_come_evenly_from_the_first_second_to_the_last(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct run_plan plan = run_plan_of(&shapes[0], 1, seed, false);
		struct schedule schedule;
		assert_int_equal(schedule_visitors(&plan, &schedule), 0);
		uint32_t end_ms = run_plan_end_ms(&plan);
		assert_int_equal(schedule.count, (size_t)plan.residents_per_second * end_ms / 1000);
		assert_ordered(&schedule, (uint32_t)plan.census.residents.count);
		assert_int_equal(count_between(&schedule, 0, end_ms), schedule.count);
		for (uint32_t second = 0; second < end_ms / 1000; second++)
			assert_in_range(count_between(&schedule, second * 1000, second * 1000 + 1000), 200, 400);
		schedule_free(&schedule);
	}
}

static void assert_everyone_comes(const struct run_plan *plan)
{
	struct schedule schedule;
	bool came[8192] = {false};
	size_t count = plan->census.residents.count + (plan->guests_per_second > 0 ? plan->census.guests.count : 0);
	size_t missing = count, rate = plan->residents_per_second + plan->guests_per_second;
	assert_int_equal(schedule_visitors(plan, &schedule), 0);
	assert_in_range(schedule.count, rate * run_plan_end_ms(plan) / 1000 - 1, rate * run_plan_end_ms(plan) / 1000);
	assert_ordered(&schedule, (uint32_t)count);
	for (size_t at = 0; at < schedule.count; at++) {
		missing -= !came[schedule.items[at].who];
		came[schedule.items[at].who] = true;
	}
	assert_int_equal(missing, 0);
	schedule_free(&schedule);
}

/* So that a gate which has been there for weeks has seen everybody. */
static void everyone_comes_on_the_days_before_and_in_the_morning(void **state)
{
	(void)state;
	struct run_plan past = run_plan_past(1, false);
	assert_everyone_comes(&past);
	for (size_t i = 0; i < shape_count; i++) {
		struct run_plan day = run_plan_of(&shapes[i], 1, 7, false), morning = run_plan_morning(&day);
		assert_everyone_comes(&morning);
	}
}

/* Whoever comes with the attack was not there before it. */
static void who_comes_late_does_not_come_in_the_morning(void **state)
{
	(void)state;
	for (size_t i = 0; i < shape_count; i++) {
		struct run_plan day = run_plan_of(&shapes[i], 1, 7, false), morning = run_plan_morning(&day);
		struct schedule schedule;
		size_t guests = 0;
		assert_int_equal(schedule_visitors(&morning, &schedule), 0);
		for (size_t at = 0; at < schedule.count; at++)
			guests += schedule.items[at].who >= morning.census.residents.count;
		assert_int_equal(guests > 0, shapes[i].guests.per_second > 0 && !shapes[i].guests.late);
		schedule_free(&schedule);
	}
}

/* Enough to judge by once a mitigation holds: 10 s after the onset at the latest. */
static void a_whole_run_has_residents_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < shape_count; i++) {
		struct run_plan plan = run_plan_of(&shapes[i], 1, 1, false);
		if (plan.shape->kind != KIND_ATTACK)
			continue;
		uint32_t held_ms = run_plan_end_ms(&plan) - plan.quiet_ms - 10000;
		assert_true((plan.residents_per_second + plan.guests_per_second) * held_ms / 1000 >= 10000);
	}
}

static void attacks_are_within_their_time_and_of_their_rate(void **state)
{
	(void)state;
	for (size_t i = 0; i < shape_count; i++)
		for (int brief = 0; brief < 2; brief++) {
			struct run_plan plan = run_plan_of(&shapes[i], 1, 11, brief);
			struct tells tells = tells_draw(&plan);
			struct schedule schedule;
			if (plan.attacks_per_second == 0 || plan.shape->volley.kind != PACKET_NONE)
				continue;
			assert_int_equal(schedule_attack(&plan, &tells, &schedule), 0);
			assert_ordered(&schedule, (uint32_t)plan.census.attackers.count);
			uint32_t end_ms = run_plan_end_ms(&plan);
			size_t seconds = 0;
			for (uint32_t at = 0; at < end_ms; at += 1000) {
				size_t count = count_between(&schedule, at, at + 1000);
				if (!run_plan_attacks(&plan, at)) {
					assert_int_equal(count, 0);
					continue;
				}
				seconds++;
				assert_in_range(count, plan.attacks_per_second * 8 / 10,
						plan.attacks_per_second * 12 / 10);
			}
			assert_int_equal(schedule.count, seconds * plan.attacks_per_second);
			schedule_free(&schedule);
		}
}

/* No source of the diffuse flood is near a limit that residents keep to. */
static void no_diffuse_source_sends_more_than_another(void **state)
{
	(void)state;
	struct nearest nearest;
	const struct shape *shape = shape_find("diffuse", &nearest);
	struct run_plan plan = run_plan_of(shape, 1, 5, false);
	struct tells tells = tells_draw(&plan);
	struct schedule schedule;
	assert_int_equal(schedule_attack(&plan, &tells, &schedule), 0);
	size_t *sent = calloc((uint32_t)plan.census.attackers.count, sizeof(*sent));
	assert_non_null(sent);
	for (size_t i = 0; i < schedule.count; i++)
		sent[schedule.items[i].who]++;
	size_t mean = schedule.count / (uint32_t)plan.census.attackers.count;
	for (uint32_t i = 0; i < (uint32_t)plan.census.attackers.count; i++)
		assert_in_range(sent[i], mean - shape->burst, mean + shape->burst);
	free(sent);
	schedule_free(&schedule);
}

static void a_pulse_pauses_and_returns(void **state)
{
	(void)state;
	struct nearest nearest;
	struct run_plan plan = run_plan_of(shape_find("pulse", &nearest), 1, 5, false);
	assert_false(run_plan_attacks(&plan, plan.quiet_ms - 1));
	assert_true(run_plan_attacks(&plan, plan.quiet_ms));
	assert_true(run_plan_attacks(&plan, plan.quiet_ms + 19999));
	assert_false(run_plan_attacks(&plan, plan.quiet_ms + 20000));
	assert_true(run_plan_attacks(&plan, plan.quiet_ms + 40000));
	assert_true(run_plan_attacks(&plan, plan.quiet_ms + 59999));
	assert_false(run_plan_attacks(&plan, plan.quiet_ms + 60000));
}

static void a_seed_says_it_all(void **state)
{
	(void)state;
	struct run_plan plan = run_plan_of(&shapes[0], 1, 9, true), other = run_plan_of(&shapes[0], 1, 10, true);
	struct tells tells = tells_draw(&plan);
	struct schedule one, again, another;
	assert_int_equal(schedule_attack(&plan, &tells, &one), 0);
	assert_int_equal(schedule_attack(&plan, &tells, &again), 0);
	assert_int_equal(schedule_attack(&other, &tells, &another), 0);
	assert_memory_equal(one.items, again.items, one.count * sizeof(one.items[0]));
	assert_memory_not_equal(one.items, another.items, one.count * sizeof(one.items[0]));
	schedule_free(&one);
	schedule_free(&again);
	schedule_free(&another);
}

static void a_shape_is_found_by_its_name(void **state)
{
	(void)state;
	struct nearest nearest;
	for (size_t i = 0; i < shape_count; i++)
		assert_ptr_equal(shape_find(shapes[i].name, &nearest), &shapes[i]);
	assert_null(shape_find("slow-haed", &nearest));
	assert_string_equal(nearest.name, "slow-head");
	assert_null(shape_find("", &nearest));
}

static void floods_of_whole_requests_and_of_packets_are_lightened(void **state)
{
	(void)state;
	for (size_t i = 0; i < shape_count; i++) {
		const struct shape *shape = &shapes[i];
		struct run_plan plan = run_plan_of(shape, 1, 5, false);
		/* a full link is to stay full */
		bool flood = shape->kind == KIND_ATTACK && shape->manner == MANNER_WHOLE && shape->link_mbit == 0;
		run_plan_lighten(&plan, 0);
		run_plan_lighten(&plan, shape->per_second);
		assert_int_equal(plan.attacks_per_second, shape->per_second);
		run_plan_lighten(&plan, shape->per_second - 1);
		assert_int_equal(plan.attacks_per_second, flood ? shape->per_second - 1 : shape->per_second);
		assert_int_equal(plan.lightened, flood);
	}
}

TEST_MAIN(cmocka_unit_test(residents_come_evenly_from_the_first_second_to_the_last),
	  cmocka_unit_test(everyone_comes_on_the_days_before_and_in_the_morning),
	  cmocka_unit_test(who_comes_late_does_not_come_in_the_morning),
	  cmocka_unit_test(a_whole_run_has_residents_enough),
	  cmocka_unit_test(attacks_are_within_their_time_and_of_their_rate),
	  cmocka_unit_test(no_diffuse_source_sends_more_than_another), cmocka_unit_test(a_pulse_pauses_and_returns),
	  cmocka_unit_test(a_seed_says_it_all), cmocka_unit_test(a_shape_is_found_by_its_name),
	  cmocka_unit_test(floods_of_whole_requests_and_of_packets_are_lightened))
