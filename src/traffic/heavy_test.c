#include "traffic/heavy.h"

#include "base/test.h"

static const struct hash_key seed = {3, 5};

static struct heavy *make(uint32_t buckets)
{
	struct heavy *heavy;
	assert_int_equal(heavy_new(buckets, &seed, &heavy), 0);
	return heavy;
}

static void add(struct heavy *heavy, uint64_t number, size_t times)
{
	for (size_t i = 0; i < times; i++)
		heavy_add(heavy, (struct heavy_key){{number, 7}});
}

static void test_few_keys_are_counted_exactly(void **state)
{
	struct heavy *heavy = make(64);
	struct heavy_item items[16];
	(void)state;
	assert_int_equal(heavy_top(heavy, 0, items, 16), 0);
	for (uint64_t number = 1; number <= 10; number++)
		add(heavy, number, number * 10);
	assert_int_equal(heavy_top(heavy, 1, items, 16), 10);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(items[i].key.word[0], 10 - i);
		assert_true(items[i].count == (double)(10 - i) * 10);
		assert_true(items[i].error == 0);
	}
	assert_int_equal(heavy_top(heavy, 1, items, 3), 3);
	assert_int_equal(items[2].key.word[0], 8);
	assert_int_equal(heavy_top(heavy, 1, items, 0), 0);
	heavy_free(heavy);
}

static void test_windows_pass(void **state)
{
	struct heavy *heavy = make(64);
	struct heavy_item items[4];
	(void)state;
	add(heavy, 1, 100);
	heavy_roll(heavy);
	add(heavy, 2, 40);
	assert_int_equal(heavy_top(heavy, 0.25, items, 4), 2);
	assert_int_equal(items[0].key.word[0], 1);
	assert_true(items[0].count == 75);
	assert_int_equal(heavy_top(heavy, 0.75, items, 4), 2);
	assert_int_equal(items[0].key.word[0], 2);
	heavy_roll(heavy);
	heavy_roll(heavy);
	assert_int_equal(heavy_top(heavy, 0, items, 4), 0);
	heavy_free(heavy);
}

/* Whatever comes: what is said of a key holds. */
static void test_bounds_hold(void **state)
{
	enum { KEYS = 5000, ADDS = 200000 };
	static uint32_t truth[KEYS];
	static struct heavy_item items[8 * 64];
	struct heavy *heavy = make(64);
	uint64_t random = 1;
	(void)state;
	for (size_t i = 0; i < ADDS; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		uint64_t r = random >> 33, key = r % (r % 7 == 0 ? KEYS : 1 + r % 300);
		truth[key]++;
		add(heavy, key, 1);
	}
	size_t count = heavy_top(heavy, 1, items, 8 * 64);
	assert_true(count > 100);
	for (size_t i = 0; i < count; i++) {
		double true_count = truth[items[i].key.word[0]];
		assert_true(items[i].count >= true_count);
		assert_true(items[i].count - items[i].error <= true_count);
		assert_true(i == 0 || items[i - 1].count - items[i - 1].error >= items[i].count - items[i].error);
	}
	heavy_free(heavy);
}

/* A million that come once do not hide the few that come often, nor look like them. */
static void test_few_among_a_million(void **state)
{
	enum { MANY = 1000000, HEAVY = 20 };
	struct heavy *heavy = make(4096);
	struct heavy_item items[100];
	(void)state;
	for (uint64_t i = 0; i < MANY; i++) {
		add(heavy, 1000 + i, 1);
		if (i % 50 == 0)
			add(heavy, i / 50 % HEAVY, 1);
	}
	size_t count = heavy_top(heavy, 1, items, 100), found = 0;
	for (size_t i = 0; i < HEAVY; i++) {
		assert_true(items[i].key.word[0] < HEAVY);
		found++;
	}
	assert_int_equal(found, HEAVY);
	for (size_t i = HEAVY; i < count; i++)
		assert_true(items[i].count - items[i].error < 10);
	heavy_free(heavy);
}

TEST_MAIN(cmocka_unit_test(test_few_keys_are_counted_exactly), cmocka_unit_test(test_windows_pass),
	  cmocka_unit_test(test_bounds_hold), cmocka_unit_test(test_few_among_a_million))
