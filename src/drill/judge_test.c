#include "drill/judge.h"

#include "base/test.h"
#include "drill/report.h"

#include <math.h>

enum {
	PER_SECOND = 300,
	QUIET_S = 3, /* of a whole run */
	OVER_S = QUIET_S + 40,
};

static const int64_t second_ns = 1000000000;

/* Who is answered: by the second, what one thinks of. */
typedef bool answered_function(double since_s, size_t number);

/* A run in which residents ask evenly, and attackers send as planned, all of it to the origin until `stopped_s`. */
static struct record *make_record(const struct run_plan *plan, answered_function *answered, double stopped_s)
{
	struct record *record;
	size_t seconds = run_plan_end_ms(plan) / 1000, count = seconds * PER_SECOND;
	assert_int_equal(record_map(count, &record), 0);
	for (size_t i = 0; i < count; i++) {
		struct asked *asked = &record->asked[i];
		asked->meant_ns = (int64_t)i * second_ns / PER_SECOND;
		bool good = answered((double)asked->meant_ns / 1e9, i);
		asked->outcome = good ? OUTCOME_ANSWERED : OUTCOME_LATE;
		asked->took_us = good ? 50000 + (int32_t)(i % 100) * 100 : 2000000;
		asked->late_us = 100;
	}
	for (size_t i = 0; i < seconds; i++) {
		if (!run_plan_attacks(plan, (uint32_t)i * 1000))
			continue;
		record->attack[i].offered = plan->attacks_per_second;
		record->attack[i].sent = plan->attacks_per_second;
		record->origin[i].attackers = (double)i < stopped_s ? plan->attacks_per_second : 0;
		record->origin[i].busiest = 50;
	}
	record->attackers_use =
		(struct client_use){second_ns * 4, second_ns * 10, (uint64_t)plan->quiet_ms * 1000000 + 1};
	record->visitors_use = (struct client_use){second_ns / 2, second_ns * 10, 1};
	return record;
}

static bool always(double since_s, size_t number)
{
	(void)since_s;
	(void)number;
	return true;
}

static bool down_for_good(double since_s, size_t number)
{
	(void)number;
	return since_s < QUIET_S || since_s >= OVER_S;
}

static bool down_three_seconds(double since_s, size_t number)
{
	(void)number;
	return since_s < QUIET_S || since_s >= QUIET_S + 3;
}

static bool down_fifteen_seconds(double since_s, size_t number)
{
	(void)number;
	return since_s < QUIET_S || since_s >= QUIET_S + 15;
}

static bool one_in_five_hundred_lost(double since_s, size_t number)
{
	return down_three_seconds(since_s, number) && (since_s < QUIET_S || number % 500 != 0);
}

static bool one_in_five_thousand_lost(double since_s, size_t number)
{
	return down_three_seconds(since_s, number) && (since_s < QUIET_S || number % 5000 != 0);
}

static bool again_and_again(double since_s, size_t number)
{
	(void)number;
	return since_s < QUIET_S || since_s >= OVER_S || (int)since_s % 10 >= 5;
}

static struct pair make_pair(const struct run_plan *plan, answered_function *without, answered_function *with,
			     double stopped_s)
{
	struct pair pair = {.plan = plan};
	struct record *control = make_record(plan, without, 1000), *tried = make_record(plan, with, stopped_s);
	assert_int_equal(figures_of(plan, control, NAN, &pair.without), 0);
	assert_int_equal(figures_of(plan, tried, NAN, &pair.with), 0);
	record_unmap(control);
	record_unmap(tried);
	return pair;
}

static struct run_plan whole_plan(void)
{
	return run_plan_of(&shapes[0], 1, 1, false);
}

