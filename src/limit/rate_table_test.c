#include "limit/rate_table.h"

#include "base/error.h"
#include "base/test.h"

#include <signal.h>
#include <sys/wait.h>

static const uint64_t SECOND = 1000000;

static struct rate_table table;
static uint8_t *memory;
enum { MEMORY_BYTES = 1 << 20 };

static void *shared_memory(size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	return map;
}

static int set_up(void **state)
{
	(void)state;
	memory = shared_memory(MEMORY_BYTES);
	assert_int_equal(rate_table_attach(&table, memory, MEMORY_BYTES), RATE_TABLE_NEW);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(memory, MEMORY_BYTES);
	return 0;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 20;
}

static struct address v4(uint32_t number)
{
	return address_from_v4(
		(uint8_t[]){(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number});
}

static struct rate_limits limits_of(uint64_t source, uint64_t network, uint64_t region, uint64_t seconds)
{
	return (struct rate_limits){{rate_limit_make(source, source * seconds),
				     rate_limit_make(network, network * seconds),
				     rate_limit_make(region, region * seconds)}};
}

static unsigned admit(struct address source, const struct rate_limits *limits, uint64_t cost, uint64_t now_us)
{
	struct rate_key key = rate_key_make(&table, &source, 0);
	return rate_table_admit(&key, limits, cost, now_us);
}

static void attaching_tells_what_was_found(void **state)
{
	(void)state;
	struct rate_table again;
	assert_int_equal(rate_table_attach(&again, memory, MEMORY_BYTES), RATE_TABLE_KEPT);
	assert_memory_equal(&again, &table, sizeof(table));
	assert_int_equal(rate_table_attach(&again, memory, MEMORY_BYTES / 2), RATE_TABLE_RESET);
	memory[9] ^= 1;
	assert_int_equal(rate_table_attach(&again, memory, MEMORY_BYTES / 2), RATE_TABLE_RESET);
	assert_int_equal(rate_table_attach(&again, memory, RATE_TABLE_MIN_BYTES - 1), -EINVAL);
	assert_int_equal(rate_table_attach(&again, memory + 8, MEMORY_BYTES / 2), -EINVAL);
}

/* A source alone fares as with the plain algorithm: the debt falls by a second a second, and what is admitted is added.
 */
static void decisions_are_those_of_the_plain_algorithm(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (uint64_t round = 0; round < 50; round++) {
		uint64_t per_second = 1 + next_random(&seed) % 100000, seconds = 1 + next_random(&seed) % 20;
		struct rate_limits limits = {{rate_limit_make(per_second, per_second * seconds)}};
		double debt = 0, per_us = (double)per_second / 1e6, burst = (double)(per_second * seconds);
		uint64_t now = next_random(&seed);
		for (int i = 0; i < 2000; i++) {
			uint64_t pause = next_random(&seed) % 200000, cost = next_random(&seed) % (per_second / 2 + 2);
			now += pause;
			debt -= (double)pause * per_us;
			debt = debt < 0 ? 0 : debt;
			double over = debt + (double)cost - burst, unsure = 1 + (double)i * per_us;
			unsigned answer = admit(v4((uint32_t)round), &limits, cost, now);
			if (debt > unsure && over > unsure)
				assert_int_equal(answer, 1);
			if (over < -unsure)
				assert_int_equal(answer, RATE_ADMITTED);
			debt += answer == RATE_ADMITTED ? (double)cost : 0;
		}
	}
}

static void who_insists_is_held_at_the_limit(void **state)
{
	(void)state;
	struct rate_limits limits = limits_of(10 * 1000, 100 * 1000, 0, 2);
	unsigned admitted = 0;
	for (uint64_t i = 0; i < 100 * 1000; i++)
		admitted += admit(v4(1), &limits, 1000, i * 1000) == RATE_ADMITTED;
	/* 10 a second for 100 seconds, and 20 at once */
	assert_in_range(admitted, 1000 + 20 - 2, 1000 + 20 + 2);
}

static void costs_smaller_than_a_tick_are_not_rounded_up(void **state)
{
	(void)state;
	struct rate_limits limits = {{rate_limit_make(50 * 1000000, 0)}};
	struct address source = v4(1);
	struct rate_key key = rate_key_make(&table, &source, 0);
	/* 55 units each microsecond, of which 50 are paid: a tenth of a microsecond more is owed each time */
	for (uint64_t i = 0; i < 200000; i++)
		rate_table_charge(&key, &limits, 55, SECOND + i);
	assert_in_range(rate_table_debt_us(&key, 0, SECOND + 200000), 19000, 21000);
}

static void prefixes_have_limits_of_their_own(void **state)
{
	(void)state;
	struct rate_limits limits = limits_of(1000, 100 * 1000, 1000 * 1000, 1);
	for (uint32_t i = 0; i < 256; i++)
		assert_int_equal(admit(v4(0xc0000200 + i), &limits, 1000, SECOND), i < 100 ? RATE_ADMITTED : 2);
	assert_int_equal(admit(v4(0xc0000300), &limits, 1000, SECOND), RATE_ADMITTED);
	for (uint32_t i = 0; i < 100 * 100; i++)
		admit(v4(0xc0010000 + i), &limits, 1000, SECOND);
	assert_int_equal(admit(v4(0xc001ff00), &limits, 1000, SECOND), 3);
	assert_int_equal(admit(v4(0xc002ff00), &limits, 1000, SECOND), RATE_ADMITTED);
}

static void a_network_of_ipv6_counts_as_one(void **state)
{
	(void)state;
	struct rate_limits limits = limits_of(1000, 1000, 1000 * 1000, 1);
	uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
	bytes[15] = 1;
	assert_int_equal(admit(address_from_v6(bytes), &limits, 1000, SECOND), RATE_ADMITTED);
	bytes[15] = 2;
	assert_int_equal(admit(address_from_v6(bytes), &limits, 1000, SECOND), 2);
	/* Of 5,000 networks two may share a tag, once in some hundred runs. */
	unsigned admitted = 0, by_region = 0;
	for (uint32_t i = 1; i < 5000; i++) {
		bytes[6] = (uint8_t)(i >> 8);
		bytes[7] = (uint8_t)i;
		unsigned answer = admit(address_from_v6(bytes), &limits, 1000, SECOND);
		admitted += answer == RATE_ADMITTED;
		by_region += answer == 3;
	}
	assert_int_equal(admitted, 999);
	assert_in_range(by_region, 3998, 4000);
	bytes[5] = 1;
	assert_int_equal(admit(address_from_v6(bytes), &limits, 1000, SECOND), RATE_ADMITTED);
}

static void neighbours_do_not_pay_for_what_was_refused(void **state)
{
	(void)state;
	struct rate_limits limits = limits_of(1000, 5000, 50000, 1);
	for (uint64_t i = 0; i < 1000; i++)
		admit(v4(0xc0000201), &limits, 1000, SECOND + i);
	for (uint32_t i = 2; i < 6; i++)
		assert_int_equal(admit(v4(0xc0000200 + i), &limits, 1000, SECOND + 1000), RATE_ADMITTED);
}

static void scopes_are_apart(void **state)
{
	(void)state;
	struct rate_limits limits = limits_of(1000, 0, 0, 1);
	struct address source = v4(1);
	struct rate_key one = rate_key_make(&table, &source, 1), two = rate_key_make(&table, &source, 2);
	assert_int_equal(rate_table_admit(&one, &limits, 1000, SECOND), RATE_ADMITTED);
	assert_int_equal(rate_table_admit(&one, &limits, 1000, SECOND), 1);
	assert_int_equal(rate_table_admit(&two, &limits, 1000, SECOND), RATE_ADMITTED);
}

static void what_a_request_cost_is_charged_afterwards(void **state)
{
	(void)state;
	struct rate_limits limits = limits_of(SECOND / 2, 0, 0, 2);
	struct address source = v4(1);
	struct rate_key key = rate_key_make(&table, &source, 0);
	assert_int_equal(rate_table_admit(&key, &limits, 100, SECOND), RATE_ADMITTED);
	rate_table_charge(&key, &limits, 3 * SECOND, 4 * SECOND);
	assert_int_equal(rate_table_debt_us(&key, 0, 4 * SECOND), 6 * SECOND);
	assert_int_equal(rate_table_admit(&key, &limits, 100, 4 * SECOND), 1);
	assert_int_equal(rate_table_admit(&key, &limits, 100, 9 * SECOND), RATE_ADMITTED);
	rate_table_charge(&key, &limits, UINT64_MAX, 9 * SECOND);
	assert_int_equal(rate_table_debt_us(&key, 0, 9 * SECOND), RATE_DEBT_MOST_US);
}

static void no_limit_is_no_limit(void **state)
{
	(void)state;
	struct rate_limits none = {{rate_limit_make(0, 5)}};
	for (int i = 0; i < 1000; i++)
		assert_int_equal(admit(v4(1), &none, UINT64_MAX, SECOND), RATE_ADMITTED);
	assert_int_equal(rate_table_facts(&table, 0, UINT64_MAX, SECOND).debtors, 0);
}

/* Fifty times more sources than the table has places, all of them in debt: nobody else pays, and one offender is held.
 */
static void a_full_table_sheds_the_light_and_holds_the_heavy(void **state)
{
	(void)state;
	struct rate_table small;
	assert_int_equal(rate_table_attach(&small, memory, RATE_TABLE_MIN_BYTES), RATE_TABLE_RESET);
	struct rate_limits limits = limits_of(10 * 1000, 0, 0, 2);
	unsigned refused = 0, admitted = 0;
	uint64_t now = 0;
	for (uint32_t i = 0; i < 200 * 1000; i++, now += 500) {
		struct address light = v4(0x0a000000 + i % 25000), heavy = v4(1);
		struct rate_key key = rate_key_make(&small, &light, 0);
		refused += rate_table_admit(&key, &limits, 1000, now) != RATE_ADMITTED;
		key = rate_key_make(&small, &heavy, 0);
		if (i % 10 == 0)
			admitted += rate_table_admit(&key, &limits, 1000, now) == RATE_ADMITTED;
	}
	assert_int_equal(refused, 0);
	assert_in_range(admitted, 1000, 1100);
	struct rate_table_facts facts = rate_table_facts(&small, 0, UINT64_MAX, now);
	assert_int_equal(facts.places, RATE_TABLE_MIN_BYTES / 8 - 512);
	assert_in_range(facts.debtors, 1, facts.places);
}

static void any_content_is_survived_and_forgotten(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (size_t i = 4096; i < MEMORY_BYTES; i++)
		memory[i] = (uint8_t)next_random(&seed);
	struct rate_limits limits = limits_of(1000, 0, 0, 10);
	unsigned refused = 0;
	for (uint32_t i = 0; i < 100000; i++)
		refused += admit(v4(i), &limits, 1000, SECOND) != RATE_ADMITTED;
	assert_in_range(refused, 0, 100);
}

static void time_goes_round(void **state)
{
	(void)state;
	struct rate_limits limits = limits_of(1000, 0, 0, 1);
	uint64_t near = ((uint64_t)1 << 44) - 500000;
	assert_int_equal(admit(v4(1), &limits, 1000, near), RATE_ADMITTED);
	assert_int_equal(admit(v4(1), &limits, 1000, near + 600000), 1);
	assert_int_equal(admit(v4(1), &limits, 1000, near + 1000001), RATE_ADMITTED);
	/* a hundred days on */
	assert_int_equal(admit(v4(1), &limits, 1000, near + 8640000 * SECOND), RATE_ADMITTED);
}

/* ---- several processes ---- */

struct meeting {
	uint64_t now_us;
	uint64_t admitted[2];
};

static void insist(struct meeting *meeting, unsigned who, uint64_t times)
{
	struct rate_limits limits = limits_of(1000 * 1000, 0, 0, 1);
	for (uint64_t i = 0; i < times; i++) {
		uint64_t now = __atomic_add_fetch(&meeting->now_us, 10, __ATOMIC_RELAXED);
		if (admit(v4(1), &limits, 1000, now) == RATE_ADMITTED)
			__atomic_add_fetch(&meeting->admitted[who], 1, __ATOMIC_RELAXED);
	}
}

static pid_t insist_in_child(struct meeting *meeting, uint64_t times)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		insist(meeting, 1, times);
		_exit(0);
	}
	return child;
}

