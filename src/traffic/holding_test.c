#include "traffic/holding.h"

#include "base/test.h"

enum { GATE = 8192, SECOND = 10 };

static unsigned feed(struct holding *h, double heads, double bodies, double at_most, unsigned ticks, bool quiet)
{
	struct traffic_tick tick = {.connections_at_most = at_most};
	unsigned over = 0;
	tick.value[TRAFFIC_READING_HEADER] = heads;
	tick.value[TRAFFIC_READING_BODY] = bodies;
	for (unsigned i = 0; i < ticks; i++)
		over += holding_tick(h, &tick, quiet);
	return over;
}

static struct holding *learned(double heads, double bodies)
{
	static struct holding h;
	h = (struct holding){0};
	(void)feed(&h, heads, bodies, GATE, 60 * SECOND, true);
	return &h;
}

static void few_are_no_attack(void **state)
{
	(void)state;
	struct holding *h = learned(3, 1);
	assert_int_equal(feed(h, GATE / HOLDING_FEW_SHARE, 0, GATE, SECOND, true), 0);
	assert_int_equal(feed(h, 1 + GATE / HOLDING_FEW_SHARE, 0, GATE, SECOND, true), SECOND);
	assert_int_equal(feed(h, 0, 1 + GATE / HOLDING_FEW_SHARE, GATE, SECOND, true), SECOND);
	/* a small gate */
	assert_true(holding_limit(h, 0, 512) == HOLDING_FEW);
	/* one that says nothing of itself */
	assert_true(holding_limit(h, 0, 0) == HOLDING_FEW);
}

static void twice_the_most_is_over(void **state)
{
	(void)state;
	struct holding *h = learned(1000, 400);
	assert_int_equal(feed(h, 1990, 0, GATE, SECOND, true), 0);
	assert_int_equal(feed(h, 2010, 0, GATE, SECOND, true), SECOND);
	assert_int_equal(feed(h, 0, 810, GATE, SECOND, true), SECOND);
	/* half of all there are, whatever was usual */
	h = learned(3000, 0);
	assert_int_equal(feed(h, 4000, 0, GATE, SECOND, true), 0);
	assert_int_equal(feed(h, 4100, 0, GATE, SECOND, true), SECOND);
}

static void nothing_is_learned_of_an_episode(void **state)
{
	(void)state;
	struct holding *h = learned(300, 0);
	assert_int_equal(feed(h, 3000, 0, GATE, 3, true), 3);
	holding_episode_begins(h);
	assert_int_equal(feed(h, 3000, 0, GATE, 7200 * SECOND, false), 7200 * SECOND);
	assert_int_equal(feed(h, 300, 0, GATE, 60 * SECOND, true), 0);
	assert_int_equal(feed(h, 3000, 0, GATE, SECOND, true), SECOND);
}

static void an_attack_under_way_at_start_is_seen(void **state)
{
	(void)state;
	struct holding h = {0};
	assert_int_equal(feed(&h, 3000, 0, GATE, SECOND, true), SECOND);
	/* what leaves room is not told of before anything is known */
	h = (struct holding){0};
	assert_int_equal(feed(&h, 1500, 0, GATE, 60 * SECOND, true), 0);
	assert_int_equal(feed(&h, 3100, 0, GATE, SECOND, true), SECOND);
}

static void a_ramp_is_seen(void **state)
{
	(void)state;
	struct holding *h = learned(100, 0);
	(void)feed(h, 100, 0, GATE, 3600 * SECOND, true);
	unsigned over = 0;
	for (unsigned s = 0; s < 3600 && over == 0; s++)
		over = feed(h, 100 + s, 0, GATE, SECOND, true);
	assert_true(over > 0);
}

static void what_lasts_and_leaves_room_becomes_normal(void **state)
{
	(void)state;
	struct holding *h = learned(300, 0);
	assert_int_equal(feed(h, 1500, 0, GATE, HOLDING_ADAPT_S * SECOND - 1, false), HOLDING_ADAPT_S * SECOND - 1);
	(void)feed(h, 1500, 0, GATE, 1, false);
	assert_int_equal(feed(h, 1500, 0, GATE, SECOND, false), 0);
	h = learned(300, 0);
	assert_int_equal(feed(h, 2100, 0, GATE, 2 * HOLDING_ADAPT_S * SECOND, false), 2 * HOLDING_ADAPT_S * SECOND);
}

static void the_most_fades(void **state)
{
	(void)state;
	struct holding *h = learned(2000, 0);
	double before = holding_limit(h, 0, GATE * 4);
	(void)feed(h, 100, 0, GATE * 4, 7 * 86400 * SECOND, true);
	assert_true(before == 4000 && holding_limit(h, 0, GATE * 4) < 2020 && holding_limit(h, 0, GATE * 4) > 1980);
}

TEST_MAIN(cmocka_unit_test(few_are_no_attack), cmocka_unit_test(twice_the_most_is_over),
	  cmocka_unit_test(nothing_is_learned_of_an_episode), cmocka_unit_test(an_attack_under_way_at_start_is_seen),
	  cmocka_unit_test(a_ramp_is_seen), cmocka_unit_test(what_lasts_and_leaves_room_becomes_normal),
	  cmocka_unit_test(the_most_fades))
