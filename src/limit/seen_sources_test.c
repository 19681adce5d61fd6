#include "limit/seen_sources.h"

#include "base/hash.h"
#include "base/test.h"

enum { SOURCES = 20000, HOUR_MS = 3600000 };

static const struct hash_key key = {11, 12};

static uint64_t source(uint32_t number)
{
	return hash_bytes(&key, slice_make((const uint8_t *)&number, sizeof(number)));
}

static struct seen_sources *seen_make(size_t sources)
{
	size_t words;
	struct seen_sources *s = calloc(1, seen_sources_bytes(sources, &words));
	assert_non_null(s);
	s->words = words;
	s->generation_ms = HOUR_MS;
	return s;
}

static uint32_t count_seen(const struct seen_sources *s, uint32_t from, uint32_t to)
{
	uint32_t seen = 0;
	for (uint32_t i = from; i < to; i++)
		seen += seen_sources_ask(s, source(i)) == SEEN_KNOWN;
	return seen;
}

static void those_added_are_known_and_few_others(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make(SOURCES);
	for (uint32_t i = 0; i < SOURCES; i++)
		seen_sources_add(s, source(i), 1000);
	assert_int_equal(count_seen(s, 0, SOURCES), SOURCES);
	assert_true(count_seen(s, SOURCES, 11 * SOURCES) < 10 * SOURCES / 200);
	free(s);
}

static void a_generation_is_kept_for_another(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make(SOURCES);
	for (uint32_t i = 0; i < 100; i++)
		seen_sources_add(s, source(i), 1);
	for (uint32_t i = 50; i < 150; i++)
		seen_sources_add(s, source(i), 1 + HOUR_MS);
	assert_int_equal(count_seen(s, 0, 150), 150);
	seen_sources_add(s, source(200), 2 + 2 * HOUR_MS);
	assert_int_equal(count_seen(s, 50, 150), 100);
	assert_int_equal(count_seen(s, 0, 50), 0);
	free(s);
}

static void a_flood_of_sources_does_not_make_everybody_known(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make(SOURCES);
	for (uint32_t i = 0; i < 20 * SOURCES; i++)
		seen_sources_add(s, source(i), 1000 + i / 1000);
	assert_true(count_seen(s, 30 * SOURCES, 40 * SOURCES) < 10 * SOURCES / 50);
	free(s);
}

static void a_clock_that_goes_back_forgets_nothing(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make(SOURCES);
	seen_sources_add(s, source(1), 5 * (uint64_t)HOUR_MS);
	seen_sources_add(s, source(2), 7);
	assert_int_equal(count_seen(s, 1, 3), 2);
	free(s);
}

enum { TRIAL_MS = 600000 };

static struct seen_sources *seen_make_with_trial(void)
{
	struct seen_sources *s = seen_make(SOURCES);
	s->trial_ms = TRIAL_MS;
	return s;
}

static void who_is_on_trial_becomes_known_when_nothing_begins(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make_with_trial();
	assert_int_equal(seen_sources_ask(s, source(1)), SEEN_NEVER);
	seen_sources_add(s, source(1), 1000);
	seen_sources_add(s, source(2), TRIAL_MS - 1000);
	assert_int_equal(seen_sources_ask(s, source(1)), SEEN_LATELY);
	seen_sources_add(s, source(3), TRIAL_MS + 1000);
	/* Whoever came last in a stage is on trial for the whole time. */
	seen_sources_add(s, source(4), 2 * TRIAL_MS - 1001);
	assert_int_equal(seen_sources_ask(s, source(2)), SEEN_LATELY);
	seen_sources_add(s, source(4), 2 * TRIAL_MS + 1000);
	assert_int_equal(count_seen(s, 1, 5), 2);
	assert_int_equal(seen_sources_ask(s, source(3)), SEEN_LATELY);
	seen_sources_add(s, source(4), 3 * TRIAL_MS + 1000);
	assert_int_equal(count_seen(s, 1, 5), 4);
	free(s);
}

