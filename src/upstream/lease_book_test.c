#include "upstream/test_leases.h"

static void leases_end_by_themselves(void **state)
{
	struct bench b;
	uint32_t id, other;
	(void)state;
	bench_open(&b);
	assert_int_equal(ask(&b, UDP, 60000, 1000, &id), LEASE_UNHELD);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 11000, 1000, &id), 0);
	assert_int_equal(ask(&b, ICMP, 60000, 1000, &other), 0);
	wrote(&b, ONE "announce " UDP "\n" ONE "announce " ICMP "\n");
	assert_int_equal(lease_tick(b.book, 1000, &b.sink), 11000);
	assert_int_equal(lease_tick(b.book, 11000, &b.sink), 26000);
	wrote(&b, ONE "withdraw " UDP "\n");
	lease_hold(b.book, 20000, &b.sink);
	assert_int_equal(lease_tick(b.book, 26000, &b.sink), 45000);
	wrote(&b, "");
	/* The hold is not renewed. */
	(void)lease_tick(b.book, 44999, &b.sink);
	wrote(&b, "");
	(void)lease_tick(b.book, 45000, &b.sink);
	wrote(&b, ONE "withdraw " ICMP "\n");
	const struct lease *leases;
	assert_int_equal(lease_list(b.book, &leases), 0);
	assert_int_equal(lease_tick(b.book, 99000, &b.sink), UINT64_MAX);
	bench_close(&b);
}

static void asking_again_gives_another_end(void **state)
{
	struct bench b;
	uint32_t id, again;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 11000, 1000, &id), 0);
	wrote(&b, ONE "announce " UDP "\n");
	assert_int_equal(ask(&b, UDP, 21000, 2000, &again), 0);
	assert_int_equal(again, id);
	wrote(&b, "");
	assert_int_equal(lease_tick(b.book, 11000, &b.sink), 21000);
	/* Another rate is another announcement of the same route. */
	assert_int_equal(
		ask(&b,
		    "flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { rate-limit 9600; } }",
		    21000, 12000, &again),
		0);
	assert_int_equal(again, id);
	wrote(&b, ONE
	      "announce flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { rate-limit 9600; } "
	      "}\n");
	assert_int_equal(lease_announced(b.book, 0), 1);
	bench_close(&b);
}

static const char *why_of(const struct lease_book *book)
{
	const struct lease *leases;
	assert_int_equal(lease_list(book, &leases), 1);
	return leases[0].why;
}

/* Whether it only ends later, is of another rate, or is lifted; and the next life knows it too. */
static void asked_again_without_a_reason_it_has_the_one_before(void **state)
{
	static const char *const again[] = {
		UDP, "flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { rate-limit 9600; } }",
		UDP};
	struct bench b;
	uint32_t id, first;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask_why(&b, UDP, "a flood", 11000, 1000, &first), 0);
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
		if (i == 2)
			assert_int_equal(lease_lift(b.book, first, &b.sink), 0);
		b.journal.len = 0;
		assert_int_equal(ask_why(&b, again[i], "", 12000 + i, 2000 + i, &id), 0);
		assert_int_equal(id, first);
		assert_string_equal(why_of(b.book), "a flood");
		assert_non_null(memmem(b.journal.ptr, b.journal.len, "\ta flood\t", 9));
	}
	assert_int_equal(ask_why(&b, UDP, "another", 13000, 3000, &id), 0);
	assert_string_equal(why_of(b.book), "another");
	/* What ended has no reason to leave. */
	assert_int_equal(lease_end(b.book, id, &b.sink), 0);
	while (lease_unanswered(b.book) > 0)
		lease_answered(b.book, true, 3000, &b.sink);
	assert_int_equal(ask_why(&b, UDP, "", 13000, 3000, &id), 0);
	assert_string_equal(why_of(b.book), "");
	bench_close(&b);
}

static void lifted_ones_are_raised_or_end(void **state)
{
	struct bench b;
	uint32_t id;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 11000, 1000, &id), 0);
	assert_int_equal(lease_raise(b.book, id, 1000, &b.sink), LEASE_UNKNOWN);
	assert_int_equal(lease_lift(b.book, id, &b.sink), 0);
	assert_int_equal(lease_lift(b.book, id, &b.sink), LEASE_UNKNOWN);
	assert_int_equal(lease_raise(b.book, id, 2000, &b.sink), 0);
	wrote(&b, ONE "announce " UDP "\n" ONE "withdraw " UDP "\n" ONE "announce " UDP "\n");
	assert_int_equal(lease_lift(b.book, id, &b.sink), 0);
	wrote(&b, ONE "withdraw " UDP "\n");
	(void)lease_tick(b.book, 11000, &b.sink);
	wrote(&b, "");
	assert_int_equal(lease_raise(b.book, id, 11000, &b.sink), LEASE_UNKNOWN);
	assert_int_equal(lease_end(b.book, id, &b.sink), LEASE_UNKNOWN);
	bench_close(&b);
}