static void restoration_is_when_it_lasts(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan();
	static const struct {
		answered_function *answered;
		double restored_s; /* negative: never */
	} cases[] = {
		{always, 0},
		{down_for_good, -1},
		{down_three_seconds, 3},
		{down_fifteen_seconds, 15},
		{one_in_five_hundred_lost, -1},
		{one_in_five_thousand_lost, 3},
		{again_and_again, -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct figures figures;
		struct record *record = make_record(&plan, cases[i].answered, 1000);
		assert_int_equal(figures_of(&plan, record, NAN, &figures), 0);
		if (cases[i].restored_s < 0)
			assert_true(isnan(figures.restored_s));
		else
			assert_true(fabs(figures.restored_s - cases[i].restored_s) < 0.11);
		assert_true(figures.quiet.answered_percent == 100);
		record_unmap(record);
	}
}

static void a_shape_that_is_withstood_is_survived(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan();
	struct pair pair = make_pair(&plan, down_for_good, down_three_seconds, QUIET_S + 3);
	assert_int_equal(judge(&pair), VERDICT_SURVIVED);
	assert_true(pair.with.held.asked >= 10000);
	assert_true(pair.with.reached_percent == 0);
	for (size_t i = 0; i < judge_line_count; i++)
		assert_true(!judge_lines[i].asked(&pair) || judge_meets(&judge_lines[i], &pair));
}

static void without_harm_there_is_no_win(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan();
	struct pair pair = make_pair(&plan, always, always, QUIET_S + 3);
	assert_int_equal(judge(&pair), VERDICT_HARMLESS);
}

static void each_line_can_fail(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan();
	struct pair late = make_pair(&plan, down_for_good, down_fifteen_seconds, QUIET_S + 3);
	struct pair never = make_pair(&plan, down_for_good, down_for_good, QUIET_S + 3);
	struct pair let_through = make_pair(&plan, down_for_good, down_three_seconds, 1000);
	struct pair slow = make_pair(&plan, down_for_good, down_three_seconds, QUIET_S + 3), few = slow;
	slow.with.held.p99_ms = slow.with.quiet.p99_ms * 2 + 1;
	few.with.held.asked = 9999;
	const struct pair *const pairs[] = {&late, &never, &let_through, &slow, &few};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_int_equal(judge(pairs[i]), VERDICT_NOT_SURVIVED);
	plan.brief = true;
	assert_int_equal(judge(&few), VERDICT_SURVIVED);
}

static void latency_may_double_or_grow_by_fifty(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan();
	struct pair pair = make_pair(&plan, down_for_good, down_three_seconds, QUIET_S + 3);
	pair.with.quiet.p99_ms = 20;
	pair.with.held.p99_ms = 70;
	assert_int_equal(judge(&pair), VERDICT_SURVIVED);
	pair.with.held.p99_ms = 71;
	assert_int_equal(judge(&pair), VERDICT_NOT_SURVIVED);
	pair.with.quiet.p99_ms = 60;
	pair.with.held.p99_ms = 119;
	assert_int_equal(judge(&pair), VERDICT_SURVIVED);
}

static void what_disturbs_a_run_voids_it(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan();
	struct pair good = make_pair(&plan, down_for_good, down_three_seconds, QUIET_S + 3);
	struct pair bad[10];
	for (size_t i = 0; i < 10; i++)
		bad[i] = good;
	bad[0].without.late_p99_ms = 5.1;
	bad[1].with.late_p99_ms = 5.1;
	bad[2].with.crowd_busy_percent = 61;
	bad[3].without.quiet.answered_percent = 98;
	bad[4].with.offered_per_second *= 1.06;
	bad[5].with.sent_per_second *= 0.94;
	bad[6].without.offered_per_second = bad[6].with.offered_per_second *= 0.94;
	bad[7].without.offered_per_second = bad[7].with.offered_per_second = 0;
	bad[8].without.sent_per_second = bad[8].with.sent_per_second *= 0.94;
	bad[9].without.sent_per_second *= 0.89;
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(judge(&bad[i]), VERDICT_VOID);
	good.with.sent_per_second *= 2; /* heavier may it be */
	assert_int_equal(judge(&good), VERDICT_SURVIVED);
}

static void nothing_recorded_is_void(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan();
	struct pair pair = {.plan = &plan};
	struct record *record;
	assert_int_equal(record_map(0, &record), 0);
	assert_int_equal(figures_of(&plan, record, NAN, &pair.without), 0);
	pair.with = pair.without;
	assert_int_equal(judge(&pair), VERDICT_VOID);
	record_unmap(record);
}

/* Between pulses all is well; the second must be withstood too. */
static void a_pulse_is_not_over_when_it_pauses(void **state)
{
	(void)state;
	struct nearest nearest;
	struct run_plan plan = run_plan_of(shape_find("pulse", &nearest), 1, 1, false);
	struct pair pair = make_pair(&plan, always, always, 0);
	assert_true(pair.with.offered_per_second == plan.attacks_per_second);
	struct record *record = make_record(&plan, always, 0);
	for (size_t i = 0; i < record->asked_count; i++)
		if (run_plan_attacks(&plan, (uint32_t)(record->asked[i].meant_ns / 1000000)))
			record->asked[i].outcome = OUTCOME_LATE;
	assert_int_equal(figures_of(&plan, record, NAN, &pair.with), 0);
	assert_true(isnan(pair.with.restored_s));
	assert_true(pair.with.attack.answered_percent == 0);
	record_unmap(record);
}

static struct run_plan plan_of(const char *name)
{
	struct nearest nearest;
	return run_plan_of(shape_find(name, &nearest), 1, 1, false);
}

/* Whatever the shape: also one in which nobody attacks, so that there is nothing to tell attackers by. */
static void every_shape_is_written_as_json(void **state)
{
	(void)state;
	static const struct tells none;
	for (size_t i = 0; i < shape_count; i++) {
		struct run_plan plan = run_plan_of(&shapes[i], 1, 1, true);
		struct record *record = make_record(&plan, always, 0);
		struct pair pair = make_pair(&plan, always, always, 0);
		const struct report report = {
			.pair = &pair, .tells = &none, .without = record, .with = record, .verdict = judge(&pair)};
		json_t *json = report_json(&report);
		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "tells")), "");
		json_decref(json);
		record_unmap(record);
	}
}

