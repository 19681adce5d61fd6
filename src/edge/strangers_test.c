/* Who comes first where not all can, by the compiled program. Skipped where BPF is not allowed. */
#include "edge/strangers.h"
#include "edge/test_program.h"

enum { PACKETS = 200, AHEAD = 3 /* one, and what rounding of the time may be short of */, SLOW = 2, SOURCES = 3000 };

static const char ACK[] = ETHERNET "0800"
				   "4500002800010000400600000a000001cb007101"
				   "9c4001bb00000001000000005010020400000000";

static struct address source_of(const char *text)
{
	struct prefix prefix;
	assert_true(prefix_parse(slice_from_string(text), &prefix));
	return prefix.address;
}

/* So few may come that hardly any does but what may come ahead of its time, on however slow a machine. */
static void keep_waiting(void)
{
	edge_strangers_bound(&edge, SLOW * edge.table.control->processors, now_ms() + HOUR_MS);
}

static void assert_all_pass(const char *hex)
{
	uint8_t bytes[FRAME_MOST];
	assert_int_equal(count_of(frame_of(hex, bytes), PACKETS, EDGE_CLEAN), PACKETS);
}

static void assert_few_pass(const char *hex)
{
	uint8_t bytes[FRAME_MOST];
	uint64_t began_ms = now_ms();
	unsigned over = count_of(frame_of(hex, bytes), PACKETS, EDGE_STRANGER_OVER);
	uint64_t may_pass = AHEAD + SLOW * (now_ms() - began_ms) / 1000;
	assert_in_range(over, may_pass < PACKETS ? PACKETS - may_pass : 0, PACKETS);
}

static void strangers_wait_when_it_is_said(void **state)
{
	(void)state;
	begin(UNBOUND);
	assert_all_pass(SYN);
	assert_true(edge_strangers_per_s(&edge) <= 0);
	keep_waiting();
	double per_s = edge_strangers_per_s(&edge) / edge.table.control->processors;
	assert_true(per_s > SLOW * 0.99 && per_s < SLOW * 1.01);
	assert_few_pass(SYN);
	assert_few_pass(SYN6);
	assert_all_pass(ACK); /* what is begun goes on */
	assert_all_pass(DATAGRAM);
	edge_strangers_bound(&edge, 0, now_ms() + HOUR_MS);
	assert_all_pass(SYN);
	end();
}

/* A watch that is gone holds nobody back. */
static void its_word_ends_by_itself(void **state)
{
	(void)state;
	begin(UNBOUND);
	edge_strangers_bound(&edge, SLOW, now_ms() - 1000);
	assert_true(edge_strangers_per_s(&edge) <= 0);
	assert_all_pass(SYN);
	end();
}

/* Seeds are drawn, and of some sources two bits are the same: one of two may be missed, of many hardly any are. */
static void assert_counted(unsigned generation)
{
	size_t had = edge_seen_count(&edge, generation);
	for (uint32_t n = 0; n < SOURCES; n++) {
		const struct address source = address_from_words(0, 0xffff00000000 | (0xc6120000 + n));
		(void)edge_seen_add(&edge, generation, &source);
	}
	assert_in_range(edge_seen_count(&edge, generation) - had, SOURCES * 95 / 100, SOURCES);
}

static void who_was_here_comes_in_either_generation(void **state)
{
	(void)state;
	const struct address v4 = source_of("10.0.0.1"), v6 = source_of("2001:db8:1:0:9::9"); /* the /64 of SYN6's */
	for (unsigned generation = 0; generation < EDGE_GENERATIONS; generation++) {
		begin(UNBOUND);
		keep_waiting();
		assert_true(edge_seen_add(&edge, generation, &v4));
		assert_false(edge_seen_add(&edge, generation, &v4));
		assert_all_pass(SYN);
		assert_few_pass(SYN6);
		assert_true(edge_seen_add(&edge, generation, &v6));
		assert_all_pass(SYN6);
		edge_seen_clear(&edge, generation ^ 1);
		assert_all_pass(SYN);
		assert_in_range(edge_seen_count(&edge, generation), 1, 2);
		assert_counted(generation);
		edge_seen_clear(&edge, generation);
		assert_int_equal(edge_seen_count(&edge, generation), 0);
		assert_few_pass(SYN);
		end();
	}
}

static void who_is_allowed_comes_and_who_is_banned_does_not(void **state)
{
	uint8_t bytes[FRAME_MOST];
	const struct address v4 = source_of("10.0.0.1");
	(void)state;
	begin(UNBOUND);
	keep_waiting();
	say_hour("10.0.0.0/24", BAN_ALLOW, BAN_BY_PERSON, 0);
	assert_all_pass(SYN);
	assert_few_pass(SYN6);
	assert_int_equal(try_say("10.0.0.0/24", BAN_LIFTED, BAN_BY_PERSON, 0, 0), 0);
	assert_few_pass(SYN);
	(void)edge_seen_add(&edge, 0, &v4);
	say_hour("10.0.0.1", BAN_REFUSE, BAN_AUTOMATIC, 7);
	assert_int_equal(count_of(frame_of(SYN, bytes), PACKETS, EDGE_BANNED), PACKETS);
	end();
}

LOADED_TEST_MAIN(stay_here, cmocka_unit_test(strangers_wait_when_it_is_said), cmocka_unit_test(its_word_ends_by_itself),
		 cmocka_unit_test(who_was_here_comes_in_either_generation),
		 cmocka_unit_test(who_is_allowed_comes_and_who_is_banned_does_not))
