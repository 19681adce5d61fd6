#include "edge/test_ban_table.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 200000 };

/* The n-th prefix of a length, all different. */
static struct address address_of(enum edge_length length, uint32_t n)
{
	uint32_t spread = n * 2654435769u;
	switch (length) {
	case EDGE_V4_32:
		return address_from_words(0, 0xffff00000000 | spread);
	case EDGE_V4_24:
		return address_from_words(0, 0xffff00000000 | (spread & 0xffffff) << 8);
	case EDGE_V4_16:
		return address_from_words(0, 0xffff00000000 | (n & 0xffff) << 16);
	case EDGE_V6_128:
		return address_from_words(0x20010db800000000 | n % 7, spread);
	case EDGE_V6_64:
		return address_from_words(0x20010db800000000 | (uint64_t)spread << 3, 0);
	default:
		return address_from_words(0x2001000000000000 | (uint64_t)spread << 16, 0);
	}
}

static size_t bits_set(const uint64_t *some, uint32_t some_bits)
{
	size_t count = 0;
	for (size_t i = 0; i < (size_t)1 << some_bits; i++)
		count += (size_t)__builtin_popcountll(some[i]);
	return count;
}

/* What a plain array says, the tables say, whatever order bans come and go in, and of every length. */
static void agrees_with_an_array(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	static uint64_t words[EDGE_LENGTHS][BANS * 2];
	uint64_t seed = 20240710;
	for (unsigned i = 0; i < STEPS; i++) {
		uint64_t lot = next_random(&seed);
		enum edge_length length = (enum edge_length)(lot % EDGE_LENGTHS);
		uint32_t n = (uint32_t)(lot >> 8) % (length == EDGE_V4_32 || length >= EDGE_V6_64 ? BANS * 2 : 600);
		struct address address = address_of(length, n);
		if (lot >> 40 & 1) {
			struct ban_place ban = {length, address,
						edge_word(EDGE_FOR_EVER, lot >> 50 & (EDGE_MITIGATIONS - 1), 1, 0)};
			int outcome = ban_table_set(&table, &ban, NEVER, NULL);
			if (outcome == 0)
				words[length][n] = ban.word;
			assert_true(outcome == 0 || (outcome == BAN_TABLE_FULL && words[length][n] == 0));
		} else {
			int outcome = ban_table_lift(&table, length, &address);
			assert_int_equal(outcome, words[length][n] != 0 ? 0 : BAN_TABLE_ABSENT);
			words[length][n] = 0;
		}
		uint64_t found = ban_table_find(&table, length, &address);
		assert_true((found & (((uint64_t)1 << 44) - 1)) == words[length][n]);
	}
	check_sums(&table);
	for (unsigned length = 0; length < EDGE_LENGTHS; length++)
		for (uint32_t n = 0; n < BANS * 2; n++) {
			struct address address = address_of((enum edge_length)length, n);
			uint64_t found = ban_table_find(&table, (enum edge_length)length, &address);
			assert_true((found & (((uint64_t)1 << 44) - 1)) == words[length][n]);
		}
	table_free(&table);
}

/* As many as it was made for find a place, also in spills; and those behind them are refused, not lost. */
static void takes_what_it_was_made_for(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	static const enum edge_length lengths[] = {EDGE_V4_32, EDGE_V6_64};
	for (unsigned l = 0; l < 2; l++) {
		uint32_t n = 0;
		int outcome = 0;
		for (; outcome == 0; n++) {
			struct ban_place ban = {lengths[l], address_of(lengths[l], n),
						edge_word(EDGE_FOR_EVER, 1, 0, 0)};
			outcome = ban_table_set(&table, &ban, NEVER, NULL);
		}
		assert_int_equal(outcome, BAN_TABLE_FULL);
		assert_true(n > BANS);
		for (uint32_t i = 0; i + 1 < n; i++) {
			struct address address = address_of(lengths[l], i);
			assert_int_equal(ban_table_lift(&table, lengths[l], &address), 0);
		}
		assert_int_equal(table.control->bans[lengths[l]], 0);
	}
	check_sums(&table);
	table_free(&table);
}

