/*
 * IPv6: hashed buckets, one table for addresses with whole keys, and one for /64 and /48 with the rest of mixed ones.
 * Places are counted through the buckets and the spills behind them. A key may lie in the links of its chain: those of
 * its bucket, then those of its spill. Whoever reads may stop at a free link of the spill: a hole is filled with the
 * last ban of the chain that may lie there.
 */
#include "edge/ban_table_inside.h"

enum {
	NOWHERE = UINT16_MAX, /* no link of a chain */
	REST_OF_48 = 0xffff,  /* of an address's upper half: what a /48 does not have */
};

struct v6_table {
	struct edge_128_bucket *addresses; /* NULL of networks */
	struct edge_net_bucket *nets;
	const struct edge_shape *shape;
	const uint64_t *seeds;
	unsigned entries; /* of a bucket */
	unsigned spill_buckets;
};

struct v6_key {
	enum edge_length length;
	uint64_t high, low;
	uint64_t hash;
};

static struct v6_table table_of(const struct ban_table *table, enum edge_length length)
{
	const struct edge_geometry *geometry = &table->control->geometry;
	if (length == EDGE_V6_128)
		return (struct v6_table){table->v6_128,     NULL, &geometry->v6_128, geometry->seeds, EDGE_128_ENTRIES,
					 EDGE_SPILL_BUCKETS};
	return (struct v6_table){
		NULL, table->v6_net, &geometry->v6_net, geometry->seeds, EDGE_NET_ENTRIES, EDGE_NET_SPILL_BUCKETS};
}

static uint32_t kind_of(enum edge_length length)
{
	return length == EDGE_V6_48;
}

static struct v6_key key_of(const struct v6_table *v6, enum edge_length length, const struct address *address)
{
	uint64_t high = address_high(address), low = address_low(address);
	if (length == EDGE_V6_128)
		return (struct v6_key){length, high, low, edge_hash(high, low, v6->seeds)};
	high = length == EDGE_V6_64 ? high : high & ~(uint64_t)REST_OF_48;
	return (struct v6_key){length, high, 0, edge_net_hash(high, kind_of(length), v6->seeds)};
}

/* ---- places ---- */

static uint32_t bucket_of(const struct v6_table *v6, uint64_t hash)
{
	return edge_v6_bucket(hash, v6->shape->bucket_bits);
}

static unsigned links(const struct v6_table *v6)
{
	return v6->entries * (1 + v6->spill_buckets);
}

/* The place of a link of a key's chain. */
static size_t place_of(const struct v6_table *v6, const struct v6_key *key, unsigned link)
{
	const struct edge_shape *shape = v6->shape;
	size_t bucket = bucket_of(v6, key->hash);
	if (link >= v6->entries) {
		size_t behind = (size_t)(link / v6->entries - 1) << shape->spill_bits;
		bucket = edge_v6_spill(key->hash, shape->bucket_bits, shape->spill_bits) + behind;
	}
	return bucket * v6->entries + link % v6->entries;
}

static struct edge_128 *address_at(const struct v6_table *v6, size_t at)
{
	return &v6->addresses[at / v6->entries].entries[at % v6->entries];
}

static uint64_t *word_at(const struct v6_table *v6, size_t at)
{
	if (v6->nets == NULL)
		return &address_at(v6, at)->word;
	return &v6->nets[at / v6->entries].words[at % v6->entries];
}

static uint32_t *low_at(const struct v6_table *v6, size_t at)
{
	return &v6->nets[at / v6->entries].lows[at % v6->entries];
}

/* ---- entries ---- */

/* x times the inverse of an odd number: Newton's, each step with twice as many bits right. */
static uint64_t divide(uint64_t x, uint64_t odd)
{
	uint64_t inverse = odd;
	for (unsigned i = 0; i < 5; i++)
		inverse *= 2 - odd * inverse;
	return x * inverse;
}

/* edge_net_hash() backwards. */
static uint64_t net_unhash(uint64_t hash, uint32_t kind, const uint64_t seeds[2])
{
	uint64_t x = divide(hash, EDGE_NET_FACTOR);
	return (divide(x ^ x >> 32, seeds[1]) - kind) ^ seeds[0];
}

