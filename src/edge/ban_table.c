/*
 * The tables of all lengths as one row of places, with the filters of ban_some.c before them; ban_table_v4.c and
 * ban_table_v6.c have a family's own. A ban is in the filter before it is in a table. Bits that nobody needs any more
 * are only counted, until there are enough to make the filter anew.
 */
#include "edge/ban_table.h"

#include "base/error.h"
#include "base/hash.h"
#include "edge/ban_table_inside.h"

static const uint8_t BITS[EDGE_LENGTHS] = {128, 120, 112, 128, 64, 48};

/* The tables one after the other; that of /64 has /48 too. */
static const enum edge_length TABLES[] = {EDGE_V4_32, EDGE_V4_24, EDGE_V4_16, EDGE_V6_128, EDGE_V6_64};
enum {
	TABLE_COUNT = sizeof(TABLES) / sizeof(TABLES[0]),
	SOME_BANS = 8, /* that a word of a filter is made for */
};

unsigned edge_length_bits(enum edge_length length)
{
	return BITS[length];
}

static uint32_t bits_for(uint64_t elements)
{
	uint32_t bits = 1;
	while (((uint64_t)1 << bits) < elements)
		bits++;
	return bits;
}

static uint32_t within(uint32_t bits, uint32_t least, uint32_t most)
{
	return bits < least ? least : bits > most ? most : bits;
}

struct edge_geometry edge_geometry_make(uint32_t bans)
{
	struct hash_key random = hash_key_random();
	/*
	 * Four of eight places taken at most, of IPv6's networks four of five, of its addresses one of four. A word's
	 * rest has 20 bits at most. Of networks a tenth spills then: with 40 places for 16 buckets all find one.
	 */
	uint32_t whole = within(bits_for(bans / 4), 12, 24), addresses = within(bits_for(bans / 4), 10, 23);
	uint32_t nets = within(bits_for(bans / 4), EDGE_NET_NAMED_BITS, 24);
	return (struct edge_geometry){
		.v4_32 = {whole, within(whole - 5, 12, 20)},
		.v4_24 = {within(whole - 2, 10, 20), within(whole - 7, 8, 16)},
		.v6_128 = {addresses, within(addresses - 2, 8, 22)},
		.v6_net = {nets, within(nets - 4, EDGE_NET_NAMED_BITS, 20)},
		.v4_some_bits = within(bits_for(bans / SOME_BANS), 10, EDGE_SOME_MOST),
		.v6_some_bits = within(bits_for(bans / SOME_BANS), 10, EDGE_SOME_MOST),
		.seeds = {random.k0 | 1, random.k1 | 1},
	};
}

static size_t places_of(const struct ban_table *table, enum edge_length length)
{
	return ban_length_is_v4(length) ? v4_table_places(table, length) : v6_table_places(table, length);
}

/* Where the places of a length's table begin. */
static size_t first_of(const struct ban_table *table, enum edge_length length)
{
	size_t first = 0;
	for (unsigned i = 0; i < TABLE_COUNT && TABLES[i] < length && TABLES[i] != EDGE_V6_64; i++)
		first += places_of(table, TABLES[i]);
	return first;
}

size_t ban_table_places(const struct ban_table *table)
{
	return first_of(table, EDGE_LENGTHS) + places_of(table, EDGE_V6_64);
}

bool ban_table_next(const struct ban_table *table, size_t *at, struct ban_place *ret_ban)
{
	size_t first = 0;
	for (unsigned i = 0; i < TABLE_COUNT; i++) {
		size_t places = places_of(table, TABLES[i]);
		for (; *at < first + places; (*at)++)
			if (ban_length_is_v4(TABLES[i]) ? v4_table_at(table, TABLES[i], *at - first, ret_ban)
							: v6_table_at(table, TABLES[i], *at - first, ret_ban))
				return true;
		first += places;
	}
	return false;
}

/* Clears the bits that no ban of the family has any more. Where there is no memory for it they stay. */
static void some_renew(struct ban_table *table, bool v4)
{
	struct ban_some *anew = ban_some_new(table, v4);
	struct ban_place ban;
	size_t at = v4 ? 0 : first_of(table, EDGE_V6_128), end = v4 ? first_of(table, EDGE_V6_128) : SIZE_MAX;
	table->stale[v4] = 0;
	for (; anew != NULL && at < end && ban_table_next(table, &at, &ban); at++)
		if (ban_length_is_v4(ban.length) == v4)
			ban_some_remark(anew, &ban);
	if (anew != NULL)
		ban_some_replace(anew);
}

/*
 * Bits are cleared when a quarter as many bans have gone as the filter was made for: walking through the tables, which
 * are as large as it, is little beside so many changes, and what is left of them costs few who are not banned.
 */
static void gone(struct ban_table *table, bool v4)
{
	const struct edge_geometry *geometry = &table->control->geometry;
	uint32_t bits = v4 ? geometry->v4_some_bits : geometry->v6_some_bits;
	if (++table->stale[v4] > ((uint32_t)SOME_BANS << bits) / 4)
		some_renew(table, v4);
}

int ban_table_set(struct ban_table *table, const struct ban_place *ban, uint32_t now_ticks, size_t *ret_at)
{
	size_t at = 0;
	uint32_t count = table->control->bans[ban->length];
	bool v4 = ban_length_is_v4(ban->length), marked = ban_some_mark(table, ban);
	int outcome = v4 ? v4_table_set(table, ban, now_ticks, &at) : v6_table_set(table, ban, now_ticks, &at);
	/* It got no place, or one that another gave up. The same ban set again has its bits already. */
	if (marked && (outcome != 0 || table->control->bans[ban->length] == count))
		gone(table, v4);
	if (outcome == 0 && ret_at != NULL)
		*ret_at = first_of(table, ban->length) + at;
	return outcome;
}

int ban_table_lift(struct ban_table *table, enum edge_length length, const struct address *address)
{
	int outcome = ban_length_is_v4(length) ? v4_table_lift(table, length, address)
					       : v6_table_lift(table, length, address);
	if (outcome == 0)
		gone(table, ban_length_is_v4(length));
	return outcome;
}

uint64_t ban_table_find(const struct ban_table *table, enum edge_length length, const struct address *address)
{
	return ban_length_is_v4(length) ? v4_table_find(table, length, address) : v6_table_find(table, length, address);
}

void ban_table_mend(struct ban_table *table)
{
	v4_table_mend(table);
	v6_table_mend(table);
	some_renew(table, true);
	some_renew(table, false);
}
