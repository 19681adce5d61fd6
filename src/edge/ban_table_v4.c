/* IPv4: hashed buckets of words for /32 and /24, a plain array for /16. */
#include "edge/ban_table_inside.h"

struct v4_table {
	struct edge_bucket *buckets;
	const struct edge_shape *shape;
	uint32_t bits;
};

static struct v4_table table_of(const struct ban_table *table, enum edge_length length)
{
	const struct edge_geometry *geometry = &table->control->geometry;
	if (length == EDGE_V4_32)
		return (struct v4_table){table->v4_32, &geometry->v4_32, 32};
	return (struct v4_table){table->v4_24, &geometry->v4_24, 24};
}

static uint32_t key_of(enum edge_length length, const struct address *address)
{
	uint32_t whole = (uint32_t)address_low(address);
	return length == EDGE_V4_32 ? whole : length == EDGE_V4_24 ? whole >> 8 : whole >> 16;
}

static struct edge_v4_place place_of(const struct ban_table *table, const struct v4_table *v4, uint32_t key)
{
	uint32_t mixed = edge_mix(key, v4->bits, table->control->geometry.seeds);
	return edge_v4_place(mixed, v4->bits, v4->shape->bucket_bits, v4->shape->spill_bits);
}

/* The key of a word that lies in a bucket of the table or its spill. */
static uint32_t key_at(const struct ban_table *table, const struct v4_table *v4, uint32_t bucket, uint32_t rest)
{
	const uint64_t *seeds = table->control->geometry.seeds;
	uint32_t low_bits = v4->bits - v4->shape->bucket_bits, buckets = 1u << v4->shape->bucket_bits;
	uint32_t mask = v4->bits == 32 ? ~0u : (1u << v4->bits) - 1;
	if (bucket >= buckets) {
		bucket = rest >> low_bits << v4->shape->spill_bits | (bucket - buckets) / EDGE_SPILL_BUCKETS;
		rest &= (1u << low_bits) - 1;
	}
	uint32_t key = bucket << low_bits | rest;
	for (unsigned step = 2; step-- > 0;) {
		uint32_t odd = (uint32_t)seeds[step], inverse = odd;
		for (unsigned i = 0; i < 5; i++) /* Newton's, each with twice as many bits right */
			inverse *= 2 - odd * inverse;
		key ^= key >> v4->bits / 2;
		key = key * inverse & mask;
	}
	return key;
}

/* A run of words is a bucket's, or that of the two of a spill. */
enum { SPILL_WORDS = EDGE_SPILL_BUCKETS * EDGE_BUCKET_WORDS };

static uint64_t *words_of(const struct v4_table *v4, uint32_t bucket)
{
	return v4->buckets[0].words + (size_t)bucket * EDGE_BUCKET_WORDS;
}

static uint64_t *word_find(uint64_t *words, unsigned count, uint32_t rest)
{
	for (unsigned i = 0; i < count; i++)
		if (words[i] != 0 && edge_word_rest(words[i]) == rest)
			return &words[i];
	return NULL;
}

/* Where a key's word is; NULL: nowhere. */
static uint64_t *word_of(const struct v4_table *v4, const struct edge_v4_place *place)
{
	uint64_t *word = word_find(words_of(v4, place->bucket), EDGE_BUCKET_WORDS, place->rest);
	return word != NULL ? word : word_find(words_of(v4, place->spill), SPILL_WORDS, place->spill_rest);
}

/* A free place, else one whose ban is over. */
static uint64_t *room_in(uint64_t *words, unsigned count, uint32_t now_ticks)
{
	uint64_t *over = NULL;
	for (unsigned i = 0; i < count; i++) {
		if (words[i] == 0)
			return &words[i];
		if (ban_word_is_over(words[i], now_ticks))
			over = &words[i];
	}
	return over;
}

static uint32_t bucket_of(const struct v4_table *v4, const uint64_t *word)
{
	return (uint32_t)((size_t)(word - v4->buckets[0].words) / EDGE_BUCKET_WORDS);
}

static int hashed_set(struct ban_table *table, const struct ban_place *ban, uint32_t now_ticks, size_t *ret_at)
{
	struct v4_table v4 = table_of(table, ban->length);
	uint32_t key = key_of(ban->length, &ban->address);
	struct edge_v4_place place = place_of(table, &v4, key);
	uint64_t *at = word_of(&v4, &place);
	bool fresh = at == NULL;
	if (at == NULL)
		at = room_in(words_of(&v4, place.bucket), EDGE_BUCKET_WORDS, now_ticks);
	if (at == NULL)
		at = room_in(words_of(&v4, place.spill), SPILL_WORDS, now_ticks);
	if (at == NULL)
		return BAN_TABLE_FULL;
	uint32_t bucket = bucket_of(&v4, at), rest = bucket == place.bucket ? place.rest : place.spill_rest;
	if (fresh && *at != 0)
		ban_table_count(table, ban->length, -1);
	ban_word_store(at, (ban->word & BAN_WORD_MASK) | (uint64_t)rest << 44);
	if (fresh)
		ban_table_count(table, ban->length, 1);
	*ret_at = (size_t)(at - v4.buckets[0].words);
	return 0;
}