/* That ExaBGP took the withdrawal says nothing of the announcement that follows. */
static void what_is_raised_is_to_be_taken_anew(void **state)
{
	struct bench b;
	uint32_t id;
	const struct lease *leases;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 11000, 1000, &id), 0);
	wrote(&b, ONE "announce " UDP "\n");
	assert_int_equal(lease_lift(b.book, id, &b.sink), 0);
	assert_true(lease_list(b.book, &leases) == 1 && !leases[0].taken);
	wrote(&b, ONE "withdraw " UDP "\n");
	assert_true(lease_list(b.book, &leases) == 1 && leases[0].taken);
	assert_int_equal(lease_raise(b.book, id, 2000, &b.sink), 0);
	assert_true(lease_list(b.book, &leases) == 1 && !leases[0].taken);
	wrote(&b, ONE "announce " UDP "\n");
	assert_true(lease_list(b.book, &leases) == 1 && leases[0].taken);
	bench_close(&b);
}

static void what_exabgp_does_not_take_is_not_announced(void **state)
{
	struct bench b;
	uint32_t id;
	const struct lease *leases;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 20000, 1000, &id), 0);
	lease_answered(b.book, false, 1000, &b.sink);
	assert_int_equal(lease_list(b.book, &leases), 0);
	assert_int_equal(lease_announced(b.book, 0), 0);
	assert_int_equal(ask(&b, UDP, 20000, 1000, &id), 0);
	lease_answered(b.book, true, 1000, &b.sink);
	assert_true(lease_list(b.book, &leases) == 1 && leases[0].taken);
	wrote(&b, ONE "announce " UDP "\n" ONE "announce " UDP "\n");
	/* A withdrawal is said again until it is taken. */
	assert_int_equal(lease_end(b.book, id, &b.sink), 0);
	lease_answered(b.book, false, 2000, &b.sink);
	assert_int_equal(lease_tick(b.book, 2000, &b.sink), 3000);
	(void)lease_tick(b.book, 3000, &b.sink);
	wrote(&b, ONE "withdraw " UDP "\n" ONE "withdraw " UDP "\n");
	assert_int_equal(lease_list(b.book, &leases), 0);
	/* But not where it was announced anew meanwhile. */
	assert_int_equal(ask(&b, UDP, 20000, 4000, &id), 0);
	lease_answered(b.book, true, 4000, &b.sink);
	assert_int_equal(lease_end(b.book, id, &b.sink), 0);
	assert_int_equal(ask(&b, UDP, 20000, 4000, &id), 0);
	lease_answered(b.book, false, 4000, &b.sink);
	lease_answered(b.book, true, 4000, &b.sink);
	assert_int_equal(lease_tick(b.book, 9000, &b.sink), 20000);
	assert_true(lease_list(b.book, &leases) == 1 && leases[0].state == LEASE_ANNOUNCED);
	bench_close(&b);
}

/* ExaBGP goes on announcing what it took before. */
static void a_change_that_is_not_taken_leaves_nothing_announced(void **state)
{
	struct bench b;
	uint32_t id;
	const struct lease *leases;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 20000, 1000, &id), 0);
	wrote(&b, ONE "announce " UDP "\n");
	assert_int_equal(ask(&b, SLOW, 20000, 1000, &id), 0);
	lease_answered(b.book, false, 1000, &b.sink);
	is_ending(&b, 1000);
	assert_int_equal(lease_unanswered(b.book), 1);
	wrote(&b, ONE "announce " SLOW "\n" ONE "withdraw " UDP "\n");
	assert_int_equal(lease_list(b.book, &leases), 0);
	/* Both are on their way; the first is taken. */
	assert_int_equal(ask(&b, UDP, 20000, 2000, &id), 0);
	assert_int_equal(ask(&b, SLOW, 20000, 2000, &id), 0);
	lease_answered(b.book, true, 2000, &b.sink);
	lease_answered(b.book, false, 2000, &b.sink);
	is_ending(&b, 2000);
	lease_answered(b.book, false, 2000, &b.sink);
	is_ending(&b, 2000 + LEASE_RETRY_MS);
	wrote(&b, ONE "announce " UDP "\n" ONE "announce " SLOW "\n" ONE "withdraw " UDP "\n" ONE "withdraw " UDP "\n");
	assert_int_equal(lease_list(b.book, &leases), 0);
	/* Lifted and not to be raised: nothing is there. */
	assert_int_equal(ask(&b, UDP, 20000, 4000, &id), 0);
	assert_int_equal(lease_lift(b.book, id, &b.sink), 0);
	assert_int_equal(lease_raise(b.book, id, 4000, &b.sink), 0);
	lease_answered(b.book, true, 4000, &b.sink);
	lease_answered(b.book, true, 4000, &b.sink);
	lease_answered(b.book, false, 4000, &b.sink);
	assert_int_equal(lease_list(b.book, &leases), 0);
	bench_close(&b);
}