/* Where nothing does harm, one visitor who is sent away is one too many; one who is late is the machine's matter. */
static void in_calm_nobody_is_sent_away(void **state)
{
	(void)state;
	static const char *const names[] = {"crowd", "shared-address", "hostile-page"};
	static const enum outcome bad[] = {OUTCOME_REFUSED, OUTCOME_CLOSED, OUTCOME_COPY, OUTCOME_FOREIGN};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct run_plan plan = plan_of(names[i]);
		struct pair good = make_pair(&plan, always, always, 1000);
		assert_int_equal(judge(&good), VERDICT_SPARED);
		good.with.attack.outcomes[OUTCOME_LATE]++;
		assert_int_equal(judge(&good), VERDICT_SPARED);
		for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
			struct pair pair = good;
			pair.with.attack.outcomes[bad[j]] = 1;
			assert_int_equal(judge(&pair), VERDICT_NOT_SPARED);
		}
		good.without.attack.answered_percent = 90;
		assert_int_equal(judge(&good), VERDICT_VOID);
	}
}

/* Those of the days before are nobody's. */
static void in_calm_the_gate_itself_keeps_nobody_out(void **state)
{
	(void)state;
	struct run_plan plan = plan_of("crowd");
	struct pair pair = make_pair(&plan, always, always, 1000);
	static struct account account;
	const struct slice before =
		SLICE("{\"sites\":[{\"copies\":3,\"ended\":{\"passed\":{\"none\":9,\"crowded-out\":7}}},"
		      "{\"ended\":{\"unseen\":{\"mode\":1}}}]}");
	const struct slice cached =
		SLICE("{\"sites\":[{\"copies\":8,\"ended\":{\"passed\":{\"none\":9,\"crowded-out\":7}}},"
		      "{\"ended\":{\"unseen\":{\"mode\":1}}}]}");
	const struct slice after =
		SLICE("{\"sites\":[{\"copies\":8,\"ended\":{\"passed\":{\"none\":9,\"crowded-out\":7}}},"
		      "{\"ended\":{\"unseen\":{\"mode\":2}}}]}");
	account_init(&account);
	pair.account = &account;
	assert_int_equal(judge(&pair), VERDICT_NOT_SPARED); /* it told nothing */
	assert_true(account_take(&account, before, 1000000, 1001000));
	assert_true(account_take(&account, cached, 1000000, 1002000));
	assert_int_equal(judge(&pair), VERDICT_SPARED);
	assert_true(account_take(&account, after, 1000000, 1003000));
	assert_int_equal(judge(&pair), VERDICT_NOT_SPARED);
}

