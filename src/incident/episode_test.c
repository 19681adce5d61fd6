#include "incident/episode.h"

#include "base/test.h"
#include "incident/mitigation.h"

static void only_the_table_moves_it(void **state)
{
	struct episode episode = {0};
	(void)state;
	assert_false(episode_move(&episode, EPISODE_IN_FORCE, 1000));
	assert_false(episode_move(&episode, EPISODE_BARE, 1000));
	assert_false(episode_move(&episode, EPISODE_CALM, 1000));
	assert_true(episode_move(&episode, EPISODE_ONSET, 1000));
	assert_false(episode_move(&episode, EPISODE_ONSET, 1000));
	assert_false(episode_move(&episode, EPISODE_BARE, 1000));
	assert_true(episode_move(&episode, EPISODE_IN_FORCE, 2000));
	assert_int_equal(episode.state, EPISODE_MITIGATED);
	assert_false(episode_move(&episode, EPISODE_ONSET, 90000));
	assert_true(episode_move(&episode, EPISODE_CALM, 90000));
	assert_int_equal(episode.state, EPISODE_QUIET);
	assert_int_equal(episode.change_count, 3);
	assert_int_equal(episode.changes[0].cause, EPISODE_CALM);
	assert_int_equal(episode.changes[2].at_ms, 1000);
}

/* Causes come and go every second, for ten minutes. */
static void no_minute_has_more_than_two_changes(void **state)
{
	struct episode episode = {0};
	uint64_t at_ms[64];
	size_t count = 0;
	(void)state;
	for (uint64_t ms = 1000; ms < 600 * 1000; ms += 1000)
		for (enum episode_cause cause = 0; cause < EPISODE_CAUSES; cause++)
			if (episode_move(&episode, cause, ms))
				at_ms[count++] = ms;
	assert_in_range(count, 15, 22);
	for (size_t i = 2; i < count; i++)
		assert_true(at_ms[i] - at_ms[i - 2] >= 60 * 1000);
	assert_int_equal(episode.change_count, EPISODE_CHANGES);
}

static struct mitigation in_force(uint64_t now_ms)
{
	return (struct mitigation){.stage = MITIGATION_IN_FORCE, .since_ms = now_ms, .low_since_ms = now_ms};
}

static void hits_keep_a_mitigation(void **state)
{
	struct mitigation m = in_force(0);
	uint64_t hits = 0, second = 1;
	(void)state;
	for (; second <= 30; second++) {
		m.seen += 3000;
		mitigation_second(&m, hits += 3000, 60, second * 1000);
	}
	assert_int_equal(m.low_since_ms, 30000);
	assert_in_range((uint64_t)m.rate, 5900, 6000);
	/* Banned sources are seen by the gate alone. */
	for (; second <= 60; second++)
		mitigation_second(&m, hits += 3000, 60, second * 1000);
	assert_int_equal(m.low_since_ms, 60000);
	/* A visitor's page now and then. */
	for (; second <= 180; second++)
		mitigation_second(&m, hits += second % 20 == 0 ? 12 : 0, 60, second * 1000);
	assert_in_range(m.low_since_ms, 80000, 100000);
}

static void a_mitigation_of_which_the_gate_forgot_hits_is_not_peaking(void **state)
{
	struct mitigation m = in_force(0);
	(void)state;
	mitigation_second(&m, 5000, 60, 1000);
	mitigation_second(&m, 0, 60, 2000);
	assert_true(m.rate < 1000);
	assert_int_equal(m.hits, 5000);
}

static void visitors_hit_are_told_from_attackers_like_them(void **state)
{
	static const struct {
		struct mitigation_known known;
		bool hits;
	} cases[] = {
		{{0, 0, 0}, false},      {{300, 0, 2000}, false}, {{300, 1, 20}, false},
		{{300, 9, 2000}, false}, {{300, 12, 2000}, true}, {{300, 3, 300}, true},
		{{5000, 6, 300}, false}, {{5000, 15, 300}, true}, {{20, 2, 2}, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mitigation_hits_visitors(&cases[i].known), cases[i].hits);
	assert_true(share_lower_limit(0, 100) <= 0);
	assert_in_range((uint64_t)(share_lower_limit(5, 100) * 10000), 190, 203); /* 1.970 of a Poisson's 5 */
}

static void signatures_are_said_in_words(void **state)
{
	uint64_t values[3] = {1, 2, 3};
	struct signature s = {
		.count = 2,
		.conjunction = {{2,
				 {{SIGNATURE_ONE_OF, SIGNATURE_SHAPE, 0},
				  {SIGNATURE_LACKS, 0, 4 /* accept-language */}}},
				{1, {{SIGNATURE_EQUALS, SIGNATURE_HEADERS, 9}}}},
	};
	struct buffer words = buffer_make(NULL);
	(void)state;
	s.listed[SIGNATURE_SHAPE] = (struct signature_values){values, 3};
	signature_describe(&s, &words);
	buffer_byte(&words, '\0');
	assert_string_equal((const char *)words.ptr, "has one of 3 values of order of headers, has no accept-language "
						     "header; or has 9 headers");
	buffer_free(&words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_table_moves_it),
		cmocka_unit_test(no_minute_has_more_than_two_changes),
		cmocka_unit_test(hits_keep_a_mitigation),
		cmocka_unit_test(a_mitigation_of_which_the_gate_forgot_hits_is_not_peaking),
		cmocka_unit_test(visitors_hit_are_told_from_attackers_like_them),
		cmocka_unit_test(signatures_are_said_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