/* Neither the withdrawal of the one before is taken, nor the announcement of the next. */
static void what_an_earlier_rule_left_there_is_withdrawn_by_its_heir(void **state)
{
	struct bench b;
	uint32_t id, heir;
	const struct lease *leases;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 20000, 1000, &id), 0);
	wrote(&b, ONE "announce " UDP "\n");
	assert_int_equal(lease_end(b.book, id, &b.sink), 0);
	assert_int_equal(ask(&b, SLOW, 20000, 1000, &heir), 0);
	assert_int_not_equal(id, heir);
	lease_answered(b.book, false, 1000, &b.sink);
	lease_answered(b.book, false, 1000, &b.sink);
	is_ending(&b, 1000);
	wrote(&b, ONE "withdraw " UDP "\n" ONE "announce " SLOW "\n" ONE "withdraw " UDP "\n");
	assert_int_equal(lease_list(b.book, &leases), 0);
	bench_close(&b);
}

/* A withdrawal that was not taken is tried again, but not over a route that was asked for anew meanwhile. */
static void a_late_withdrawal_takes_nothing_from_an_heir(void **state)
{
	struct bench b;
	uint32_t id, heir;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 90000, 1000, &id), 0);
	wrote(&b, ONE "announce " UDP "\n");
	assert_int_equal(lease_end(b.book, id, &b.sink), 0);
	lease_answered(b.book, false, 2000, &b.sink);
	wrote(&b, ONE "withdraw " UDP "\n");
	assert_int_equal(ask(&b, UDP, 90000, 2000, &heir), 0);
	assert_int_not_equal(id, heir);
	wrote(&b, ONE "announce " UDP "\n");
	(void)lease_tick(b.book, 2000 + LEASE_RETRY_MS, &b.sink);
	wrote(&b, "");
	const struct lease *leases;
	assert_int_equal(lease_list(b.book, &leases), 1);
	assert_int_equal(leases[0].id, heir);
	bench_close(&b);
}

/* Nobody knows whether it is gone before ExaBGP has said so. */
static void one_that_ends_while_it_is_lifted_is_withdrawn_all_the_same(void **state)
{
	struct bench b;
	uint32_t id;
	const struct lease *leases;
	(void)state;
	bench_open(&b);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 90000, 1000, &id), 0);
	wrote(&b, ONE "announce " UDP "\n");
	assert_int_equal(lease_lift(b.book, id, &b.sink), 0);
	assert_int_equal(lease_end(b.book, id, &b.sink), 0);
	lease_answered(b.book, false, 2000, &b.sink);
	wrote(&b, ONE "withdraw " UDP "\n");
	(void)lease_tick(b.book, 2000 + LEASE_RETRY_MS, &b.sink);
	wrote(&b, ONE "withdraw " UDP "\n");
	assert_int_equal(lease_list(b.book, &leases), 0);
	bench_close(&b);
}

TEST_MAIN(cmocka_unit_test(leases_end_by_themselves), cmocka_unit_test(asking_again_gives_another_end),
	  cmocka_unit_test(asked_again_without_a_reason_it_has_the_one_before),
	  cmocka_unit_test(lifted_ones_are_raised_or_end), cmocka_unit_test(what_is_raised_is_to_be_taken_anew),
	  cmocka_unit_test(what_exabgp_does_not_take_is_not_announced),
	  cmocka_unit_test(a_change_that_is_not_taken_leaves_nothing_announced),
	  cmocka_unit_test(what_an_earlier_rule_left_there_is_withdrawn_by_its_heir),
	  cmocka_unit_test(a_late_withdrawal_takes_nothing_from_an_heir),
	  cmocka_unit_test(one_that_ends_while_it_is_lifted_is_withdrawn_all_the_same))