static void who_came_shortly_before_something_began_does_not_become_known(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make_with_trial();
	uint64_t now_ms = 1000;
	seen_sources_add(s, source(1), now_ms);
	for (unsigned i = 0; i < 3; i++)
		seen_sources_add(s, source(2), now_ms += TRIAL_MS);
	seen_sources_add(s, source(3), now_ms);
	assert_int_equal(seen_sources_ask(s, source(1)), SEEN_KNOWN);
	seen_sources_distrust(s, now_ms += 1000);
	/* Before strangers as long as it goes on, and then forgotten. */
	assert_int_equal(seen_sources_ask(s, source(3)), SEEN_LATELY);
	seen_sources_distrust(s, now_ms += TRIAL_MS);
	seen_sources_add(s, source(4), now_ms += 1000);
	assert_int_equal(seen_sources_ask(s, source(3)), SEEN_NEVER);
	assert_int_equal(seen_sources_ask(s, source(1)), SEEN_KNOWN);
	for (unsigned i = 0; i < 3; i++)
		seen_sources_add(s, source(4), now_ms += TRIAL_MS);
	assert_int_equal(seen_sources_ask(s, source(3)), SEEN_NEVER);
	assert_int_equal(seen_sources_ask(s, source(4)), SEEN_KNOWN);
	free(s);
}

static void who_is_known_stays_so_by_coming(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make_with_trial();
	uint64_t now_ms = 1000;
	for (unsigned i = 0; i < 4; i++)
		seen_sources_add(s, source(1), now_ms += TRIAL_MS);
	for (unsigned i = 0; i < 5; i++) {
		seen_sources_add(s, source(1), now_ms += HOUR_MS / 2);
		seen_sources_distrust(s, now_ms);
	}
	assert_int_equal(seen_sources_ask(s, source(1)), SEEN_KNOWN);
	free(s);
}

static void many_on_trial_fill_a_generation(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make_with_trial();
	uint64_t now_ms = 1000;
	for (uint32_t i = 0; i < 20 * SOURCES; i++)
		seen_sources_add(s, source(i), now_ms += i % SOURCES == 0 ? TRIAL_MS / 4 : 0);
	assert_true(count_seen(s, 30 * SOURCES, 40 * SOURCES) < 10 * SOURCES / 20);
	free(s);
}

static void addresses_of_one_network_are_one_source(void **state)
{
	(void)state;
	struct seen_sources *s = seen_make(SOURCES);
	s->secret = key;
	const uint8_t four[] = {192, 0, 2, 7}, next_four[] = {192, 0, 2, 8};
	const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 3},
		      same_six[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 4};
	const uint8_t next_six[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 3, 3};
	struct address a = address_from_v4(four), b = address_from_v4(next_four), c = address_from_v6(six),
		       d = address_from_v6(same_six), e = address_from_v6(next_six);
	assert_true(seen_sources_key(s, &a) != seen_sources_key(s, &b));
	assert_true(seen_sources_key(s, &c) == seen_sources_key(s, &d));
	assert_true(seen_sources_key(s, &c) != seen_sources_key(s, &e));
	free(s);
}

TEST_MAIN(cmocka_unit_test(addresses_of_one_network_are_one_source),
	  cmocka_unit_test(those_added_are_known_and_few_others), cmocka_unit_test(a_generation_is_kept_for_another),
	  cmocka_unit_test(a_flood_of_sources_does_not_make_everybody_known),
	  cmocka_unit_test(a_clock_that_goes_back_forgets_nothing),
	  cmocka_unit_test(who_is_on_trial_becomes_known_when_nothing_begins),
	  cmocka_unit_test(who_came_shortly_before_something_began_does_not_become_known),
	  cmocka_unit_test(who_is_known_stays_so_by_coming), cmocka_unit_test(many_on_trial_fill_a_generation))
