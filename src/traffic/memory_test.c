#include "traffic/memory.h"

#include "base/test.h"

static const struct hash_key key = {11, 12};
static const uint64_t NOW_S = 1720551600;
static struct baseline learned, other;
static struct quiet_sample quiet, other_quiet;
static struct regulars *regulars;

static int set_up(void **state)
{
	(void)state;
	memset(&learned, 0, sizeof(learned));
	memset(&other, 0, sizeof(other));
	quiet = (struct quiet_sample){.most = 100};
	other_quiet = (struct quiet_sample){.most = 40};
	for (uint32_t i = 0; i < 100; i++)
		*quiet_sample_place(&quiet, NOW_S) = (struct sampled){
			.field = {i}, .at_s = (uint32_t)NOW_S, .source = address_from_words(0x20010db800000000, i)};
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
	quiet_sample_release(&quiet);
	quiet_sample_release(&other_quiet);
	return 0;
}

static struct buffer written_after(const struct traffic_memory *older)
{
	struct buffer out = buffer_make(NULL);
	const struct traffic_memory_site site = {SLICE("www.example.mo"), &learned, &quiet};
	assert_int_equal(traffic_memory_write(&site, 1, older, regulars, &key, &out), 0);
	return out;
}

static struct buffer written(void)
{
	static const struct traffic_memory none;
	return written_after(&none);
}

/* Bytes are taken over only if they are good. */
static enum traffic_memory_fault open_copy(struct slice bytes, const struct hash_key *with,
					   struct traffic_memory *ret_memory)
{
	struct buffer copy = buffer_make(NULL);
	buffer_add(&copy, bytes);
	enum traffic_memory_fault fault = traffic_memory_open(&copy, with, ret_memory);
	assert_int_equal(copy.ptr == NULL, fault == TRAFFIC_MEMORY_GOOD || bytes.len == 0);
	buffer_free(&copy);
	return fault;
}

static enum traffic_memory_fault fault_of(struct slice bytes, const struct hash_key *with)
{
	struct traffic_memory memory = {0};
	enum traffic_memory_fault fault = open_copy(bytes, with, &memory);
	traffic_memory_close(&memory);
	return fault;
}

static void what_was_learned_outlasts_a_restart(void **state)
{
	(void)state;
	struct buffer bytes = written();
	struct traffic_memory memory;
	struct regulars *again;
	assert_int_equal(regulars_new(100, &again), 0);
	assert_int_equal(open_copy(buffer_slice(&bytes), &key, &memory), TRAFFIC_MEMORY_GOOD);
	assert_false(traffic_memory_take(&memory, SLICE("other.example.mo"), &other, &other_quiet));
	assert_int_equal(other.hours[0].minutes, 0);
	assert_true(traffic_memory_take(&memory, SLICE("www.example.mo"), &other, &other_quiet));
	assert_false(traffic_memory_take(&memory, SLICE("www.example.mo"), &other, &other_quiet));
	assert_memory_equal(other.hours, learned.hours, sizeof(learned.hours));
	assert_true(traffic_memory_regulars(&memory, again, NOW_S));
	for (uint64_t i = 1; i <= 30; i++)
		assert_true(regulars_meet(again, i * 0x9e3779b97f4a7c15, NOW_S, false));
	/* There was room for 40 of 100. */
	assert_int_equal(other_quiet.count, 40);
	for (size_t i = 0; i < 40; i++)
		assert_memory_equal(&other_quiet.items[i], &quiet.items[i * 100 / 40], sizeof(struct sampled));
	traffic_memory_close(&memory);
	regulars_free(again);
	buffer_free(&bytes);
}

static void sites_that_did_not_come_are_kept(void **state)
{
	(void)state;
	struct buffer first = written();
	struct traffic_memory memory;
	assert_int_equal(open_copy(buffer_slice(&first), &key, &memory), TRAFFIC_MEMORY_GOOD);
	const struct traffic_memory_site another = {SLICE("another"), &other, &other_quiet};
	struct buffer second = buffer_make(NULL);
	assert_int_equal(traffic_memory_write(&another, 1, &memory, regulars, &key, &second), 0);
	traffic_memory_close(&memory);
	assert_int_equal(open_copy(buffer_slice(&second), &key, &memory), TRAFFIC_MEMORY_GOOD);
	assert_true(traffic_memory_take(&memory, SLICE("another"), &other, &other_quiet));
	assert_true(traffic_memory_take(&memory, SLICE("www.example.mo"), &other, &other_quiet));
	assert_memory_equal(other.hours, learned.hours, sizeof(learned.hours));
	struct buffer third = written_after(&memory); /* both were taken */
	assert_int_equal(third.len, first.len);
	traffic_memory_close(&memory);
	buffer_free(&first);
	buffer_free(&second);
	buffer_free(&third);
}

static void no_address_stands_in_it(void **state)
{
	(void)state;
	struct buffer bytes = written();
	for (size_t i = 0; i < quiet.count; i++)
		assert_null(memmem(bytes.ptr, bytes.len, quiet.items[i].source.bytes, 8));
	assert_null(memmem(bytes.ptr, bytes.len, "www.example", 11));
	buffer_free(&bytes);
}

static void bad_bytes_are_refused_and_change_nothing(void **state)
{
	(void)state;
	struct buffer bytes = written();
	const struct hash_key another = {11, 13};
	for (size_t len = 0; len < bytes.len; len += len < 100 ? 1 : 501)
		assert_int_not_equal(fault_of(slice_make(bytes.ptr, len), &key), TRAFFIC_MEMORY_GOOD);
	for (size_t i = 0; i < bytes.len; i += i < 100 ? 1 : 37) {
		bytes.ptr[i] ^= 4;
		assert_int_not_equal(fault_of(buffer_slice(&bytes), &key), TRAFFIC_MEMORY_GOOD);
		bytes.ptr[i] ^= 4;
	}
	assert_int_equal(fault_of(buffer_slice(&bytes), &another), TRAFFIC_MEMORY_KEY);
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
		assert_int_equal(fault_of(buffer_slice(&bytes), &key), TRAFFIC_MEMORY_CONTENT);
		buffer_free(&bytes);
		learned.hours[3].figure[2].within = before;
	}
	learned.hours[0].minutes = BASELINE_WEIGHT_MOST + 1;
	struct buffer bytes = written();
	assert_int_equal(fault_of(buffer_slice(&bytes), &key), TRAFFIC_MEMORY_CONTENT);
	buffer_free(&bytes);
}

#define memory_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

TEST_MAIN(memory_test(what_was_learned_outlasts_a_restart), memory_test(sites_that_did_not_come_are_kept),
	  memory_test(no_address_stands_in_it), memory_test(bad_bytes_are_refused_and_change_nothing),
	  memory_test(impossible_figures_are_refused))
