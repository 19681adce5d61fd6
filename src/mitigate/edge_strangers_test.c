/* Who is learned as a visitor, and the pace of strangers, on memory that is no map. */
#include "mitigate/edge_strangers.h"

#include "base/error.h"
#include "base/test.h"

static uint64_t words[EDGE_GENERATIONS << EDGE_SEEN_BITS];
static struct edge_control control;
static struct edge edge;
static struct edge_strangers strangers;

static int fresh(void **state)
{
	(void)state;
	memset(words, 0, sizeof(words));
	control = (struct edge_control){.geometry.seeds = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f}, .processors = 2};
	edge = (struct edge){.table.control = &control};
	edge.mapped[EDGE_MAP_seen] = words;
	edge_strangers_forget(&strangers);
	return 0;
}

static void meet(uint32_t n, uint64_t now_ms)
{
	const uint8_t bytes[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	const struct address source = address_from_v4(bytes);
	edge_strangers_meet(&strangers, &source, now_ms);
}

static void tick(bool calm, uint64_t now_ms)
{
	edge_strangers_tick(&strangers, &edge, calm, (struct strangers_told){0}, now_ms);
}

/* Who comes right before an attack may be of it. */
static void who_came_while_all_stayed_well_is_known(void **state)
{
	(void)state;
	meet(1, 1000);
	meet(2, 2500);
	tick(true, 2900);
	assert_int_equal(edge_seen_count(&edge, 0), 0);
	tick(true, 3000);
	assert_int_equal(edge_seen_count(&edge, 0), 1);
	tick(false, 3100);
	tick(true, 9000);
	assert_int_equal(edge_seen_count(&edge, 0), 1);
}

static void of_very_many_at_once_some_are_learned_later(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < STRANGERS_WAITING + 1000; n++)
		meet(n, 1000);
	tick(true, 3000);
	size_t count = edge_seen_count(&edge, 0);
	assert_in_range(count, STRANGERS_WAITING * 97 / 100, STRANGERS_WAITING);
	meet(STRANGERS_WAITING, 3000);
	tick(true, 5000);
	assert_true(edge_seen_count(&edge, 0) >= count);
}

/* A full generation stays, and is emptied when the other one is full; another watch goes on in the newer one. */
static void generations_follow_each_other(void **state)
{
	uint64_t now_ms = 1000;
	unsigned changes = 0, before = 0;
	(void)state;
	for (uint32_t n = 1; changes < 3; now_ms += 2000) {
		for (uint32_t i = 0; i < STRANGERS_WAITING; i++)
			meet(n++, now_ms);
		tick(true, now_ms + 2000);
		changes += strangers.generation != before;
		before = strangers.generation;
		assert_true(strangers.seen <= EDGE_SEEN_MOST);
		assert_true(changes == 0 || edge_seen_count(&edge, before ^ 1) > EDGE_SEEN_MOST * 2 / 3);
	}
	edge_strangers_adopt(&strangers, &edge);
	assert_int_equal(strangers.generation, before);
	assert_true(strangers.seen < EDGE_SEEN_MOST / 10);
}

static void the_pace_is_what_the_gate_can_do(void **state)
{
	static const struct {
		double per_s;
		struct strangers_told more;
		double least, most;
	} cases[] = {{0, {0, 0}, 0, 0},        {0, {0, 900}, 0, 0},      {0, {1, 0}, 1000, 1000},
		     {1000, {0, 1}, 600, 700}, {1000, {9, 0}, 600, 700}, {1000, {0, 0}, 1040, 1060},
		     {110, {0, 5}, 100, 100},  {100, {5, 5}, 100, 100},  {19500, {0, 0}, 0, 0}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double pace = strangers_pace(cases[i].per_s, cases[i].more);
		assert_true(pace >= cases[i].least && pace <= cases[i].most);
	}
}

/* What was counted before it was first told says nothing of now, nor does a worker that ends. */
static void only_what_is_new_slows_them(void **state)
{
	static const struct {
		struct strangers_told told;
		bool slowed;
	} cases[] = {{{500, 9}, false}, {{500, 9}, false}, {{501, 9}, true}, {{3, 0}, true}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		edge_strangers_tick(&strangers, &edge, false, cases[i].told, 10000 + i * STRANGERS_TICK_MS);
		assert_int_equal(control.strangers.cost_ns != 0, cases[i].slowed);
	}
	assert_true(control.strangers.cost_ns < 2000000); /* 1,000 a second by two processors, and faster since */
	assert_int_equal(control.strangers_until,
			 edge_ticks((10000 + 3 * STRANGERS_TICK_MS + STRANGERS_LEASE_MS) * UINT64_C(1000000)));
}

TEST_MAIN(cmocka_unit_test_setup(who_came_while_all_stayed_well_is_known, fresh),
	  cmocka_unit_test_setup(of_very_many_at_once_some_are_learned_later, fresh),
	  cmocka_unit_test_setup(generations_follow_each_other, fresh),
	  cmocka_unit_test_setup(the_pace_is_what_the_gate_can_do, fresh),
	  cmocka_unit_test_setup(only_what_is_new_slows_them, fresh))