static void a_driven_browser_is_a_visitor_too(void **state)
{
	(void)state;
	struct run_plan plan = plan_of("hostile-page"), shared = plan_of("shared-address");
	struct pair pair = make_pair(&plan, always, always, 1000), other = make_pair(&shared, always, always, 1000);
	pair.with.attack_outcomes[OUTCOME_REFUSED] = other.with.attack_outcomes[OUTCOME_REFUSED] = 1;
	assert_int_equal(judge(&pair), VERDICT_NOT_SPARED);
	assert_int_equal(judge(&other), VERDICT_SPARED);
}

static void guests_are_looked_at_by_themselves(void **state)
{
	(void)state;
	struct run_plan neighbours = plan_of("rotating-64"), crawler = plan_of("false-crawler");
	struct pair held = make_pair(&neighbours, down_for_good, down_three_seconds, QUIET_S + 3);
	struct pair never = make_pair(&crawler, down_for_good, down_three_seconds, QUIET_S + 3);
	assert_int_equal(judge(&held), VERDICT_NOT_SURVIVED); /* there were none */
	held.with.guests_held = (struct span){.asked = 100, .answered_percent = 100};
	assert_int_equal(judge(&held), VERDICT_SURVIVED);
	held.with.guests_held.answered_percent = 99;
	assert_int_equal(judge(&held), VERDICT_NOT_SURVIVED);
	assert_int_equal(judge(&never), VERDICT_SURVIVED);
	never.with.guests.outcomes[OUTCOME_REFUSED] = 1;
	assert_int_equal(judge(&never), VERDICT_NOT_SURVIVED);
}

static void what_guia_says_is_judged_where_it_says_anything(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan();
	static const char status[] =
		"{\"sites\":[{\"visitors\":{\"asked\":1000,\"answered\":990}},{\"episode\":{\"onset_boot_ms\":1003100,"
		"\"detected_after_s\":0.4,\"mitigated_after_s\":2,\"changes\":[{}],\"mitigations\":[{\"hits\":7,"
		"\"what\":\"x\"}]},"
		"\"visitors\":{\"asked\":1000,\"answered\":1000}}]}";
	struct pair pair = make_pair(&plan, down_for_good, down_three_seconds, QUIET_S + 3);
	static struct account account;
	account_init(&account);
	pair.account = &account;
	assert_int_equal(judge(&pair), VERDICT_NOT_SURVIVED); /* it noticed nothing */
	assert_false(account_take(&account, SLICE("{\"fault\":\"no\"}"), 1000000, 1040000));
	assert_false(account_take(&account, SLICE("nonsense"), 1000000, 1040000));
	assert_true(account_take(&account, slice_make(status, sizeof(status) - 1), 1000000, 1040000));
	assert_true(fabs(account.detected_s - 3.5) < 1e-9 && fabs(account.mitigated_s - 5.1) < 1e-9);
	assert_true(account.hits == 7 && strcmp(account.what, "x") == 0);
	assert_true(account_estimate(&account, 30, 50) == 99.5);
	assert_true(isnan(account_estimate(&account, 0, 40)));
	pair.with.attack.answered_percent = 98;
	assert_int_equal(judge(&pair), VERDICT_SURVIVED);
	pair.with.attack.answered_percent = 97;
	assert_int_equal(judge(&pair), VERDICT_NOT_SURVIVED);
	pair.with.attack.answered_percent = 98;
	account.mitigated_s = 6.2;
	assert_int_equal(judge(&pair), VERDICT_NOT_SURVIVED);
}

