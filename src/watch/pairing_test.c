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

static void ended(struct pairing *pairing, unsigned box, uint64_t request, uint64_t now_ms)
{
	const struct pairing_event event = {box, 0, {.request = request}};
	pairing_event(pairing, &event, now_ms);
}

static void whichever_comes_first_it_is_told_once(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	ended(pairing, 1, 7, 1000);
	pairing_finding(pairing, 1, 7, 1010);
	pairing_finding(pairing, 1, 8, 1010);
	ended(pairing, 1, 8, 1020);
	pairing_step(pairing, 5000);
	assert_int_equal(told, 0);
	pairing_free(pairing);
}

static void an_event_without_a_finding_is_told_when_it_has_waited(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	ended(pairing, 1, 7, 1000);
	pairing_finding(pairing, 2, 7, 1001);
	pairing_step(pairing, 1000 + PAIRING_WAIT_MS - 1);
	assert_int_equal(told, 0);
	pairing_step(pairing, 1000 + PAIRING_WAIT_MS);
	assert_int_equal(told, 1);
	assert_int_equal(last, 7);
	pairing_step(pairing, UINT64_MAX);
	assert_int_equal(told, 1);
	pairing_free(pairing);
}

/* A number is used again by a later worker. */
static void a_finding_of_long_ago_is_of_another_request(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	pairing_finding(pairing, 1, 7, 1000);
	ended(pairing, 1, 7, 9000);
	pairing_step(pairing, UINT64_MAX);
	assert_int_equal(told, 1);
	pairing_free(pairing);
}

static void with_more_than_there_is_room_for_none_is_lost(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	for (uint64_t request = 1; request <= 100000; request++)
		ended(pairing, (unsigned)(request % 3), request, 1000);
	pairing_step(pairing, UINT64_MAX);
	assert_int_equal(told, 100000);
	pairing_free(pairing);
}

/* Of a flood's 10,000 that wait at once each finds its finding. */
static void many_at_once_find_each_other(void **state)
{
	struct pairing *pairing = made();
	(void)state;
	for (uint64_t request = 1; request <= 10000; request++)
		ended(pairing, (unsigned)(request % 3), request / 3, 1000);
	for (uint64_t request = 1; request <= 10000; request++)
		pairing_finding(pairing, (unsigned)(request % 3), request / 3, 1050);
	pairing_step(pairing, UINT64_MAX);
	assert_in_range(told, 0, 10);
	pairing_free(pairing);
}

TEST_MAIN(cmocka_unit_test(whichever_comes_first_it_is_told_once),
	  cmocka_unit_test(an_event_without_a_finding_is_told_when_it_has_waited),
	  cmocka_unit_test(a_finding_of_long_ago_is_of_another_request),
	  cmocka_unit_test(with_more_than_there_is_room_for_none_is_lost),
	  cmocka_unit_test(many_at_once_find_each_other))
