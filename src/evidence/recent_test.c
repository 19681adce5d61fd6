#include "evidence/recent.h"

#include "base/buffer.h"
#include "base/test.h"

#define AT(ms) ",\"t\":" #ms ",\"clock\":\"x\",\"error_us\":1"
#define BLOCK(ms, more)                                                                                                \
	"{\"v\":2,\"kind\":\"block\"" AT(ms) ",\"site\":\"a\",\"source\":\"192.0.2.1\",\"port\":7,\"at\":" #ms         \
					     ",\"verdict\":\"blocked\"" more "}"
#define REFUSALS(ms, rule, second)                                                                                     \
	"{\"v\":2,\"kind\":\"refusals\"" AT(ms) ",\"site\":\"a\",\"rule\":\"" rule "\",\"second\":" #second            \
						",\"total\":5}"

static void read_all(const char *const *records, size_t count, struct recent *recent)
{
	struct tail tail = {.first = bundle_create(0)};
	tail.last = tail.first;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(tail_push(&tail, slice_from_string(records[i])), 0);
	assert_int_equal(recent_read(&tail, recent), 0);
	tail_free(&tail);
}
#define READ(recent, ...)                                                                                              \
	read_all((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),      \
		 recent)

static void requests_that_are_told_of_are_known(void **state)
{
	struct recent recent;
	(void)state;
	READ(&recent, BLOCK(10000, ",\"worker\":0,\"number\":1"), BLOCK(16000, ",\"worker\":1,\"number\":3"),
	     BLOCK(15500, ",\"worker\":0,\"number\":9"), BLOCK(15600, ""), "no record",
	     BLOCK(20000, ",\"worker\":0,\"number\":2"));
	assert_int_equal(recent.from_ms, 15000);
	assert_int_equal(recent.last_ms, 20000);
	assert_int_equal(recent.newest_ms, 20000);
	assert_false(recent.sampled);
	assert_false(recent.closed);
	assert_true(recent_has(&recent, 0, 2, 7) && recent_has(&recent, 1, 3, 7) && recent_has(&recent, 0, 9, 7));
	assert_false(recent_has(&recent, 0, 1, 7)); /* of long ago */
	assert_false(recent_has(&recent, 0, 3, 7));
	assert_false(recent_has(&recent, 0, 2, 8));
	recent_free(&recent);
	READ(&recent, BLOCK(16000, ",\"one_of\":64,\"worker\":1,\"number\":3"));
	assert_true(recent.sampled);
	recent_free(&recent);
}

static void seconds_whose_totals_were_told_are_known(void **state)
{
	struct recent recent;
	(void)state;
	READ(&recent, REFUSALS(16100, "rule 7", 15), REFUSALS(16100, "limit", 14));
	assert_int_equal(recent.told_second, 15);
	recent_free(&recent);
	/* Told while their second is on, after all that was before it. */
	READ(&recent, REFUSALS(16100, "connections by 3", 16), REFUSALS(16100, "packets at the edge: banned", 16));
	assert_int_equal(recent.told_second, 15);
	recent_free(&recent);
	READ(&recent, REFUSALS(16100, "rule 7", 15), "{\"v\":1,\"kind\":\"close\"" AT(16900) ",\"why\":\"\"}");
	assert_true(recent.closed);
	recent_free(&recent);
}

static void of_nothing_nothing_is_known(void **state)
{
	struct tail tail = {.first = bundle_create(0)};
	struct recent recent;
	(void)state;
	tail.last = tail.first;
	assert_int_equal(recent_read(&tail, &recent), 0);
	assert_int_equal(recent.from_ms + recent.last_ms + recent.told_second + recent.count, 0);
	assert_false(recent_has(&recent, 0, 0, 0));
	tail_free(&tail);
	recent_free(&recent);
}

TEST_MAIN(cmocka_unit_test(requests_that_are_told_of_are_known),
	  cmocka_unit_test(seconds_whose_totals_were_told_are_known), cmocka_unit_test(of_nothing_nothing_is_known))