/* What is stored of a network's, below the bits that bucket and spill both name. */
static uint64_t hash_at(const struct v6_table *v6, size_t at)
{
	if (v6->nets == NULL) {
		const struct edge_128 *entry = address_at(v6, at);
		return edge_hash(entry->high, entry->low, v6->seeds);
	}
	uint64_t high = edge_word_rest(*word_at(v6, at)) & ((1u << EDGE_NET_HIGH_BITS) - 1);
	uint32_t bucket = (uint32_t)(at / v6->entries), bits = v6->shape->bucket_bits;
	if (bucket >> bits != 0) {
		bits = v6->shape->spill_bits;
		bucket &= (1u << bits) - 1;
	}
	uint64_t named = bucket >> (bits - EDGE_NET_NAMED_BITS);
	return (named << EDGE_NET_HIGH_BITS | high) << EDGE_NET_LOW_BITS | *low_at(v6, at);
}

static struct v6_key key_at(const struct v6_table *v6, size_t at)
{
	uint64_t hash = hash_at(v6, at);
	if (v6->nets == NULL)
		return (struct v6_key){EDGE_V6_128, address_at(v6, at)->high, address_at(v6, at)->low, hash};
	uint32_t kind = edge_word_rest(*word_at(v6, at)) >> EDGE_NET_HIGH_BITS;
	return (struct v6_key){kind == 0 ? EDGE_V6_64 : EDGE_V6_48, net_unhash(hash, kind, v6->seeds), 0, hash};
}

static bool has_key(const struct v6_table *v6, size_t at, const struct v6_key *key)
{
	if (v6->nets != NULL)
		return edge_word_rest(*word_at(v6, at)) == edge_net_rest(key->hash, kind_of(key->length)) &&
		       *low_at(v6, at) == (uint32_t)key->hash;
	return address_at(v6, at)->high == key->high && address_at(v6, at)->low == key->low;
}

/* A ban's word as it stands in the table. */
static uint64_t word_for(const struct v6_table *v6, const struct v6_key *key, uint64_t word)
{
	uint32_t rest = v6->nets != NULL ? edge_net_rest(key->hash, kind_of(key->length)) : 0;
	return (word & BAN_WORD_MASK) | (uint64_t)rest << 44;
}

static void entry_write(const struct v6_table *v6, size_t at, const struct v6_key *key, uint64_t word)
{
	ban_word_store(word_at(v6, at), 0);
	if (v6->nets != NULL) {
		__atomic_store_n(low_at(v6, at), (uint32_t)key->hash, __ATOMIC_RELEASE);
	} else {
		ban_word_store(&address_at(v6, at)->high, key->high);
		ban_word_store(&address_at(v6, at)->low, key->low);
	}
	ban_word_store(word_at(v6, at), word_for(v6, key, word));
}

static void entry_copy(const struct v6_table *v6, size_t at, size_t from)
{
	struct v6_key key = key_at(v6, from);
	entry_write(v6, at, &key, *word_at(v6, from));
}

/* ---- chains ---- */

/* The link that a key is in. `holes`: also behind a free one of the spill, as a writer that was killed leaves it. */
static unsigned link_of(const struct v6_table *v6, const struct v6_key *key, bool holes)
{
	for (unsigned link = 0; link < links(v6); link++) {
		size_t at = place_of(v6, key, link);
		bool taken = *word_at(v6, at) != 0;
		if (taken && has_key(v6, at, key))
			return link;
		if (!taken && !holes && link >= v6->entries)
			break;
	}
	return NOWHERE;
}

/* The first link before `end` that is free, or whose ban is over. */
static unsigned room_before(const struct v6_table *v6, const struct v6_key *key, unsigned end, uint32_t now_ticks)
{
	for (unsigned link = 0; link < end; link++) {
		uint64_t word = *word_at(v6, place_of(v6, key, link));
		if (word == 0 || ban_word_is_over(word, now_ticks))
			return link;
	}
	return NOWHERE;
}

/* The last link behind one, in the spill, whose ban may lie there instead. */
static unsigned follower_of(const struct v6_table *v6, const struct v6_key *key, unsigned link)
{
	unsigned last = NOWHERE;
	for (unsigned from = link < v6->entries ? v6->entries : link + 1; from < links(v6); from++) {
		size_t at = place_of(v6, key, from);
		if (*word_at(v6, at) == 0)
			break;
		if (link >= v6->entries || bucket_of(v6, hash_at(v6, at)) == bucket_of(v6, key->hash))
			last = from;
	}
	return last;
}

/* ---- the verbs ---- */

