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
	assert_int_equal(recent.from_ms, 0);
	assert_int_equal(recent.last_ms, 20000);
	assert_int_equal(recent.newest_ms, 20000);
	assert_int_equal(recent.sampled_ms, 0);
	assert_false(recent.closed);
	assert_true(recent_has(&recent, 0, 1, 7) && recent_has(&recent, 0, 2, 7) && recent_has(&recent, 1, 3, 7) &&
		    recent_has(&recent, 0, 9, 7));
	assert_false(recent_has(&recent, 0, 3, 7));
	assert_false(recent_has(&recent, 0, 2, 8));
	recent_free(&recent);
}

static void what_stands_for_others_is_known_by_its_second(void **state)
{
	struct recent recent;
	(void)state;
	READ(&recent, BLOCK(16000, ",\"one_of\":64,\"worker\":1,\"number\":3"), BLOCK(16500, ""));
	assert_int_equal(recent.sampled_ms, 16500);
	recent_free(&recent);
	READ(&recent, BLOCK(16000, ",\"one_of\":64,\"worker\":1,\"number\":3"), BLOCK(19500, ""));
	assert_int_equal(recent.sampled_ms, 16999);
	recent_free(&recent);
}

static uint64_t untold(struct recent *recent, const char *rule, uint64_t second, uint64_t total)
{
	return recent_untold(recent, SLICE("a"), slice_from_string(rule), second, total);
}

static void what_totals_lack_is_told(void **state)
{
	struct recent recent;
	(void)state;
	READ(&recent, REFUSALS(16100, "rule 7", 15), REFUSALS(16100, "limit", 14), REFUSALS(16200, "rule 7", 15),
	     REFUSALS(16300, "rule 8", 15), "{\"v\":1,\"kind\":\"close\"" AT(16900) ",\"why\":\"\"}");
	assert_true(recent.closed);
	assert_int_equal(recent.total_count, 3);
	assert_int_equal(untold(&recent, "rule 7", 15, 12), 2);
	assert_int_equal(untold(&recent, "rule 7", 15, 3), 3); /* counted off before */
	assert_int_equal(untold(&recent, "limit", 14, 4), 0);
	assert_int_equal(untold(&recent, "limit", 14, 4), 3);
	assert_int_equal(untold(&recent, "rule 8", 14, 9), 9);
	assert_int_equal(recent_untold(&recent, SLICE("b"), SLICE("rule 8"), 15, 9), 9);
	recent_free(&recent);
}

/* Records before are in tiles alone. */
static void of_what_is_not_among_them_nothing_is_known(void **state)
{
	struct tail tail = {.before.size = 256, .first = bundle_create(1)};
	struct recent recent;
	(void)state;
	tail.last = tail.first;
	assert_int_equal(tail_push(&tail, SLICE(REFUSALS(16100, "rule 7", 15))), 0);
	assert_int_equal(tail_push(&tail, SLICE(REFUSALS(18100, "rule 7", 17))), 0);
	assert_int_equal(recent_read(&tail, &recent), 0);
	assert_int_equal(recent.from_ms, 16100);
	assert_int_equal(recent.last_ms, 18100);
	tail_free(&tail);
	recent_free(&recent);
}

static void of_nothing_nothing_is_known(void **state)
{
	struct tail tail = {.first = bundle_create(0)};
	struct recent recent;
	(void)state;
	tail.last = tail.first;
	assert_int_equal(recent_read(&tail, &recent), 0);
	assert_int_equal(recent.from_ms + recent.last_ms + recent.total_count + recent.request_count, 0);
	assert_false(recent_has(&recent, 0, 0, 0));
	assert_int_equal(untold(&recent, "rule 7", 15, 3), 3);
	tail_free(&tail);
	recent_free(&recent);
}

TEST_MAIN(cmocka_unit_test(requests_that_are_told_of_are_known),
	  cmocka_unit_test(what_stands_for_others_is_known_by_its_second), cmocka_unit_test(what_totals_lack_is_told),
	  cmocka_unit_test(of_what_is_not_among_them_nothing_is_known), cmocka_unit_test(of_nothing_nothing_is_known))
