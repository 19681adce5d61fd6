#include "watch/tally.h"

#include "base/test.h"

enum { LINES = 16 };

struct told {
	size_t count;
	struct tally_line lines[LINES];
	uint64_t total;
};

static void tell(void *context, const struct tally_line *line)
{
	struct told *told = context;
	if (told->count < LINES)
		told->lines[told->count] = *line;
	told->count++;
	told->total += line->total;
}

static struct event end_of(uint64_t second, uint8_t reason, uint64_t rule)
{
	return (struct event){.wall_ms = second * 1000 + 10,
			      .kind = EVENT_END,
			      .end = {.rule = rule, .verdict = EVENT_BLOCKED, .reason = reason}};
}

static void add(struct tally *tally, struct told *told, uint64_t second, uint8_t reason, uint64_t rule, size_t count)
{
	const struct event event = end_of(second, reason, rule);
	for (size_t i = 0; i < count; i++)
		tally_add(tally, 0, &event, true, tell, told);
}

static struct tally *made(void)
{
	struct tally *tally;
	assert_int_equal(tally_create(&tally), 0);
	return tally;
}

static void each_second_and_rule_is_a_line(void **state)
{
	struct tally *tally = made();
	struct told told = {0};
	(void)state;
	add(tally, &told, 100, EVENT_BY_RULE, 7, 3);
	add(tally, &told, 100, EVENT_BY_RULE, 8, 2);
	add(tally, &told, 100, EVENT_BY_LIMIT, 0, 5);
	add(tally, &told, 101, EVENT_BY_RULE, 7, 1);
	tally_tell(tally, 101, tell, &told);
	assert_int_equal(told.count, 3);
	assert_int_equal(told.total, 10);
	tally_tell(tally, 102, tell, &told);
	assert_int_equal(told.count, 4);
	assert_int_equal(told.lines[3].second, 101);
	assert_int_equal(told.lines[3].rule, 7);
	tally_tell(tally, UINT64_MAX, tell, &told);
	assert_int_equal(told.count, 4);
	tally_free(tally);
}

/* Whoever has a worker may write any event: nothing is lost of the others, and memory is what it is. */
static void more_lines_than_there_is_room_for_are_told_early(void **state)
{
	struct tally *tally = made();
	struct told told = {0};
	(void)state;
	for (uint64_t rule = 0; rule < 20000; rule++)
		add(tally, &told, 100 + rule % 3, EVENT_BY_RULE, rule * rule, 1);
	tally_tell(tally, UINT64_MAX, tell, &told);
	assert_int_equal(told.total, 20000);
	struct event wrong = end_of(1, EVENT_REASONS, 1);
	tally_add(tally, 0, &wrong, true, tell, &told);
	wrong = end_of(1, EVENT_BY_RULE, 1);
	wrong.end.verdict = EVENT_VERDICTS;
	tally_add(tally, 0, &wrong, true, tell, &told);
	wrong = end_of(UINT64_MAX / 1000, EVENT_BY_RULE, UINT64_MAX);
	tally_add(tally, SITE_NONE, &wrong, true, tell, &told);
	tally_tell(tally, UINT64_MAX, tell, &told);
	assert_int_equal(told.total, 20001);
	tally_free(tally);
}

static void what_events_do_not_tell_counters_do(void **state)
{
	struct tally *tally = made();
	struct told told = {0};
	struct site_sums sums = {.ended[EVENT_BLOCKED][EVENT_BY_LIMIT] = 1000};
	(void)state;
	tally_compare(tally, 0, &sums, true, 1, tell, &told);
	assert_int_equal(told.count, 0); /* of the time before us */
	add(tally, &told, 100, EVENT_BY_LIMIT, 0, 40);
	sums.ended[EVENT_BLOCKED][EVENT_BY_LIMIT] += 100;
	tally_compare(tally, 0, &sums, true, 101, tell, &told);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.lines[0].total, 60);
	assert_int_equal(told.lines[0].second, 101);
	assert_false(told.lines[0].by_rule);
	tally_compare(tally, 0, &sums, true, 102, tell, &told);
	assert_int_equal(told.count, 1);
	tally_tell(tally, UINT64_MAX, tell, &told);
	assert_int_equal(told.total, 100);
	tally_free(tally);
}

/* Nothing was lost: the difference is of the moment in which counters were first looked at. */
static void without_a_loss_nothing_is_missing(void **state)
{
	struct tally *tally = made();
	struct told told = {0};
	struct site_sums sums = {0};
	(void)state;
	tally_compare(tally, 0, &sums, false, 1, tell, &told);
	sums.ended[EVENT_BLOCKED][EVENT_BY_BAN] = 2;
	tally_compare(tally, 0, &sums, false, 2, tell, &told);
	tally_compare(tally, 0, &sums, true, 3, tell, &told);
	assert_int_equal(told.count, 0);
	sums.ended[EVENT_BLOCKED][EVENT_BY_BAN] = 5;
	tally_compare(tally, 0, &sums, true, 4, tell, &told);
	assert_int_equal(told.total, 3);
	tally_free(tally);
}

TEST_MAIN(cmocka_unit_test(each_second_and_rule_is_a_line),
	  cmocka_unit_test(more_lines_than_there_is_room_for_are_told_early),
	  cmocka_unit_test(what_events_do_not_tell_counters_do), cmocka_unit_test(without_a_loss_nothing_is_missing))
