#include "edge/ban_table.h"

#include "base/test.h"

/* Small on purpose: buckets run over. */
enum { BANS = 4096, STEPS = 200000, NEVER = 0 };

static struct edge_control control;

static struct ban_table table_make(void)
{
	memset(&control, 0, sizeof(control));
	control.geometry = edge_geometry_make(BANS);
	control.geometry.seeds[0] = 0x9d39247e33776d41;
	control.geometry.seeds[1] = 0x2af7398005aaa5c7;
	const struct edge_geometry *g = &control.geometry;
	struct ban_table table = {
		.control = &control,
		.v4_32 = calloc(edge_shape_entries(&g->v4_32), sizeof(struct edge_bucket)),
		.v4_24 = calloc(edge_shape_entries(&g->v4_24), sizeof(struct edge_bucket)),
		.v4_16 = calloc(1 << 16, sizeof(uint64_t)),
		.v4_some = calloc(1, sizeof(struct edge_some)),
		.v6_128 = calloc(edge_shape_entries(&g->v6_128), sizeof(struct edge_128_bucket)),
		.v6_net = calloc(edge_shape_entries(&g->v6_net), sizeof(struct edge_net_bucket)),
		.v6_some = calloc(1, sizeof(struct edge_some)),
	};
	assert_true(table.v4_32 && table.v4_24 && table.v4_16 && table.v4_some && table.v6_128 && table.v6_net);
	assert_non_null(table.v6_some);
	return table;
}

static void table_free(struct ban_table *table)
{
	free(table->v4_32);
	free(table->v4_24);
	free(table->v4_16);
	free(table->v4_some);
	free(table->v6_some);
	free(table->v6_128);
	free(table->v6_net);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

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

static bool is_set(const struct edge_some *some, uint32_t bit)
{
	return some->bits[bit / 64] >> bit % 64 & 1;
}

static size_t bits_set(const struct edge_some *some)
{
	size_t count = 0;
	for (size_t i = 0; i < EDGE_SOME_BITS / 64; i++)
		count += (size_t)__builtin_popcountll(some->bits[i]);
	return count;
}

/* Counts are right, what is listed is found, and no bit is missing of what bans touch. */
static void check_sums(const struct ban_table *table)
{
	uint32_t counts[EDGE_LENGTHS] = {0};
	struct ban_place ban;
	for (size_t at = 0; ban_table_next(table, &at, &ban); at++) {
		counts[ban.length]++;
		uint32_t v4 = edge_some_v4((uint32_t)address_low(&ban.address));
		if (ban.length > EDGE_V4_16)
			assert_true(is_set(table->v6_some,
					   edge_some_v6(address_high(&ban.address), control.geometry.seeds)));
		else
			assert_true(is_set(table->v4_some, v4));
		for (uint32_t i = 0; ban.length == EDGE_V4_16 && i < 256; i++)
			assert_true(is_set(table->v4_some, v4 + i));
		assert_true(ban_table_find(table, ban.length, &ban.address) == ban.word);
	}
	assert_memory_equal(counts, table->control->bans, sizeof(counts));
}

/* What a plain array says, the tables say, whatever order bans come and go in, and of every length. */
static void agrees_with_an_array(void **state)
{
	(void)state;
	struct ban_table table = table_make();
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
	struct ban_table table = table_make();
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
	struct ban_table table = table_make();
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
	struct ban_table table = table_make();
	for (unsigned length = 0; length < EDGE_LENGTHS; length++)
		for (uint32_t n = 0; n < 500; n++) {
			struct ban_place ban = {(enum edge_length)length, address_of((enum edge_length)length, n),
						edge_word(EDGE_FOR_EVER, 1, 0, 0)};
			assert_int_equal(ban_table_set(&table, &ban, NEVER, NULL), 0);
		}
	table.control->bans[EDGE_V4_24] = 3;
	table.control->bans[EDGE_V6_64] = 7000;
	table.v4_some->bits[5] = ~(uint64_t)0;
	for (unsigned i = 0; i < 500; i++) /* a bit of each at most, of a /16 as many as it has /24 */
		table.v6_some->bits[i * 17] |= 1;
	struct address first = address_of(EDGE_V4_32, 0);
	uint32_t mixed = edge_mix((uint32_t)address_low(&first), 32, control.geometry.seeds);
	struct edge_v4_place place =
		edge_v4_place(mixed, 32, control.geometry.v4_32.bucket_bits, control.geometry.v4_32.spill_bits);
	uint64_t twice = edge_word(EDGE_FOR_EVER, 1, 0, place.spill_rest);
	unsigned free_word = 0;
	while (table.v4_32[place.spill].words[free_word] != 0)
		free_word++;
	table.v4_32[place.spill].words[free_word] = twice;
	ban_table_mend(&table);
	check_sums(&table);
	assert_in_range(bits_set(table.v4_some), 500 * 256, 502 * 256 - 1 + 500);
	assert_in_range(bits_set(table.v6_some), 1, 1500);
	assert_int_equal(table.control->bans[EDGE_V4_32], 500);
	assert_int_equal(ban_table_lift(&table, EDGE_V4_32, &first), 0);
	assert_true(ban_table_find(&table, EDGE_V4_32, &first) == 0);
	table_free(&table);
}

/* Bits of what has gone do not stay for ever. */
static void bits_are_cleared_in_bulk(void **state)
{
	(void)state;
	struct ban_table table = table_make();
	for (uint32_t n = 0; n < 200000; n++) {
		struct ban_place ban = {EDGE_V4_32, address_of(EDGE_V4_32, n), edge_word(EDGE_FOR_EVER, 1, 0, 0)};
		assert_int_equal(ban_table_set(&table, &ban, NEVER, NULL), 0);
		assert_int_equal(ban_table_lift(&table, EDGE_V4_32, &ban.address), 0);
	}
	assert_in_range(bits_set(table.v4_some), 1, 140000);
	table_free(&table);
}

TEST_MAIN(cmocka_unit_test(bits_are_cleared_in_bulk), cmocka_unit_test(agrees_with_an_array),
	  cmocka_unit_test(takes_what_it_was_made_for), cmocka_unit_test(what_is_over_gives_up_its_place),
	  cmocka_unit_test(mends_what_a_killed_writer_left))