static void what_is_over_gives_up_its_place(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	for (unsigned length = 0; length < EDGE_LENGTHS; length++) {
		if (length == EDGE_V4_16 || length == EDGE_V4_24)
			continue;
		for (uint32_t round = 1; round <= 20; round++)
			for (uint32_t n = 0; n < 400; n++) {
				struct ban_place ban = {(enum edge_length)length,
							address_of((enum edge_length)length, round * 1000 + n),
							edge_word(round * 10, 1, 0, 0)};
				assert_int_equal(ban_table_set(&table, &ban, round * 10 - 5, NULL), 0);
			}
	}
	check_sums(&table);
	table_free(&table);
}

/* As a writer that was killed may leave it: sums and counts that are wrong, a ban both in its bucket and in the spill.
 */
static void mends_what_a_killed_writer_left(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	for (unsigned length = 0; length < EDGE_LENGTHS; length++)
		for (uint32_t n = 0; n < 500; n++) {
			struct ban_place ban = {(enum edge_length)length, address_of((enum edge_length)length, n),
						edge_word(EDGE_FOR_EVER, 1, 0, 0)};
			assert_int_equal(ban_table_set(&table, &ban, NEVER, NULL), 0);
		}
	table.control->bans[EDGE_V4_24] = 3;
	table.control->bans[EDGE_V6_64] = 7000;
	for (unsigned i = 0; i < 1 << 10; i++) { /* what a rebuilding that was killed had not yet cleared */
		table.v4_some[i] = ~(uint64_t)0;
		table.v6_some[i] |= i;
	}
	struct address first = address_of(EDGE_V4_32, 0);
	uint32_t mixed = edge_mix((uint32_t)address_low(&first), 32, table.control->geometry.seeds);
	struct edge_v4_place place = edge_v4_place(mixed, 32, table.control->geometry.v4_32.bucket_bits,
						   table.control->geometry.v4_32.spill_bits);
	uint64_t twice = edge_word(EDGE_FOR_EVER, 1, 0, place.spill_rest);
	unsigned free_word = 0;
	while (table.v4_32[place.spill].words[free_word] != 0)
		free_word++;
	table.v4_32[place.spill].words[free_word] = twice;
	ban_table_mend(&table);
	check_sums(&table);
	assert_in_range(bits_set(table.v4_some, table.control->geometry.v4_some_bits), 4000, 1500 * EDGE_SOME_BITS);
	assert_in_range(bits_set(table.v6_some, table.control->geometry.v6_some_bits), 4000, 1500 * EDGE_SOME_BITS);
	assert_int_equal(table.control->bans[EDGE_V4_32], 500);
	assert_int_equal(ban_table_lift(&table, EDGE_V4_32, &first), 0);
	assert_true(ban_table_find(&table, EDGE_V4_32, &first) == 0);
	table_free(&table);
}

/* Bits of what has gone do not stay for ever. */
static void bits_are_cleared_in_bulk(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	static const enum edge_length lengths[] = {EDGE_V4_32, EDGE_V6_64};
	for (unsigned l = 0; l < 2; l++)
		for (uint32_t n = 0; n < 200000; n++) {
			struct ban_place ban = {lengths[l], address_of(lengths[l], n),
						edge_word(EDGE_FOR_EVER, 1, 0, 0)};
			assert_int_equal(ban_table_set(&table, &ban, NEVER, NULL), 0);
			assert_int_equal(ban_table_lift(&table, lengths[l], &ban.address), 0);
		}
	assert_in_range(bits_set(table.v4_some, table.control->geometry.v4_some_bits), 1, BANS * EDGE_SOME_BITS);
	assert_in_range(bits_set(table.v6_some, table.control->geometry.v6_some_bits), 1, BANS * EDGE_SOME_BITS);
	table_free(&table);
}

/* With as many bans as it was made for a filter has few of those who are not banned. */
static void a_filter_has_few_others(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	static const enum edge_length lengths[] = {EDGE_V4_32, EDGE_V6_64, EDGE_V6_128};
	const uint32_t many[] = {BANS * 2, BANS, BANS / 8}; /* eight a word, and in IPv6's fewer */
	for (unsigned l = 0; l < 3; l++) {
		unsigned others = 0;
		for (uint32_t n = 0; n < many[l]; n++) {
			struct ban_place ban = {lengths[l], address_of(lengths[l], n),
						edge_word(EDGE_FOR_EVER, 1, 0, 0)};
			assert_int_equal(ban_table_set(&table, &ban, NEVER, NULL), 0);
		}
		for (uint32_t n = 0; n < 10000; n++) {
			struct address other = address_of(lengths[l], BANS * 2 + n);
			others += is_some(&table, lengths[l], &other);
		}
		assert_in_range(others, 10, 500);
	}
	check_sums(&table);
	table_free(&table);
}

