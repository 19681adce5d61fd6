/* What is judged of floods of packets, and how many packets they have. */
#include "drill/judge.h"

#include "base/test.h"

#include <math.h>
#include <stdio.h>

enum { QUIET_S = 3 };

static struct run_plan plan_of(const char *name)
{
	struct nearest nearest;
	return run_plan_of(shape_find(name, &nearest), 1, 1, false);
}

static const struct judge_line *line_of(const char *name)
{
	for (size_t i = 0; i < judge_line_count; i++)
		if (strcmp(judge_lines[i].name, name) == 0)
			return &judge_lines[i];
	fail_msg("%s", name);
	return NULL;
}

/* Each shape of packets by what is told of its kind; what else is told at that time is another flood. */
static void a_flood_of_packets_is_to_be_told(void **state)
{
	(void)state;
	static const char status[] =
		"{\"sites\":[],\"packets\":[{\"kind\":\"udp\",\"onset_boot_ms\":1003000,\"detected_after_s\":0.4,"
		"\"held_after_s\":2},{\"kind\":\"malformed\",\"onset_boot_ms\":1003000,\"detected_after_s\":0.1},"
		"{\"kind\":\"syn\",\"onset_boot_ms\":1003500,\"detected_after_s\":0.6,\"held_after_s\":2.6},"
		"{\"kind\":\"link\",\"onset_boot_ms\":1003000,\"detected_after_s\":0.9}]}";
	static const struct {
		const char *shape;
		double detected_s, held_s; /* from the onset; held_s < 0: it is not asked */
	} cases[] = {
		{"udp-flood", 0.4, 2}, {"syn-flood", 1.1, 3.1}, {"link-full", 0.9, -1}, {"link-full-dark", 0.9, -1}};
	const struct judge_line *detected = line_of("detected_s"), *held = line_of("flood_held_s");
	static struct account account, silent;
	account_init(&account);
	account_init(&silent);
	assert_true(account_take(&account, slice_make(status, sizeof(status) - 1), 1000000, 1040000));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run_plan plan = plan_of(cases[i].shape);
		struct pair pair = {.plan = &plan, .account = &account, .with.onset_s = QUIET_S};
		assert_true(detected->asked(&pair));
		assert_true(fabs(detected->value(&pair) - cases[i].detected_s) < 1e-9);
		assert_true(judge_meets(detected, &pair) == (cases[i].detected_s <= 1));
		assert_true(held->asked(&pair) == (cases[i].held_s >= 0));
		if (cases[i].held_s >= 0)
			assert_true(judge_meets(held, &pair) == (cases[i].held_s <= 3));
		pair.account = &silent;
		assert_false(judge_meets(detected, &pair));
	}
}

/* Each status tells of the latest flood alone: one that is said to be over while packets come is not over. */
static void a_flood_of_packets_is_to_be_told_to_be_over(void **state)
{
	(void)state;
	static const char format[] =
		"{\"sites\":[],\"packets\":[{\"kind\":\"%s\",\"onset_boot_ms\":1003000,\"detected_after_s\":0.4%s}]}";
	static const struct {
		const char *kind, *over;
		bool met;
	} cases[] = {
		{"udp", ",\"over_after_s\":104.6", true},  {"udp", "", false},
		{"udp", ",\"over_after_s\":39", false},    {"udp", ",\"over_after_s\":108.5", false},
		{"syn", ",\"over_after_s\":104.6", false},
	};
	const struct judge_line *over = line_of("flood_over_s");
	struct run_plan plan = plan_of("udp-flood"), brief = plan, link = plan_of("link-full");
	static struct account account;
	struct pair pair = {.plan = &plan, .account = &account, .with.onset_s = QUIET_S};
	brief.brief = true;
	assert_true(plan.after_ms / 1000.0 > over->bound(&pair));
	account_init(&account);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char status[256];
		int length = snprintf(status, sizeof(status), format, cases[i].kind, cases[i].over);
		account_init(&account);
		/* It had been over before, and began again. */
		assert_true(account_take(&account,
					 SLICE("{\"sites\":[],\"packets\":[{\"kind\":\"udp\",\"onset_boot_ms\":"
					       "1003000,\"over_after_s\":104}]}"),
					 1000000, 1040000));
		if (strcmp(cases[i].kind, "udp") != 0)
			account_init(&account);
		assert_true(account_take(&account, slice_make(status, (size_t)length), 1000000, 1110000));
		assert_true(over->asked(&pair));
		assert_true(judge_meets(over, &pair) == cases[i].met);
	}
	pair.plan = &brief;
	assert_false(over->asked(&pair));
	pair.plan = &link;
	assert_false(over->asked(&pair));
}

/* As many as the machine's gate loses more than two thirds of, but no more than the shape has; requests are what they
 * are. */
static void packets_are_as_many_as_the_gate_cannot_take(void **state)
{
	(void)state;
	struct run_plan plan = plan_of("syn-flood"), look = run_plan_look(&plan);
	struct run_plan datagrams = plan_of("udp-flood"), link = plan_of("link-full"), requests = plan_of("get-flood");
	assert_true(run_plan_needs_look(&plan) && !run_plan_needs_look(&link) && !run_plan_needs_look(&requests));
	assert_true(look.attacks_per_second == plan.shape->per_second && look.attack_ms < plan.attack_ms);
	run_plan_overwhelm(&plan, 100000);
	assert_int_equal(plan.attacks_per_second, 350000);
	run_plan_overwhelm(&datagrams, 100000);
	assert_int_equal(datagrams.attacks_per_second, 350000);
	run_plan_overwhelm(&plan, 2000000000);
	assert_int_equal(plan.attacks_per_second, plan.shape->per_second);
	assert_int_equal(run_plan_control(&plan).attacks_per_second, plan.shape->per_second);
}

TEST_MAIN(cmocka_unit_test(a_flood_of_packets_is_to_be_told),
	  cmocka_unit_test(a_flood_of_packets_is_to_be_told_to_be_over),
	  cmocka_unit_test(packets_are_as_many_as_the_gate_cannot_take))