int v6_table_set(struct ban_table *table, const struct ban_place *ban, uint32_t now_ticks, size_t *ret_at)
{
	struct v6_table v6 = table_of(table, ban->length);
	struct v6_key key = key_of(&v6, ban->length, &ban->address);
	unsigned had = link_of(&v6, &key, false);
	unsigned link = had != NOWHERE ? had : room_before(&v6, &key, links(&v6), now_ticks);
	if (link == NOWHERE)
		return BAN_TABLE_FULL;
	size_t at = place_of(&v6, &key, link);
	if (had != NOWHERE) {
		ban_word_store(word_at(&v6, at), word_for(&v6, &key, ban->word));
	} else {
		if (*word_at(&v6, at) != 0)
			ban_table_count(table, key_at(&v6, at).length, -1);
		entry_write(&v6, at, &key, ban->word);
		ban_table_count(table, ban->length, 1);
	}
	*ret_at = at;
	return 0;
}

int v6_table_lift(struct ban_table *table, enum edge_length length, const struct address *address)
{
	struct v6_table v6 = table_of(table, length);
	struct v6_key key = key_of(&v6, length, address);
	unsigned link = link_of(&v6, &key, false);
	if (link == NOWHERE)
		return BAN_TABLE_ABSENT;
	for (unsigned from; (from = follower_of(&v6, &key, link)) != NOWHERE; link = from)
		entry_copy(&v6, place_of(&v6, &key, link), place_of(&v6, &key, from));
	ban_word_store(word_at(&v6, place_of(&v6, &key, link)), 0);
	ban_table_count(table, length, -1);
	return 0;
}

uint64_t v6_table_find(const struct ban_table *table, enum edge_length length, const struct address *address)
{
	struct v6_table v6 = table_of(table, length);
	struct v6_key key = key_of(&v6, length, address);
	unsigned link = link_of(&v6, &key, false);
	return link == NOWHERE ? 0 : *word_at(&v6, place_of(&v6, &key, link));
}

size_t v6_table_places(const struct ban_table *table, enum edge_length length)
{
	struct v6_table v6 = table_of(table, length);
	return (size_t)edge_spilled_entries(v6.shape, v6.spill_buckets) * v6.entries;
}

bool v6_table_at(const struct ban_table *table, enum edge_length length, size_t at, struct ban_place *ret_ban)
{
	struct v6_table v6 = table_of(table, length);
	uint64_t word = *word_at(&v6, at);
	if (word == 0)
		return false;
	struct v6_key key = key_at(&v6, at);
	*ret_ban = (struct ban_place){key.length, address_from_words(key.high, key.low), word};
	return true;
}

/* ---- mending ---- */

/* Moves what a hole before it may hide: the writer was killed before it moved it. */
static void hole_fill(const struct v6_table *v6, const struct v6_key *key, unsigned link)
{
	unsigned hole = link < v6->entries ? NOWHERE : room_before(v6, key, link, 0);
	if (hole == NOWHERE)
		return;
	entry_copy(v6, place_of(v6, key, hole), place_of(v6, key, link));
	ban_word_store(word_at(v6, place_of(v6, key, link)), 0);
}

/* Adds up how many there are. From the first place on: a hole is filled with what is behind it. */
static void table_mend(const struct v6_table *v6, size_t places, uint32_t counts[EDGE_LENGTHS])
{
	for (size_t at = 0; at < places; at++) {
		if (*word_at(v6, at) == 0)
			continue;
		struct v6_key key = key_at(v6, at);
		unsigned link = link_of(v6, &key, true);
		if (link == NOWHERE || place_of(v6, &key, link) != at || ban_word_is_over(*word_at(v6, at), 0) ||
		    (key.length == EDGE_V6_48 && (key.high & REST_OF_48) != 0)) {
			ban_word_store(word_at(v6, at), 0);
			continue;
		}
		counts[key.length]++;
		hole_fill(v6, &key, link);
	}
}

void v6_table_mend(struct ban_table *table)
{
	uint32_t counts[EDGE_LENGTHS] = {0};
	struct v6_table addresses = table_of(table, EDGE_V6_128), nets = table_of(table, EDGE_V6_64);
	table_mend(&addresses, v6_table_places(table, EDGE_V6_128), counts);
	table_mend(&nets, v6_table_places(table, EDGE_V6_64), counts);
	for (enum edge_length length = EDGE_V6_128; length <= EDGE_V6_48; length++)
		__atomic_store_n(&table->control->bans[length], counts[length], __ATOMIC_RELEASE);
}