/* A prefix that holds another, or is the other's first address, has bits of its own: one goes, and the others stay. */
static void lengths_do_not_share_bits(void **state)
{
	(void)state;
	static const struct address v4 = {{[10] = 0xff, [11] = 0xff, 10, 0, 0, 0}}, v6 = {{0x20, 1, 0xd, 0xb8}};
	for (unsigned left = 0; left < EDGE_LENGTHS; left++) {
		struct ban_table table = table_make(NULL);
		for (unsigned length = 0; length < EDGE_LENGTHS; length++) {
			struct ban_place ban = {(enum edge_length)length, length <= EDGE_V4_16 ? v4 : v6,
						edge_word(EDGE_FOR_EVER, 1, 0, 0)};
			assert_int_equal(ban_table_set(&table, &ban, NEVER, NULL), 0);
		}
		for (unsigned length = 0; length < EDGE_LENGTHS; length++)
			if (length != left)
				assert_int_equal(ban_table_lift(&table, (enum edge_length)length,
								length <= EDGE_V4_16 ? &v4 : &v6),
						 0);
		ban_table_mend(&table);
		check_sums(&table);
		for (unsigned length = 0; length < EDGE_LENGTHS; length++)
			assert_int_equal(is_some(&table, (enum edge_length)length, length <= EDGE_V4_16 ? &v4 : &v6),
					 length == left);
		table_free(&table);
	}
}

enum { LASTING = 300, KILLS = 40, LOOKS = 3000 };

/* Sets and lifts so many that both filters are rebuilt all the time, but never what lasts. */
static _Noreturn void churn(struct ban_table *table, uint64_t seed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a check fails */
	for (;;) {
		uint64_t lot = next_random(&seed);
		enum edge_length length = (enum edge_length)(lot % EDGE_LENGTHS);
		struct ban_place ban = {length, address_of(length, LASTING + (uint32_t)(lot >> 20) % LASTING),
					edge_word(EDGE_FOR_EVER, 1, 0, 0)};
		if ((lot >> 10 & 1) != 0)
			ban_table_set(table, &ban, NEVER, NULL);
		else
			ban_table_lift(table, length, &ban.address);
		if ((lot >> 50) % 64 == 0)
			ban_table_mend(table);
	}
}

static void check_lasting(const struct ban_table *table)
{
	for (unsigned length = 0; length < EDGE_LENGTHS; length++)
		for (uint32_t n = 0; n < LASTING; n++) {
			struct address address = address_of((enum edge_length)length, n);
			assert_true(is_some(table, (enum edge_length)length, &address));
		}
}

/* Whoever reads while another writes, rebuilds, and is killed at any moment, finds each ban in the filters. */
static void no_moment_lacks_a_ban(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	for (unsigned length = 0; length < EDGE_LENGTHS; length++)
		for (uint32_t n = 0; n < LASTING; n++) {
			struct ban_place ban = {(enum edge_length)length, address_of((enum edge_length)length, n),
						edge_word(EDGE_FOR_EVER, 1, 0, 0)};
			assert_int_equal(ban_table_set(&table, &ban, NEVER, NULL), 0);
		}
	for (unsigned i = 0; i < KILLS; i++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			churn(&table, 20240710 + i);
		for (unsigned look = 0; look < LOOKS / (1 + i % 7); look++)
			check_lasting(&table);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		struct ban_place ban;
		for (size_t at = 0; ban_table_next(&table, &at, &ban); at++)
			assert_true(is_some(&table, ban.length, &ban.address));
		ban_table_mend(&table);
		check_sums(&table);
		check_lasting(&table);
	}
	table_free(&table);
}

TEST_MAIN(cmocka_unit_test(bits_are_cleared_in_bulk), cmocka_unit_test(agrees_with_an_array),
	  cmocka_unit_test(takes_what_it_was_made_for), cmocka_unit_test(what_is_over_gives_up_its_place),
	  cmocka_unit_test(mends_what_a_killed_writer_left), cmocka_unit_test(a_filter_has_few_others),
	  cmocka_unit_test(lengths_do_not_share_bits), cmocka_unit_test(no_moment_lacks_a_ban))