static void processes_share_one_limit(void **state)
{
	(void)state;
	struct meeting *meeting = shared_memory(sizeof(*meeting));
	pid_t child = insist_in_child(meeting, 1000000);
	insist(meeting, 0, 1000000);
	assert_int_equal(waitpid(child, NULL, 0), child);
	/* 20 seconds at 1,000 a second, and 1,000 at once; each may overtake the other now and then */
	assert_in_range(meeting->admitted[0] + meeting->admitted[1], 20900, 21500);
	munmap(meeting, sizeof(*meeting));
}

static void a_killed_process_leaves_nothing_shut(void **state)
{
	(void)state;
	struct meeting *meeting = shared_memory(sizeof(*meeting));
	uint64_t seed = 3;
	for (unsigned round = 0; round < 100; round++) {
		pid_t child = insist_in_child(meeting, UINT64_MAX);
		insist(meeting, 0, next_random(&seed) % 3000);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	uint64_t before = meeting->admitted[0];
	insist(meeting, 0, 500000);
	assert_in_range(meeting->admitted[0] - before, 4990, 6010);
	munmap(meeting, sizeof(*meeting));
}

#define rate_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

TEST_MAIN(rate_test(attaching_tells_what_was_found), rate_test(decisions_are_those_of_the_plain_algorithm),
	  rate_test(who_insists_is_held_at_the_limit), rate_test(costs_smaller_than_a_tick_are_not_rounded_up),
	  rate_test(prefixes_have_limits_of_their_own), rate_test(a_network_of_ipv6_counts_as_one),
	  rate_test(neighbours_do_not_pay_for_what_was_refused), rate_test(scopes_are_apart),
	  rate_test(what_a_request_cost_is_charged_afterwards), rate_test(no_limit_is_no_limit),
	  rate_test(a_full_table_sheds_the_light_and_holds_the_heavy), rate_test(any_content_is_survived_and_forgotten),
	  rate_test(time_goes_round), rate_test(processes_share_one_limit),
	  rate_test(a_killed_process_leaves_nothing_shut))
