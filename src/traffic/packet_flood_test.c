#include "traffic/packet_flood.h"

#include "base/test.h"

enum { TICK_MS = 100, BEGAN_MS = 1000000 };

struct world {
	struct packet_flood flood;
	enum packet_flood_kind kind;
	struct packet_figures figures;
	uint64_t now_ms;
	unsigned changes[PACKET_OVER + 1];
	uint64_t last_ms[PACKET_OVER + 1]; /* when it was so last */
};

static struct world world_of(enum packet_flood_kind kind)
{
	return (struct world){.kind = kind, .figures = {.known = 1, .held = 1, .packets = 5000000}, .now_ms = BEGAN_MS};
}

/* So many packets a second for so long, of which so many become connections a tick later. */
static void pass(struct world *w, unsigned per_s, unsigned connections_per_s, unsigned ms)
{
	for (unsigned at = 0; at < ms; at += TICK_MS) {
		w->now_ms += TICK_MS;
		w->figures.packets += per_s * TICK_MS / 1000;
		w->figures.connections += at > 0 ? connections_per_s * TICK_MS / 1000 : 0;
		enum packet_change change = packet_flood_feed(&w->flood, w->kind, &w->figures, w->now_ms);
		w->changes[change]++;
		w->last_ms[change] = w->now_ms;
	}
}

static void a_flood_is_told_within_half_a_second(void **state)
{
	(void)state;
	static const unsigned rates[] = {1000, 5000, 1000000};
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct world w = world_of(PACKET_FLOOD_UDP);
		pass(&w, 0, 0, 10000);
		uint64_t onset_ms = w.now_ms;
		pass(&w, rates[i], 0, 500);
		assert_true(w.flood.on);
		assert_int_equal(w.flood.onset_ms, onset_ms);
		assert_true(w.flood.detected_ms <= onset_ms + 500);
		pass(&w, rates[i], 0, 5000);
		assert_int_equal(w.changes[PACKET_BEGINS], 1);
		assert_int_equal(w.changes[PACKET_HELD], 1);
		assert_true(w.flood.packets >= rates[i] * 5 && w.flood.packets <= rates[i] * 6);
		assert_true(w.flood.peak > 0.95 * rates[i] && w.flood.peak < 1.05 * rates[i]);
	}
}

static void a_few_are_let_be_for_ever(void **state)
{
	(void)state;
	struct world w = world_of(PACKET_FLOOD_FRAGMENTS);
	pass(&w, PACKET_FLOOD_LET_BE, 0, 60 * 60 * 1000);
	pass(&w, PACKET_FLOOD_ALARM - 100, 0, 1000);
	pass(&w, 0, 0, 10000);
	pass(&w, PACKET_FLOOD_ALARM - 100, 0, 1000);
	assert_int_equal(w.changes[PACKET_BEGINS], 0);
	/* and more than these are told in the end */
	pass(&w, 2 * PACKET_FLOOD_LET_BE, 0, 9000);
	assert_int_equal(w.changes[PACKET_BEGINS], 1);
}

/* What a counter says when it is first seen, after a gap, or anew, is no flood of this moment. */
static void sums_that_jump_are_no_flood(void **state)
{
	(void)state;
	struct world w = world_of(PACKET_FLOOD_MALFORMED);
	pass(&w, 0, 0, 1000);
	w.figures.packets = 3;
	pass(&w, 0, 0, 1000);
	w.figures.known = 0;
	pass(&w, 0, 0, 1000);
	w.figures = (struct packet_figures){.known = 1, .held = 1, .packets = 900000000};
	pass(&w, 0, 0, 1000);
	assert_int_equal(w.changes[PACKET_BEGINS], 0);
}

