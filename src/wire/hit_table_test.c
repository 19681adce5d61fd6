#include "wire/hit_table.h"

#include "base/test.h"

static struct hit_table table;

static void hits_add_up_by_id(void **state)
{
	(void)state;
	table = (struct hit_table){0};
	for (uint32_t id = 1; id <= 1000; id++)
		for (uint32_t i = 0; i <= id % 3; i++)
			hit_table_add(&table, id, 2);
	for (uint32_t id = 1; id <= 1000; id++)
		assert_int_equal(hit_table_get(&table, id), 2 * (id % 3 + 1));
	assert_int_equal(hit_table_get(&table, 1001), 0);
	assert_int_equal(atomic_load(&table.displaced), 0);
}

static void the_oldest_makes_way_and_nothing_is_lost(void **state)
{
	(void)state;
	table = (struct hit_table){0};
	uint64_t all = 0, held = 0;
	for (uint32_t id = 1; id <= 3 * HIT_SLOTS; id++, all += 5)
		hit_table_add(&table, id, 5);
	for (uint32_t id = 1; id <= 3 * HIT_SLOTS; id++)
		held += hit_table_get(&table, id);
	assert_int_equal(held + atomic_load(&table.displaced), all);
	for (uint32_t id = 2 * HIT_SLOTS + 1; id <= 3 * HIT_SLOTS; id++)
		assert_int_equal(hit_table_get(&table, id), 5);
}

static void ids_a_table_apart_live_side_by_side(void **state)
{
	(void)state;
	table = (struct hit_table){0};
	for (uint32_t i = 0; i < HIT_NEIGHBOURS; i++)
		hit_table_add(&table, 7 + i * HIT_SLOTS, i + 1);
	for (uint32_t i = 0; i < HIT_NEIGHBOURS; i++)
		assert_int_equal(hit_table_get(&table, 7 + i * HIT_SLOTS), i + 1);
}

TEST_MAIN(cmocka_unit_test(hits_add_up_by_id), cmocka_unit_test(the_oldest_makes_way_and_nothing_is_lost),
	  cmocka_unit_test(ids_a_table_apart_live_side_by_side))
