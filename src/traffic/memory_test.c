#include "traffic/memory.h"

#include "base/test.h"

static const struct hash_key key = {11, 12};
static const uint64_t NOW_S = 1720551600;
static struct baseline learned, other;
static struct regulars *regulars;

static int set_up(void **state)
{
	(void)state;
	memset(&learned, 0, sizeof(learned));
	memset(&other, 0, sizeof(other));
	assert_int_equal(regulars_new(100, &regulars), 0);
	for (uint64_t i = 1; i <= 30; i++)
		regulars_meet(regulars, i * 0x9e3779b97f4a7c15, NOW_S - 3600, true);
	struct traffic_tick tick = {.value = {30, 6e5, 0, 40, 12, 0.2, 0, 5, 1, 12, 3}};
	for (uint64_t i = 0; i < 2 * 3600 * 10; i++)
		baseline_tick(&learned, &tick, NOW_S - 7200 + i / 10);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	regulars_free(regulars);
	return 0;
}

static struct buffer written(void)
{
	struct buffer out = buffer_make(NULL);
	const struct traffic_memory_site site = {77, &learned};
	assert_int_equal(traffic_memory_write(&site, 1, regulars, &key, &out), 0);
	return out;
}

static enum traffic_memory_fault read_back(struct slice bytes, const struct hash_key *with, uint64_t site,
					   struct regulars *into)
{
	const struct traffic_memory_site wanted = {site, &other};
	return traffic_memory_read(bytes, with, NOW_S, &wanted, 1, into);
}

static void what_was_learned_outlasts_a_restart(void **state)
{
	(void)state;
	struct buffer bytes = written();
	struct regulars *again;
	assert_int_equal(regulars_new(100, &again), 0);
	assert_int_equal(read_back(buffer_slice(&bytes), &key, 77, again), TRAFFIC_MEMORY_GOOD);
	assert_memory_equal(other.hours, learned.hours, sizeof(learned.hours));
	for (uint64_t i = 1; i <= 30; i++)
		assert_true(regulars_meet(again, i * 0x9e3779b97f4a7c15, NOW_S, false));
	memset(&other, 0, sizeof(other));
	assert_int_equal(read_back(buffer_slice(&bytes), &key, 78, again), TRAFFIC_MEMORY_GOOD);
	assert_int_equal(other.hours[0].minutes, 0);
	regulars_free(again);
	buffer_free(&bytes);
}

static void bad_bytes_are_refused_and_change_nothing(void **state)
{
	(void)state;
	struct buffer bytes = written();
	static const struct baseline none;
	const struct hash_key another = {11, 13};
	for (size_t len = 0; len < bytes.len; len += len < 100 ? 1 : 501)
		assert_int_not_equal(read_back(test_fenced(slice_make(bytes.ptr, len)), &key, 77, regulars),
				     TRAFFIC_MEMORY_GOOD);
	for (size_t i = 0; i < bytes.len; i += i < 100 ? 1 : 37) {
		bytes.ptr[i] ^= 4;
		assert_int_not_equal(read_back(buffer_slice(&bytes), &key, 77, regulars), TRAFFIC_MEMORY_GOOD);
		bytes.ptr[i] ^= 4;
	}
	assert_int_equal(read_back(buffer_slice(&bytes), &another, 77, regulars), TRAFFIC_MEMORY_KEY);
	assert_memory_equal(&other, &none, sizeof(none));
	for (unsigned fault = 0; fault < TRAFFIC_MEMORY_FAULTS; fault++)
		assert_true(strlen(traffic_memory_fault_text(fault)) > 3);
	buffer_free(&bytes);
}

/* Whoever can write the file can make a checksum too: what cannot be is refused all the same. */
static void impossible_figures_are_refused(void **state)
{
	(void)state;
	static const float bad[] = {-1, 1e30f, __builtin_nanf(""), __builtin_inff()};
	for (size_t i = 0; i < 4; i++) {
		float before = learned.hours[3].figure[2].within;
		learned.hours[3].figure[2].within = bad[i];
		struct buffer bytes = written();
		assert_int_equal(read_back(buffer_slice(&bytes), &key, 77, regulars), TRAFFIC_MEMORY_CONTENT);
		buffer_free(&bytes);
		learned.hours[3].figure[2].within = before;
	}
	learned.hours[0].minutes = BASELINE_WEIGHT_MOST + 1;
	struct buffer bytes = written();
	assert_int_equal(read_back(buffer_slice(&bytes), &key, 77, regulars), TRAFFIC_MEMORY_CONTENT);
	buffer_free(&bytes);
}

#define memory_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

TEST_MAIN(memory_test(what_was_learned_outlasts_a_restart), memory_test(bad_bytes_are_refused_and_change_nothing),
	  memory_test(impossible_figures_are_refused))
