/* IPv6: hashed buckets of entries with whole keys, one table for addresses and one for /64 and /48. */
#include "edge/ban_table_inside.h"

struct v6_table {
	uint8_t *buckets;
	const struct edge_shape *shape;
	unsigned entries; /* of a bucket */
	unsigned words;   /* of an entry: its key's first, the ban's last */
};

struct v6_key {
	uint64_t high, low;
	uint32_t kind; /* the rest that its words have */
	bool whole;
};

static struct v6_table table_of(const struct ban_table *table, enum edge_length length)
{
	const struct edge_geometry *geometry = &table->control->geometry;
	if (length == EDGE_V6_128)
		return (struct v6_table){(uint8_t *)table->v6_128, &geometry->v6_128, EDGE_128_ENTRIES, 3};
	return (struct v6_table){(uint8_t *)table->v6_net, &geometry->v6_net, EDGE_NET_ENTRIES, 2};
}

static struct v6_key key_of(enum edge_length length, const struct address *address)
{
	uint64_t high = address_high(address);
	if (length == EDGE_V6_128)
		return (struct v6_key){high, address_low(address), 0, true};
	return (struct v6_key){length == EDGE_V6_64 ? high : high & ~(uint64_t)0xffff, 0, length == EDGE_V6_48, false};
}

static uint32_t bucket_of(const struct ban_table *table, const struct v6_table *v6, const struct v6_key *key)
{
	const uint64_t *seeds = table->control->geometry.seeds;
	uint64_t hash = key->whole ? edge_hash(key->high, key->low, seeds) : edge_net_hash(key->high, key->kind, seeds);
	return edge_v6_bucket(hash, v6->shape->bucket_bits);
}

static uint32_t spill_of(const struct v6_table *v6, uint32_t bucket)
{
	return (1u << v6->shape->bucket_bits) + EDGE_SPILL_BUCKETS * (bucket & ((1u << v6->shape->spill_bits) - 1));
}

/* Counting on into the bucket behind, as a spill has two. */
static uint64_t *entry_at(const struct v6_table *v6, size_t bucket, unsigned i)
{
	bucket += i / v6->entries;
	i %= v6->entries;
	return (uint64_t *)(void *)(v6->buckets + bucket * sizeof(struct edge_bucket)) + i * v6->words;
}

static unsigned entries_of(const struct v6_table *v6, uint32_t bucket)
{
	return bucket >> v6->shape->bucket_bits == 0 ? v6->entries : v6->entries * EDGE_SPILL_BUCKETS;
}

static uint64_t *word_of(const struct v6_table *v6, uint64_t *entry)
{
	return entry + v6->words - 1;
}

static struct v6_key key_at(const struct v6_table *v6, uint64_t *entry)
{
	bool whole = v6->entries == EDGE_128_ENTRIES;
	return (struct v6_key){entry[0], whole ? entry[1] : 0, edge_word_rest(*word_of(v6, entry)), whole};
}

static uint64_t *entry_in(const struct v6_table *v6, uint32_t bucket, const struct v6_key *key)
{
	for (unsigned i = 0; i < entries_of(v6, bucket); i++) {
		uint64_t *entry = entry_at(v6, bucket, i);
		struct v6_key is = key_at(v6, entry);
		if (*word_of(v6, entry) != 0 && is.high == key->high && is.low == key->low && is.kind == key->kind)
			return entry;
	}
	return NULL;
}

/* Where a key's entry is; NULL: nowhere. */
static uint64_t *entry_of(const struct v6_table *v6, uint32_t bucket, const struct v6_key *key)
{
	uint64_t *entry = entry_in(v6, bucket, key);
	return entry != NULL ? entry : entry_in(v6, spill_of(v6, bucket), key);
}

/* A free entry, else one whose ban is over. */
static uint64_t *room_in(const struct v6_table *v6, uint32_t bucket, uint32_t now_ticks)
{
	uint64_t *over = NULL;
	for (unsigned i = 0; i < entries_of(v6, bucket); i++) {
		uint64_t *entry = entry_at(v6, bucket, i), word = *word_of(v6, entry);
		if (word == 0)
			return entry;
		if (ban_word_is_over(word, now_ticks))
			over = entry;
	}
	return over;
}

static void entry_write(const struct v6_table *v6, uint64_t *entry, const struct v6_key *key, uint64_t word)
{
	ban_word_store(word_of(v6, entry), 0);
	ban_word_store(entry, key->high);
	if (key->whole)
		ban_word_store(entry + 1, key->low);
	ban_word_store(word_of(v6, entry), (word & BAN_WORD_MASK) | (uint64_t)key->kind << 44);
}

static enum edge_length length_of(const struct v6_key *key)
{
	return key->whole ? EDGE_V6_128 : key->kind == 0 ? EDGE_V6_64 : EDGE_V6_48;
}

