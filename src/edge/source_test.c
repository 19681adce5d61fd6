/*
 * Whether the compiled program, run by the kernel, finds who is banned and nobody else, through filters and tables:
 * with prefixes of each length one within another, where the tables' user side says so. Skipped where BPF is not
 * allowed.
 */
#include "edge/test_loaded.h"

enum { SOURCES = 3000, ROUNDS = 6, NOW_MS = 1000, FROM_V4 = 26, FROM_V6 = 22 };

/* ICMP, of which nothing but the source matters. */
static uint8_t v4_frame[64] = {[12] = 8, 0, 0x45, [17] = 20, [22] = 64, 1};
static uint8_t v6_frame[64] = {[12] = 0x86, 0xdd, 0x60, [20] = 59, 64};

/* The n-th of a family; many share their networks with others. */
static struct address source_of(bool v6, uint32_t n)
{
	uint32_t spread = n * 2654435769u;
	if (v6)
		return address_from_words(0x2001000000000000 | (uint64_t)(spread % 199) << 16 | spread % 7, n % 3);
	return address_from_words(0, 0xffff00000000 | spread % 97 << 24 | spread % 3 << 16 | (spread >> 16) % 500);
}

static enum edge_length length_of(bool v6, uint32_t n)
{
	return (v6 ? EDGE_V6_128 : EDGE_V4_32) + (n % 31 == 0 ? 2 : n % 5 == 0);
}

static struct prefix network_of(const struct address *address, enum edge_length length)
{
	return address_prefix(address, edge_length_bits(length));
}

static bool is_banned(const struct address *address)
{
	enum edge_length first = address_is_v4(address) ? EDGE_V4_32 : EDGE_V6_128;
	for (enum edge_length length = first; length < first + 3; length++) {
		struct prefix network = network_of(address, length);
		if (ban_table_find(&edge.table, length, &network.address) != 0)
			return true;
	}
	return false;
}

static bool is_dropped(const struct address *from)
{
	bool v4 = address_is_v4(from);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = v4 ? v4_frame : v6_frame, .data_size_in = sizeof(v4_frame),
		    .repeat = 1);
	memcpy(v4 ? v4_frame + FROM_V4 : v6_frame + FROM_V6, from->bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
	assert_int_equal(bpf_prog_test_run_opts(loaded.program, &options), 0);
	assert_true(options.retval == XDP_DROP || options.retval == XDP_PASS);
	return options.retval == XDP_DROP;
}

static void check_sources(bool v6)
{
	unsigned banned = 0;
	for (uint32_t n = 0; n < SOURCES; n++) {
		struct address from = source_of(v6, n);
		assert_int_equal(is_dropped(&from), is_banned(&from));
		banned += is_banned(&from);
	}
	assert_in_range(banned, SOURCES / 20, SOURCES - SOURCES / 20);
}

/* A sixth of them in each round, of which a quarter is lifted again. */
static void some_change(bool v6, uint32_t round)
{
	for (uint32_t n = round; n < SOURCES; n += ROUNDS) {
		struct address from = source_of(v6, n);
		struct prefix network = network_of(&from, length_of(v6, n));
		struct ban_entry entry = {network.address, BAN_FOR_EVER,  1 + n, network.bits,
					  BAN_REFUSE,      BAN_AUTOMATIC, 0};
		edge_say(&edge, &entry, NOW_MS);
		if (n / ROUNDS % 4 == 0) {
			entry.kind = BAN_LIFTED;
			edge_say(&edge, &entry, NOW_MS);
		}
	}
}

static void each_goes_where_the_tables_say(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++)
		for (uint32_t round = 0; round < ROUNDS; round++) {
			some_change(v6 != 0, round);
			check_sources(v6 != 0);
			ban_table_mend(&edge.table);
			check_sources(v6 != 0);
		}
}

/* Of all lengths that hold an address any one is enough, whichever others have gone. */
static void each_length_alone(void **state)
{
	(void)state;
	const struct address sources[] = {address_from_words(0, 0xffff00000000 | 0xc6336407),
					  address_from_words(0x20010db8fffe0007, 9)};
	for (unsigned i = 0; i < EDGE_LENGTHS; i++) {
		const struct address *from = &sources[i > EDGE_V4_16];
		struct prefix network = network_of(from, (enum edge_length)i);
		struct ban_entry entry = {network.address, BAN_FOR_EVER, 1, network.bits, BAN_REFUSE, BAN_AUTOMATIC, 0};
		assert_false(is_dropped(from));
		assert_int_equal(edge_say(&edge, &entry, NOW_MS), 0);
		assert_true(is_dropped(from));
		ban_table_mend(&edge.table);
		assert_true(is_dropped(from));
		entry.kind = BAN_LIFTED;
		assert_int_equal(edge_say(&edge, &entry, NOW_MS), 0);
		assert_false(is_dropped(from));
	}
}

static int begin_unbound(void **state)
{
	(void)state;
	begin(UNBOUND);
	return 0;
}

LOADED_TEST_MAIN(begin_unbound, cmocka_unit_test(each_length_alone), cmocka_unit_test(each_goes_where_the_tables_say))