/* A word of the spill that belongs into this bucket, and the form that it has there; NULL: none. */
static uint64_t *spilled_of(const struct v4_table *v4, uint32_t bucket, uint64_t *ret_word)
{
	uint32_t low_bits = v4->bits - v4->shape->bucket_bits, spill_bits = v4->shape->spill_bits;
	uint32_t spill = (1u << v4->shape->bucket_bits) + EDGE_SPILL_BUCKETS * (bucket & ((1u << spill_bits) - 1));
	uint64_t *words = words_of(v4, spill);
	for (unsigned i = 0; i < SPILL_WORDS; i++) {
		uint64_t word = words[i];
		uint32_t rest = edge_word_rest(word);
		if (word == 0 || rest >> low_bits != bucket >> spill_bits)
			continue;
		*ret_word = (word & BAN_WORD_MASK) | (uint64_t)(rest & ((1u << low_bits) - 1)) << 44;
		return &words[i];
	}
	return NULL;
}

static int hashed_lift(struct ban_table *table, enum edge_length length, const struct address *address)
{
	struct v4_table v4 = table_of(table, length);
	uint32_t key = key_of(length, address);
	struct edge_v4_place place = place_of(table, &v4, key);
	uint64_t *at = word_of(&v4, &place), *from = NULL, moved = 0;
	if (at == NULL)
		return BAN_TABLE_ABSENT;
	if (bucket_of(&v4, at) == place.bucket)
		from = spilled_of(&v4, place.bucket, &moved);
	ban_word_store(at, moved);
	if (from != NULL)
		ban_word_store(from, 0);
	ban_table_count(table, length, -1);
	return 0;
}

int v4_table_set(struct ban_table *table, const struct ban_place *ban, uint32_t now_ticks, size_t *ret_at)
{
	if (ban->length != EDGE_V4_16)
		return hashed_set(table, ban, now_ticks, ret_at);
	uint32_t key = key_of(EDGE_V4_16, &ban->address);
	if (table->v4_16[key] == 0)
		ban_table_count(table, EDGE_V4_16, 1);
	ban_word_store(&table->v4_16[key], ban->word & BAN_WORD_MASK);
	*ret_at = key;
	return 0;
}

int v4_table_lift(struct ban_table *table, enum edge_length length, const struct address *address)
{
	if (length != EDGE_V4_16)
		return hashed_lift(table, length, address);
	uint32_t key = key_of(EDGE_V4_16, address);
	if (table->v4_16[key] == 0)
		return BAN_TABLE_ABSENT;
	ban_word_store(&table->v4_16[key], 0);
	ban_table_count(table, EDGE_V4_16, -1);
	return 0;
}

uint64_t v4_table_find(const struct ban_table *table, enum edge_length length, const struct address *address)
{
	uint32_t key = key_of(length, address);
	if (length == EDGE_V4_16)
		return table->v4_16[key];
	struct v4_table v4 = table_of(table, length);
	struct edge_v4_place place = place_of(table, &v4, key);
	uint64_t *at = word_of(&v4, &place);
	return at == NULL ? 0 : *at;
}

size_t v4_table_places(const struct ban_table *table, enum edge_length length)
{
	if (length == EDGE_V4_16)
		return (size_t)1 << 16;
	return (size_t)edge_shape_entries(table_of(table, length).shape) * EDGE_BUCKET_WORDS;
}

bool v4_table_at(const struct ban_table *table, enum edge_length length, size_t at, struct ban_place *ret_ban)
{
	uint64_t word = length == EDGE_V4_16 ? table->v4_16[at] : table_of(table, length).buckets[0].words[at];
	uint32_t key = (uint32_t)at, shift = length == EDGE_V4_32 ? 0 : length == EDGE_V4_24 ? 8 : 16;
	if (word == 0)
		return false;
	if (length != EDGE_V4_16) {
		struct v4_table v4 = table_of(table, length);
		key = key_at(table, &v4, (uint32_t)(at / EDGE_BUCKET_WORDS), edge_word_rest(word));
	}
	*ret_ban = (struct ban_place){length, address_from_words(0, 0xffff00000000 | (uint64_t)key << shift), word};
	return true;
}

/* -> how many there are */
static uint32_t hashed_mend(struct ban_table *table, enum edge_length length)
{
	struct v4_table v4 = table_of(table, length);
	struct ban_place ban;
	uint32_t count = 0;
	for (size_t at = 0; at < v4_table_places(table, length); at++) {
		if (!v4_table_at(table, length, at, &ban))
			continue;
		struct edge_v4_place place = place_of(table, &v4, key_of(length, &ban.address));
		uint64_t *word = &v4.buckets[0].words[at];
		if (word_of(&v4, &place) == word)
			count++;
		else
			ban_word_store(word, 0);
	}
	return count;
}

void v4_table_mend(struct ban_table *table)
{
	uint32_t counts[EDGE_V6_128] = {0};
	counts[EDGE_V4_32] = hashed_mend(table, EDGE_V4_32);
	counts[EDGE_V4_24] = hashed_mend(table, EDGE_V4_24);
	for (uint32_t key = 0; key <= UINT16_MAX; key++)
		counts[EDGE_V4_16] += table->v4_16[key] != 0;
	for (enum edge_length length = EDGE_V4_32; length <= EDGE_V4_16; length++)
		__atomic_store_n(&table->control->bans[length], counts[length], __ATOMIC_RELEASE);
}