static void what_the_card_lost_nobody_could_stop(void **state)
{
	(void)state;
	struct nearest nearest;
	struct run_plan plan = run_plan_of(shape_find("syn-flood", &nearest), 1, 1, false);
	struct record *record = make_record(&plan, always, 0);
	struct figures figures;
	uint64_t sent = (uint64_t)plan.attacks_per_second * plan.attack_ms / 1000;
	record->quiet_from = (struct toll){.at_ns = second_ns, .spent_ns = 1000, .received = 10};
	record->quiet_to = (struct toll){.at_ns = 2 * second_ns, .spent_ns = 2000, .received = 20, .lost = 5};
	record->attack_to = (struct toll){.at_ns = 12 * second_ns,
					  .spent_ns = 2000 + 10000 + sent / 2 * 100,
					  .received = 20 + sent / 2,
					  .lost = 5 + sent / 2};
	record->fence_quiet = (struct fence_counts){.passed = 100, .answered = 7};
	record->fence_attack = (struct fence_counts){.passed = 100 + sent / 2, .answered = 7 + sent * 9 / 20};
	assert_int_equal(figures_of(&plan, record, NAN, &figures), 0);
	assert_true(fabs(figures.lost_percent - 50) < 1e-9);
	assert_true(fabs(figures.stopped_percent - 90) < 1e-9); /* whatever else passes */
	assert_true(fabs(figures.packet_ns - 100) < 1e-6);
	record_unmap(record);
}

/* The control is over sooner; what its time did not come for is nobody's loss. */
static void a_control_says_the_same_of_a_shorter_attack(void **state)
{
	(void)state;
	struct run_plan plan = whole_plan(), control = run_plan_control(&plan);
	struct figures figures;
	assert_true(control.attack_ms < plan.attack_ms && control.quiet_ms == plan.quiet_ms);
	struct record *record = make_record(&plan, always, 1000);
	for (size_t i = 0; i < record->asked_count; i++)
		if (record->asked[i].meant_ns > (int64_t)run_plan_end_ms(&control) * 1000000)
			record->asked[i] = (struct asked){0};
	assert_int_equal(figures_of(&control, record, NAN, &figures), 0);
	assert_true(figures.attack.answered_percent == 100 && figures.quiet.answered_percent == 100);
	assert_true(figures.offered_per_second == plan.attacks_per_second);
	record_unmap(record);
}

TEST_MAIN(cmocka_unit_test(what_guia_says_is_judged_where_it_says_anything),
	  cmocka_unit_test(a_control_says_the_same_of_a_shorter_attack), cmocka_unit_test(restoration_is_when_it_lasts),
	  cmocka_unit_test(a_shape_that_is_withstood_is_survived), cmocka_unit_test(without_harm_there_is_no_win),
	  cmocka_unit_test(each_line_can_fail), cmocka_unit_test(latency_may_double_or_grow_by_fifty),
	  cmocka_unit_test(what_disturbs_a_run_voids_it), cmocka_unit_test(nothing_recorded_is_void),
	  cmocka_unit_test(a_pulse_is_not_over_when_it_pauses), cmocka_unit_test(every_shape_is_written_as_json),
	  cmocka_unit_test(in_calm_nobody_is_sent_away), cmocka_unit_test(a_driven_browser_is_a_visitor_too),
	  cmocka_unit_test(guests_are_looked_at_by_themselves), cmocka_unit_test(what_the_card_lost_nobody_could_stop),
	  cmocka_unit_test(in_calm_the_gate_itself_keeps_nobody_out))
