#include "limit/connection_counts.h"

#include "base/error.h"
#include "base/test.h"

#include <signal.h>
#include <sys/wait.h>

enum { SHARES = 4, CONNECTIONS = 500 };

static struct connection_counts counts;
static void *memory;
static size_t bytes;

static int set_up(void **state)
{
	(void)state;
	bytes = connection_counts_bytes(SHARES, CONNECTIONS);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	assert_int_equal(connection_counts_attach(&counts, memory, bytes, SHARES, CONNECTIONS), CONNECTION_COUNTS_NEW);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(memory, bytes);
	return 0;
}

static bool all_live(uint64_t owner, void *context)
{
	(void)owner;
	(void)context;
	return true;
}

static bool all_but(uint64_t owner, void *context)
{
	return owner != *(uint64_t *)context;
}

static struct address v4(uint32_t number)
{
	return address_from_v4(
		(uint8_t[]){(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number});
}

static uint32_t open_of(uint32_t number, unsigned level)
{
	struct address source = v4(number);
	return connection_counts_of(&counts, &source).open[level];
}

static struct connection_counts joined(uint64_t owner)
{
	struct connection_counts worker = counts;
	assert_int_equal(connection_counts_join(&worker, owner, all_live, NULL), 0);
	return worker;
}

static struct connection_ticket opened(struct connection_counts *worker, uint32_t number)
{
	struct connection_ticket ticket;
	struct address source = v4(number);
	assert_int_equal(connection_counts_open(worker, &source, &ticket), 0);
	return ticket;
}

static void attaching_tells_what_was_found(void **state)
{
	(void)state;
	struct connection_counts again;
	assert_int_equal(connection_counts_attach(&again, memory, bytes, SHARES, CONNECTIONS), CONNECTION_COUNTS_KEPT);
	assert_int_equal(connection_counts_attach(&again, memory, bytes, SHARES, CONNECTIONS - 1),
			 CONNECTION_COUNTS_RESET);
	assert_int_equal(connection_counts_attach(&again, memory, bytes - 1, SHARES, CONNECTIONS), -EINVAL);
	assert_int_equal(connection_counts_attach(&again, memory, bytes, 0, CONNECTIONS), -EINVAL);
	assert_int_equal(connection_counts_attach(&again, (uint8_t *)memory + 8, bytes, 1, 10), -EINVAL);
}

static void workers_count_together(void **state)
{
	(void)state;
	struct connection_counts one = joined(1), two = joined(2);
	struct connection_ticket a = opened(&one, 0xc0000201), b = opened(&two, 0xc0000201),
				 c = opened(&two, 0xc0000202);
	assert_int_equal(open_of(0xc0000201, 0), 2);
	assert_int_equal(open_of(0xc0000201, 1), 3);
	assert_int_equal(open_of(0xc0000301, 1), 0);
	assert_int_equal(open_of(0xc0000301, 2), 3);
	connection_counts_close(&one, &a);
	connection_counts_close(&one, &a); /* an empty ticket by now */
	assert_int_equal(open_of(0xc0000201, 0), 1);
	connection_counts_close(&two, &b);
	connection_counts_close(&two, &c);
	assert_int_equal(open_of(0xc0000201, 2), 0);
	assert_int_equal(connection_counts_all(&counts), 0);
}

/* As many sources as there may be connections, opened and closed in any order, against plain counting. */
static void counts_are_exact(void **state)
{
	(void)state;
	struct connection_counts worker = joined(1);
	static struct connection_ticket tickets[CONNECTIONS];
	static uint32_t source[CONNECTIONS], plain[3 * 256];
	uint32_t seed = 1, open = 0;
	for (unsigned round = 0; round < 100000; round++) {
		seed = seed * 1664525 + 1013904223;
		uint32_t i = (seed >> 8) % CONNECTIONS;
		if (tickets[i].slot[0] != 0) {
			connection_counts_close(&worker, &tickets[i]);
			plain[source[i]]--;
			open--;
		} else {
			source[i] = (seed >> 18) % (3 * 256);
			tickets[i] = opened(&worker, 0x0a000000 + (source[i] << 12));
			plain[source[i]]++;
			open++;
		}
		uint32_t other = (seed >> 9) % (3 * 256);
		assert_int_equal(open_of(0x0a000000 + (other << 12), 0), plain[other]);
		if (round % 1000 == 0)
			assert_int_equal(connection_counts_all(&counts), open);
	}
}

static void a_share_holds_all_its_connections_and_no_more(void **state)
{
	(void)state;
	struct connection_counts worker = joined(1);
	static struct connection_ticket tickets[CONNECTIONS + 1];
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		tickets[i] = opened(&worker, i * 2654435769u);
	struct address source = v4(1);
	assert_int_equal(connection_counts_open(&worker, &source, &tickets[CONNECTIONS]), CONNECTION_COUNTS_FULL);
	connection_counts_close(&worker, &tickets[CONNECTIONS]);
	assert_int_equal(connection_counts_all(&counts), CONNECTIONS);
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		assert_int_equal(open_of(i * 2654435769u, 0), 1);
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		connection_counts_close(&worker, &tickets[i]);
	uint8_t *shares = (uint8_t *)counts.buckets;
	for (size_t i = 0; i < counts.share_buckets * 64; i++)
		assert_int_equal(shares[i], 0);
}

static void what_the_dead_had_open_is_forgotten(void **state)
{
	(void)state;
	struct connection_counts one = joined(1), two = joined(2);
	opened(&one, 1);
	opened(&two, 1);
	uint64_t dead = 1;
	connection_counts_bury(&two, all_but, &dead);
	assert_int_equal(open_of(1, 0), 1);
	struct connection_counts three = joined(3);
	assert_int_equal(open_of(1, 0), 1);
	opened(&three, 1);
	assert_int_equal(open_of(1, 0), 2);
	connection_counts_leave(&two);
	assert_int_equal(open_of(1, 0), 1);
}

static void a_share_of_the_dead_is_taken(void **state)
{
	(void)state;
	for (uint64_t owner = 1; owner <= SHARES; owner++) {
		struct connection_counts worker = joined(owner);
		opened(&worker, 1);
	}
	struct connection_counts more = counts;
	struct connection_ticket ticket;
	struct address source = v4(1);
	assert_int_equal(connection_counts_join(&more, 9, all_live, NULL), CONNECTION_COUNTS_FULL);
	assert_int_equal(connection_counts_open(&more, &source, &ticket), CONNECTION_COUNTS_FULL);
	uint64_t dead = 3;
	assert_int_equal(connection_counts_join(&more, 9, all_but, &dead), 0);
	assert_int_equal(open_of(1, 0), SHARES - 1);
}

/* ---- killed at any instruction ---- */

enum { OURS = 1, FIRST_CHILD }; /* numbers of their own: another process may have the dead one's pid by now */

static bool is_ours(uint64_t owner, void *context)
{
	(void)context;
	return owner == OURS;
}

static void open_and_close_for_ever(uint64_t owner)
{
	struct connection_counts worker = counts;
	if (connection_counts_join(&worker, owner, is_ours, NULL) != 0)
		_exit(1);
	static struct connection_ticket tickets[CONNECTIONS];
	for (uint32_t i = 0;; i++) {
		struct connection_ticket *ticket = &tickets[i * 7919 % CONNECTIONS];
		struct address source = v4(0x0a000000 + i % 3000);
		if (ticket->slot[0] != 0)
			connection_counts_close(&worker, ticket);
		else if (connection_counts_open(&worker, &source, ticket) != 0)
			_exit(1);
	}
}

static void killed_workers_leave_no_trace(void **state)
{
	(void)state;
	struct connection_counts own = joined(OURS);
	struct connection_ticket ticket = opened(&own, 0x0a000001);
	for (unsigned round = 0; round < 100; round++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			open_and_close_for_ever(FIRST_CHILD + round);
		/* One at least comes to count; of the others some are killed before, on a busy machine most. */
		while (round == 0 && connection_counts_all(&own) < 2)
			usleep(100);
		usleep(200 + round * 37 % 1000);
		assert_int_equal(kill(child, SIGKILL), 0);
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
	}
	connection_counts_bury(&own, is_ours, NULL);
	assert_int_equal(connection_counts_all(&own), 1);
	assert_int_equal(open_of(0x0a000001, 0), 1);
	connection_counts_close(&own, &ticket);
	assert_int_equal(connection_counts_all(&own), 0);
}

#define counts_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

TEST_MAIN(counts_test(attaching_tells_what_was_found), counts_test(workers_count_together),
	  counts_test(counts_are_exact), counts_test(a_share_holds_all_its_connections_and_no_more),
	  counts_test(what_the_dead_had_open_is_forgotten), counts_test(a_share_of_the_dead_is_taken),
	  counts_test(killed_workers_leave_no_trace))
