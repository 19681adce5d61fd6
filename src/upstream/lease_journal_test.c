#include "upstream/lease_journal.h"
#include "upstream/test_leases.h"

static int replay(struct bench *into, struct slice journal, uint64_t now_ms)
{
	bench_open(into);
	return lease_journal_read(into->book, journal, SLICE("boot-1"), now_ms, &into->sink);
}

static void a_killed_keeper_goes_on(void **state)
{
	struct bench b, next;
	uint32_t udp, icmp, gone;
	(void)state;
	bench_open(&b);
	lease_journal_write(b.book, SLICE("boot-1"), &b.journal);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 50000, 1000, &udp), 0);
	assert_int_equal(ask(&b, ICMP, 11000, 1000, &icmp), 0);
	assert_int_equal(ask(&b,
			     "flow route { match { destination 192.0.2.12/32; protocol [ =1 ]; } then { discard; } }",
			     50000, 1000, &gone),
			 0);
	assert_int_equal(lease_end(b.book, gone, &b.sink), 0);
	struct slice journal = buffer_slice(&b.journal);

	/* Back at once: what holds is said again, what was ending is ended. */
	assert_int_equal(replay(&next, journal, 2000), 0);
	wrote(&next,
	      ONE "announce " UDP "\n" ONE "announce " ICMP "\n" ONE
		  "withdraw flow route { match { destination 192.0.2.12/32; protocol [ =1 ]; } then { discard; } }\n");
	const struct lease *leases;
	assert_int_equal(lease_list(next.book, &leases), 2);
	assert_string_equal(leases[0].why, "a flood?of?");
	assert_int_equal(leases[0].by, 7);
	bench_close(&next);
	/* Back after one has ended, or when the hold has lapsed, or with another agreement. */
	assert_int_equal(replay(&next, journal, 12000), 0);
	assert_non_null(strstr((char *)next.lines.ptr, ONE "withdraw " ICMP));
	assert_non_null(strstr((char *)next.lines.ptr, ONE "announce " UDP));
	bench_close(&next);
	assert_int_equal(replay(&next, journal, 26000), 0);
	assert_null(memmem(next.lines.ptr, next.lines.len, "announce", 8));
	wrote(&next,
	      ONE "withdraw " UDP "\n" ONE "withdraw " ICMP "\n" ONE
		  "withdraw flow route { match { destination 192.0.2.12/32; protocol [ =1 ]; } then { discard; } }\n");
	assert_int_equal(lease_list(next.book, &leases), 0);
	bench_close(&next);
	/* Another start of the machine: the session is another, too. */
	bench_open(&next);
	assert_int_equal(lease_journal_read(next.book, journal, SLICE("boot-2"), 2000, &next.sink), 0);
	wrote(&next, "");
	bench_close(&next);
	/* Wherever it was cut: no line of it is half believed. */
	for (size_t at = 0; at < journal.len; at++) {
		struct slice cut = test_fenced(slice_sub(journal, 0, at));
		int r = replay(&next, cut, 2000);
		assert_true(r == 0 || (r == LEASE_JOURNAL_BAD && slice_find_byte(cut, '\n', 0) == cut.len));
		bench_close(&next);
	}
	bench_close(&b);
}

static void what_was_to_be_lifted_is_lifted_by_the_next_life(void **state)
{
	struct bench b, next;
	uint32_t id;
	const struct lease *leases;
	(void)state;
	bench_open(&b);
	lease_journal_write(b.book, SLICE("boot-1"), &b.journal);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 50000, 1000, &id), 0);
	assert_int_equal(lease_lift(b.book, id, &b.sink), 0);
	assert_int_equal(replay(&next, buffer_slice(&b.journal), 2000), 0);
	wrote(&next, ONE "withdraw " UDP "\n");
	assert_true(lease_list(next.book, &leases) == 1 && leases[0].state == LEASE_LIFTED);
	assert_int_equal(lease_raise(next.book, id, 2000, &next.sink), 0);
	wrote(&next, ONE "announce " UDP "\n");
	bench_close(&next);
	bench_close(&b);
}

/* What it may have announced in the keeper's life before is not left there. */
static void what_the_next_life_cannot_announce_is_withdrawn(void **state)
{
	struct bench b, next;
	uint32_t id;
	const struct lease *leases;
	(void)state;
	bench_open(&b);
	lease_journal_write(b.book, SLICE("boot-1"), &b.journal);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 50000, 1000, &id), 0);
	assert_int_equal(replay(&next, buffer_slice(&b.journal), 2000), 0);
	lease_answered(next.book, false, 2000, &next.sink);
	is_ending(&next, 2000);
	wrote(&next, ONE "announce " UDP "\n" ONE "withdraw " UDP "\n");
	assert_int_equal(lease_list(next.book, &leases), 0);
	bench_close(&next);
	bench_close(&b);
}

static void what_was_asked_anew_does_not_flap(void **state)
{
	struct bench b, next;
	uint32_t id;
	(void)state;
	bench_open(&b);
	lease_journal_write(b.book, SLICE("boot-1"), &b.journal);
	lease_hold(b.book, 1000, &b.sink);
	assert_int_equal(ask(&b, UDP, 50000, 1000, &id), 0);
	assert_int_equal(lease_end(b.book, id, &b.sink), 0);
	assert_int_equal(ask(&b, UDP, 50000, 1000, &id), 0);
	assert_int_equal(replay(&next, buffer_slice(&b.journal), 2000), 0);
	wrote(&next, ONE "announce " UDP "\n");
	bench_close(&next);
	bench_close(&b);
}

static void nonsense_in_a_journal_is_told(void **state)
{
	static const char *const rows[] = {
		"guia-leases 2 boot-1\n",
		"nonsense\n",
		"guia-leases 1 boot-1\nnonsense\n",
		"guia-leases 1 boot-1\nlease\t1\t1\t99999\t-\t0\tone\tannounced\twhy\t" UDP "\n",
		"guia-leases 1 boot-1\nlease\t0\t1\t99999\t-\t0\tannounced\tone\twhy\t" UDP "\n",
		"guia-leases 1 boot-1\nlease\t1\t1\t99999999999999999999\t-\t0\tannounced\tone\twhy\t" UDP "\n",
		"guia-leases 1 boot-1\nheld\t-1\n",
		"guia-leases 1 boot-1\nlease\t1\t1\t99999\t-\t0\tannounced\tone\twhy\troute 192.0.2.1/32\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		if (replay(&b, test_fenced(slice_from_string(rows[i])), 2000) != LEASE_JOURNAL_BAD)
			fail_msg("believed: %s", rows[i]);
		bench_close(&b);
	}
	/* What the guard of today does not pass is withdrawn, whatever the journal says. */
	struct bench b;
	assert_int_equal(
		replay(&b,
		       SLICE("guia-leases 1 boot-1\nheld\t1000\nlease\t1\t1\t99999\t-\t0\tannounced\tone\twhy\tflow "
			     "route { match { destination 192.0.2.10/32; } then { discard; } }\n"),
		       2000),
		0);
	wrote(&b, ONE "withdraw flow route { match { destination 192.0.2.10/32; } then { discard; } }\n");
	bench_close(&b);
}

TEST_MAIN(cmocka_unit_test(a_killed_keeper_goes_on), cmocka_unit_test(what_was_to_be_lifted_is_lifted_by_the_next_life),
	  cmocka_unit_test(what_the_next_life_cannot_announce_is_withdrawn),
	  cmocka_unit_test(what_was_asked_anew_does_not_flap), cmocka_unit_test(nonsense_in_a_journal_is_told))
