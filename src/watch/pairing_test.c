#include "watch/pairing.h"

#include "base/test.h"

static uint64_t told, last;

static void alone(void *context, const struct pairing_event *event)
{
	(void)context;
	told++;
	last = event->event.request;
}

static struct pairing *made(void)
{
	struct pairing *pairing;
	told = last = 0;
	assert_int_equal(pairing_create(alone, NULL, &pairing), 0);
	return pairing;
}

enum { AT_NS = 1000 };

static void ended(struct pairing *pairing, unsigned box, uint64_t request, uint64_t at_ns)
{
	const struct pairing_event event = {box, 0, {.request = request, .at_ns = at_ns}};
	pairing_event(pairing, &event);
}

static void whichever_comes_first_it_is_told_once(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	ended(pairing, 1, 7, AT_NS);
	assert_true(pairing_finding(pairing, 1, 7, AT_NS));
	assert_true(pairing_finding(pairing, 1, 8, AT_NS));
	pairing_round(pairing);
	pairing_round(pairing);
	ended(pairing, 1, 8, AT_NS);
	pairing_end(pairing);
	assert_int_equal(told, 0);
	pairing_free(pairing);
}

static void an_event_waits_for_the_next_round_to_be_over(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	ended(pairing, 1, 7, AT_NS);
	assert_true(pairing_finding(pairing, 2, 7, AT_NS));
	pairing_round(pairing);
	assert_int_equal(told, 0);
	ended(pairing, 1, 8, AT_NS);
	pairing_round(pairing);
	assert_int_equal(told, 1);
	assert_int_equal(last, 7);
	assert_true(pairing_finding(pairing, 1, 8, AT_NS));
	pairing_round(pairing);
	pairing_end(pairing);
	assert_int_equal(told, 1);
	pairing_free(pairing);
}

static void at_the_end_none_waits(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	ended(pairing, 1, 7, AT_NS);
	pairing_end(pairing);
	assert_int_equal(told, 1);
	pairing_free(pairing);
}

/* A number is used again by a later worker. */
static void a_finding_of_another_time_is_of_another_request(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	assert_true(pairing_finding(pairing, 1, 7, AT_NS));
	ended(pairing, 1, 7, AT_NS + 1);
	pairing_end(pairing);
	assert_int_equal(told, 1);
	pairing_free(pairing);
}

/* Nor is a request told twice whose finding comes when there was no room to wait for it. */
static void with_more_than_there_is_room_for_each_is_told_once(void **state)
{
	struct pairing *pairing = made();
	uint64_t by_findings = 0;
	(void)state;
	for (uint64_t request = 1; request <= 100000; request++)
		ended(pairing, (unsigned)(request % 3), request, AT_NS);
	for (uint64_t request = 95001; request <= 100000; request++)
		by_findings += pairing_finding(pairing, (unsigned)(request % 3), request, AT_NS);
	assert_int_equal(by_findings, 5000);
	assert_false(pairing_finding(pairing, 50000 % 3, 50000, AT_NS));
	pairing_end(pairing);
	assert_int_equal(told + by_findings, 100000);
	pairing_free(pairing);
}

/* Of a flood's 10,000 that wait at once each finds its finding. */
static void many_at_once_find_each_other(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	for (uint64_t request = 1; request <= 10000; request++)
		ended(pairing, (unsigned)(request % 3), request / 3, AT_NS);
	for (uint64_t request = 1; request <= 10000; request++)
		pairing_finding(pairing, (unsigned)(request % 3), request / 3, AT_NS);
	pairing_end(pairing);
	assert_in_range(told, 0, 10);
	pairing_free(pairing);
}

TEST_MAIN(cmocka_unit_test(whichever_comes_first_it_is_told_once),
	  cmocka_unit_test(an_event_waits_for_the_next_round_to_be_over), cmocka_unit_test(at_the_end_none_waits),
	  cmocka_unit_test(a_finding_of_another_time_is_of_another_request),
	  cmocka_unit_test(with_more_than_there_is_room_for_each_is_told_once),
	  cmocka_unit_test(many_at_once_find_each_other))