static size_t place_of(const struct v6_table *v6, const uint64_t *entry)
{
	size_t words = (size_t)(entry - (uint64_t *)(void *)v6->buckets);
	return words / EDGE_BUCKET_WORDS * v6->entries + words % EDGE_BUCKET_WORDS / v6->words;
}

int v6_table_set(struct ban_table *table, const struct ban_place *ban, uint32_t now_ticks, size_t *ret_at)
{
	struct v6_table v6 = table_of(table, ban->length);
	struct v6_key key = key_of(ban->length, &ban->address);
	uint32_t bucket = bucket_of(table, &v6, &key);
	uint64_t *entry = entry_of(&v6, bucket, &key);
	bool fresh = entry == NULL;
	if (entry == NULL)
		entry = room_in(&v6, bucket, now_ticks);
	if (entry == NULL)
		entry = room_in(&v6, spill_of(&v6, bucket), now_ticks);
	if (entry == NULL)
		return BAN_TABLE_FULL;
	if (!fresh) {
		ban_word_store(word_of(&v6, entry), (ban->word & BAN_WORD_MASK) | (uint64_t)key.kind << 44);
	} else {
		struct v6_key over = key_at(&v6, entry);
		if (*word_of(&v6, entry) != 0)
			ban_table_count(table, length_of(&over), -1);
		entry_write(&v6, entry, &key, ban->word);
		ban_table_count(table, ban->length, 1);
	}
	*ret_at = place_of(&v6, entry);
	return 0;
}

/* An entry of the spill that belongs into this bucket; NULL: none. */
static uint64_t *spilled_of(const struct ban_table *table, const struct v6_table *v6, uint32_t bucket)
{
	for (unsigned i = 0; i < v6->entries * EDGE_SPILL_BUCKETS; i++) {
		uint64_t *entry = entry_at(v6, spill_of(v6, bucket), i);
		struct v6_key key = key_at(v6, entry);
		if (*word_of(v6, entry) != 0 && bucket_of(table, v6, &key) == bucket)
			return entry;
	}
	return NULL;
}

int v6_table_lift(struct ban_table *table, enum edge_length length, const struct address *address)
{
	struct v6_table v6 = table_of(table, length);
	struct v6_key key = key_of(length, address);
	uint32_t bucket = bucket_of(table, &v6, &key);
	uint64_t *entry = entry_of(&v6, bucket, &key), *from = NULL;
	if (entry == NULL)
		return BAN_TABLE_ABSENT;
	if (entry == entry_in(&v6, bucket, &key) && (from = spilled_of(table, &v6, bucket)) != NULL) {
		struct v6_key moved = key_at(&v6, from);
		entry_write(&v6, entry, &moved, *word_of(&v6, from));
		entry = from;
	}
	ban_word_store(word_of(&v6, entry), 0);
	ban_table_count(table, length, -1);
	return 0;
}

uint64_t v6_table_find(const struct ban_table *table, enum edge_length length, const struct address *address)
{
	struct v6_table v6 = table_of(table, length);
	struct v6_key key = key_of(length, address);
	uint64_t *entry = entry_of(&v6, bucket_of(table, &v6, &key), &key);
	return entry == NULL ? 0 : *word_of(&v6, entry);
}

size_t v6_table_places(const struct ban_table *table, enum edge_length length)
{
	struct v6_table v6 = table_of(table, length);
	return (size_t)edge_shape_entries(v6.shape) * v6.entries;
}

bool v6_table_at(const struct ban_table *table, enum edge_length length, size_t at, struct ban_place *ret_ban)
{
	struct v6_table v6 = table_of(table, length);
	uint64_t *entry = entry_at(&v6, at / v6.entries, (unsigned)(at % v6.entries)), word = *word_of(&v6, entry);
	struct v6_key key = key_at(&v6, entry);
	if (word == 0)
		return false;
	*ret_ban = (struct ban_place){length_of(&key), address_from_words(key.high, key.low), word};
	return true;
}

void v6_table_mend(struct ban_table *table)
{
	static const enum edge_length TABLES[] = {EDGE_V6_128, EDGE_V6_64};
	uint32_t counts[EDGE_LENGTHS] = {0};
	for (unsigned t = 0; t < sizeof(TABLES) / sizeof(TABLES[0]); t++) {
		struct v6_table v6 = table_of(table, TABLES[t]);
		struct ban_place ban;
		for (size_t at = 0; at < v6_table_places(table, TABLES[t]); at++) {
			if (!v6_table_at(table, TABLES[t], at, &ban))
				continue;
			uint64_t *entry = entry_at(&v6, at / v6.entries, (unsigned)(at % v6.entries));
			struct v6_key key = key_at(&v6, entry);
			if (entry_of(&v6, bucket_of(table, &v6, &key), &key) != entry)
				ban_word_store(word_of(&v6, entry), 0);
			else
				counts[ban.length]++;
		}
	}
	for (enum edge_length length = EDGE_V6_128; length <= EDGE_V6_48; length++)
		__atomic_store_n(&table->control->bans[length], counts[length], __ATOMIC_RELEASE);
}