static void it_is_over_when_it_has_stayed_low(void **state)
{
	(void)state;
	struct world w = world_of(PACKET_FLOOD_UDP);
	pass(&w, 0, 0, 1000);
	/* it pauses and returns: one */
	for (unsigned i = 0; i < 4; i++) {
		pass(&w, 100000, 0, 20000);
		pass(&w, 0, 0, 20000);
	}
	assert_int_equal(w.changes[PACKET_BEGINS], 1);
	assert_int_equal(w.changes[PACKET_OVER], 0);
	uint64_t ended_ms = w.now_ms - 20000;
	/* what is left is next to nothing of what it was */
	pass(&w, 500, 0, 60000);
	assert_int_equal(w.changes[PACKET_OVER], 1);
	assert_true(w.last_ms[PACKET_OVER] > ended_ms + PACKET_FLOOD_HOLD_MS);
	assert_true(w.last_ms[PACKET_OVER] < ended_ms + PACKET_FLOOD_HOLD_MS + 10000);
	/* one that comes back is held on to longer */
	pass(&w, 0, 0, 60000);
	pass(&w, 100000, 0, 5000);
	assert_int_equal(w.changes[PACKET_BEGINS], 2);
	pass(&w, 0, 0, 2 * PACKET_FLOOD_HOLD_MS - 5000);
	assert_int_equal(w.changes[PACKET_OVER], 1);
	pass(&w, 0, 0, 20000);
	assert_int_equal(w.changes[PACKET_OVER], 2);
}

static void an_edge_that_is_gone_ends_it(void **state)
{
	(void)state;
	struct world w = world_of(PACKET_FLOOD_UDP);
	pass(&w, 0, 0, 1000);
	pass(&w, 100000, 0, 5000);
	w.figures.known = 0;
	pass(&w, 0, 0, PACKET_FLOOD_HOLD_MS + 1000);
	assert_int_equal(w.changes[PACKET_OVER], 1);
}

static void a_crowd_is_no_flood_of_syns(void **state)
{
	(void)state;
	struct world w = world_of(PACKET_FLOOD_SYN);
	pass(&w, 0, 0, 1000);
	pass(&w, 20000, 20000, 60000);
	assert_int_equal(w.changes[PACKET_BEGINS], 0);
	pass(&w, 0, 300, 1000);
	uint64_t onset_ms = w.now_ms;
	pass(&w, 100000, 300, 5000);
	assert_int_equal(w.flood.onset_ms, onset_ms);
	assert_true(w.flood.detected_ms <= onset_ms + 800);
	assert_int_equal(w.changes[PACKET_BEGINS], 1);
	assert_int_equal(w.changes[PACKET_HELD], 1);
	w.figures.held = 0; /* left to the kernel now */
	pass(&w, 100000, 300, 1000);
	assert_int_equal(w.changes[PACKET_ESCAPES], 1);
}

static void a_link_is_over_when_nobody_is_asked_any_more(void **state)
{
	(void)state;
	struct world w = world_of(PACKET_FLOOD_LINK);
	pass(&w, 80000, 0, 10000);
	assert_int_equal(w.changes[PACKET_BEGINS], 0);
	w.figures.full = 1;
	pass(&w, 80000, 0, 2000);
	assert_int_equal(w.changes[PACKET_BEGINS], 1);
	assert_false(w.flood.held);
	w.figures.full = 0;
	w.figures.asked = 1;
	pass(&w, 3000, 0, 2 * PACKET_FLOOD_HOLD_MS);
	assert_true(w.flood.on && w.flood.held);
	w.figures.asked = 0;
	pass(&w, 3000, 0, PACKET_FLOOD_HOLD_MS + 1000);
	assert_int_equal(w.changes[PACKET_OVER], 1);
}

static void kinds_have_names(void **state)
{
	(void)state;
	for (enum packet_flood_kind kind = 0; kind < PACKET_FLOODS; kind++)
		assert_int_equal(packet_flood_find(packet_flood_name(kind)), kind);
	assert_int_equal(packet_flood_find("teardrop"), PACKET_FLOODS);
	assert_string_equal(packet_flood_text(PACKET_FLOODS), "?");
}

TEST_MAIN(cmocka_unit_test(a_flood_is_told_within_half_a_second), cmocka_unit_test(a_few_are_let_be_for_ever),
	  cmocka_unit_test(sums_that_jump_are_no_flood), cmocka_unit_test(it_is_over_when_it_has_stayed_low),
	  cmocka_unit_test(an_edge_that_is_gone_ends_it), cmocka_unit_test(a_crowd_is_no_flood_of_syns),
	  cmocka_unit_test(a_link_is_over_when_nobody_is_asked_any_more), cmocka_unit_test(kinds_have_names))
