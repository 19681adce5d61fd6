#include "traffic/sample.h"

#include "base/test.h"
#include "traffic/acquaintances.h"
#include "traffic/offenders.h"

#include <stdlib.h>

static void take(struct quiet_sample *sample, uint32_t at_s, uint64_t number)
{
	struct sampled *place = quiet_sample_place(sample, at_s);
	if (place != NULL)
		*place = (struct sampled){.field = {number}, .at_s = at_s};
}

static void every_quiet_request_is_as_likely(void **state)
{
	struct quiet_sample sample = {.most = 2000, .random = 5};
	size_t tenth[10] = {0};
	(void)state;
	for (uint32_t i = 0; i < 100000; i++)
		take(&sample, 1720551600 + i / 100, i);
	assert_int_equal(sample.count, 2000);
	for (size_t i = 0; i < sample.count; i++)
		tenth[sample.items[i].field[0] / 10000]++;
	for (size_t i = 0; i < 10; i++)
		assert_in_range(tenth[i], 140, 260);
	quiet_sample_release(&sample);
}

static void old_days_fade(void **state)
{
	struct quiet_sample sample = {.most = 500, .random = 6};
	size_t of_last_week = 0;
	(void)state;
	for (uint32_t hour = 0; hour < 24 * 35; hour++)
		for (uint32_t i = 0; i < 200; i++)
			take(&sample, 1720551600 + hour * 3600 + i, hour);
	for (size_t i = 0; i < sample.count; i++)
		of_last_week += sample.items[i].field[0] >= 24 * 28;
	assert_in_range(of_last_week, 250, 400); /* 63 % */
	quiet_sample_release(&sample);
}

static void minutes_before_an_episode_are_forgotten(void **state)
{
	struct quiet_sample sample = {.most = 1000, .random = 7};
	(void)state;
	for (uint32_t i = 0; i < 2000; i++)
		take(&sample, 1000000 + i, i);
	quiet_sample_forget(&sample, 1000000 + 1400, 1000000 + 1999);
	assert_in_range(sample.count, 500, 900);
	for (size_t i = 0; i < sample.count; i++)
		assert_in_range(sample.items[i].at_s, 1000000, 1000000 + 1399);
	struct quiet_sample none = {0};
	assert_null(quiet_sample_place(&none, 1));
	quiet_sample_release(&sample);
}

static void the_last_seconds_are_sampled_evenly(void **state)
{
	static const struct sampled *places[64 * RECENT_WINDOWS];
	struct recent_sample sample;
	uint64_t seen, ms;
	size_t late = 0;
	(void)state;
	assert_int_equal(recent_sample_init(&sample, 64, 9), 0);
	/* Ten a window, and a thousand a window for one second. */
	for (uint64_t at_ms = 100000; at_ms < 104000; at_ms++) {
		unsigned now = at_ms >= 103000 ? 4 : at_ms % 25 == 0;
		for (unsigned i = 0; i < now; i++) {
			struct sampled *place = recent_sample_place(&sample, at_ms);
			if (place != NULL)
				*place = (struct sampled){.field = {at_ms}};
		}
	}
	size_t count = recent_sample_gather(&sample, 102000, 104000, places, &seen, &ms);
	assert_int_equal(seen, 40 + 4000);
	assert_int_equal(ms, 2000);
	assert_in_range(count, 256, 262);
	for (size_t i = 0; i < count; i++)
		late += places[i]->field[0] >= 103000;
	assert_in_range(late, 250, 256);
	assert_int_equal(recent_sample_gather(&sample, 100000, 103000, places, &seen, &ms), 120);
	assert_int_equal(recent_sample_gather(&sample, 103000, 109000, places, &seen, &ms), 0);
	assert_int_equal(recent_sample_gather(&sample, 103900, 104000, places, &seen, &ms), 0);
	recent_sample_release(&sample);
}

static void who_came_first_stays(void **state)
{
	struct acquaintances *a;
	(void)state;
	assert_int_equal(acquaintances_new(4096, &a), 0);
	assert_true(acquaintances_meet(a, 0x1234567800000001, 5000, false) == ACQUAINTANCE_NEVER);
	assert_true(acquaintances_meet(a, 0x1234567800000001, 5000, true) == ACQUAINTANCE_NEVER);
	assert_int_equal(acquaintances_meet(a, 0x1234567800000001, 9000, true), 5000);
	for (uint64_t i = 1; i < 100000; i++)
		(void)acquaintances_meet(a, i << 32 | i % 4096, 10000, true);
	assert_int_equal(acquaintances_meet(a, 0x1234567800000001, 11000, true), 5000);
	(void)acquaintances_meet(a, 0x7777777700000001, 3000, true); /* told late */
	assert_int_equal(acquaintances_meet(a, 0x1234567800000001, 11000, true), 5000);
	assert_true(acquaintances_meet(a, 0x1234567800000001, 6000 + ACQUAINTANCE_KEPT_MS, true) == ACQUAINTANCE_NEVER);
	acquaintances_free(a);
}

static void who_does_much_is_kept(void **state)
{
	static const struct hash_key key = {1, 2};
	struct offenders *offenders;
	struct address heavy = address_from_words(0x20010db800000001, 77), other = heavy;
	size_t cursor = 0, count = 0;
	(void)state;
	assert_int_equal(offenders_new(1024, &key, &offenders), 0);
	for (uint64_t i = 0; i < 100000; i++) {
		struct address light = address_from_words(0x20010db900000000 + i, 1);
		offenders_get(offenders, 1, &light, 5)->unmatched++;
		offenders_get(offenders, 1, &heavy, 5)->matched++;
	}
	assert_int_equal(offenders_get(offenders, 1, &heavy, 9)->matched, 100000);
	assert_int_equal(offenders_get(offenders, 1, &heavy, 9)->since_ms, 5);
	other.bytes[15] = 1; /* of the same /64 */
	assert_int_equal(offenders_get(offenders, 1, &other, 9)->matched, 100000);
	assert_int_equal(offenders_get(offenders, 2, &heavy, 9)->matched, 0);
	while (offenders_next(offenders, &cursor) != NULL)
		count++;
	assert_in_range(count, 1000, 1024);
	offenders_forget(offenders, 1);
	cursor = 0;
	assert_int_equal(offenders_next(offenders, &cursor)->site, 2);
	assert_null(offenders_next(offenders, &cursor));
	offenders_free(offenders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_quiet_request_is_as_likely),
		cmocka_unit_test(old_days_fade),
		cmocka_unit_test(minutes_before_an_episode_are_forgotten),
		cmocka_unit_test(the_last_seconds_are_sampled_evenly),
		cmocka_unit_test(who_came_first_stays),
		cmocka_unit_test(who_does_much_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
