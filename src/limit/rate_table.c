#include "limit/rate_table.h"

#include "base/error.h"

enum {
	TABLE_VERSION = 1,
	BUCKET_BYTES = 64,
	SLOTS = BUCKET_BYTES / 8,
	TIME_BITS = 44,
	TRIES = 16,
};

#define TIME_MASK (((uint64_t)1 << TIME_BITS) - 1)

/* A tag in the upper bits and the time at which all is paid in the lower; 0: never used. */
struct rate_bucket {
	_Alignas(BUCKET_BYTES) uint64_t slot[SLOTS];
};

struct table_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t slots;
	uint64_t bytes;
	struct hash_key key;
	uint64_t check; /* over all above */
	uint64_t zero[2];
};

_Static_assert(sizeof(struct rate_bucket) == BUCKET_BYTES, "a bucket is a cache line");
_Static_assert(sizeof(struct table_header) == BUCKET_BYTES, "the header has the room of a bucket");

static const uint8_t MAGIC[8] = {'G', 'u', 'i', 'a', 'R', 'a', 't', 'e'};

static uint64_t header_check(const struct table_header *header)
{
	static const struct hash_key plain = {1, 2};
	return hash_bytes(&plain, slice_make(header, offsetof(struct table_header, check)));
}

static void format(struct table_header *header, size_t bytes)
{
	memset(header, 0, bytes);
	memcpy(header->magic, MAGIC, sizeof(MAGIC));
	header->version = TABLE_VERSION;
	header->slots = SLOTS;
	header->bytes = bytes;
	header->key = hash_key_random();
	header->check = header_check(header);
}

static bool header_holds(const struct table_header *header, size_t bytes)
{
	return memcmp(header->magic, MAGIC, sizeof(MAGIC)) == 0 && header->version == TABLE_VERSION &&
	       header->slots == SLOTS && header->bytes == bytes && header->check == header_check(header);
}

int rate_table_attach(struct rate_table *table, void *memory, size_t bytes)
{
	static const struct table_header none;
	struct table_header *header = memory;
	bytes -= bytes % BUCKET_BYTES;
	if (bytes < RATE_TABLE_MIN_BYTES || (uintptr_t)memory % BUCKET_BYTES != 0)
		return -EINVAL;
	int outcome = RATE_TABLE_KEPT;
	if (!header_holds(header, bytes)) {
		outcome = memcmp(header, &none, sizeof(none)) == 0 ? RATE_TABLE_NEW : RATE_TABLE_RESET;
		format(header, bytes);
	}
	*table = (struct rate_table){(struct rate_bucket *)memory + 1, bytes / BUCKET_BYTES - 1, header->key};
	return outcome;
}

struct rate_limit rate_limit_make(uint64_t per_second, uint64_t burst)
{
	if (per_second == 0)
		return (struct rate_limit){0};
	unsigned __int128 us_per_cost = ((unsigned __int128)1000000 << 32) / per_second;
	if (us_per_cost == 0)
		us_per_cost = 1;
	unsigned __int128 burst_us = burst * us_per_cost >> 32;
	return (struct rate_limit){(uint64_t)us_per_cost,
				   burst_us > RATE_DEBT_MOST_US ? RATE_DEBT_MOST_US : (uint64_t)burst_us};
}

/* ---- keys ---- */

static inline struct rate_bucket *bucket_of(const struct rate_table *table, uint64_t hash)
{
	/* The tag is of the upper bits: these are of the lower. */
	return table->buckets + (uint64_t)((unsigned __int128)(hash << (64 - TIME_BITS)) * table->count >> 64);
}

/* Never 0, so that no debtor's word is that of a slot never used. */
static inline uint64_t tag_of(uint64_t hash)
{
	uint64_t tag = hash >> TIME_BITS;
	return (tag == 0 ? 1 : tag) << TIME_BITS;
}

struct rate_key rate_key_make(const struct rate_table *table, const struct address *source, uint64_t scope)
{
	static const uint8_t bits[2][RATE_LEVELS] = {{128, 64, 48}, {128, 120, 112}};
	bool v4 = address_is_v4(source);
	uint64_t high = address_high(source), low = address_low(source);
	struct rate_key key;
	for (unsigned level = 0; level < RATE_LEVELS; level++) {
		unsigned own = bits[v4][level];
		/* The level is in the key: a prefix is not its first address. */
		const struct hash_key secret = {table->key.k0 ^ scope, table->key.k1 + level};
		key.hash[level] =
			hash_words(&secret, high & address_mask(own), own > 64 ? low & address_mask(own - 64) : 0);
		__builtin_prefetch(bucket_of(table, key.hash[level]), 1);
	}
	return key;
}

/* ---- debts ---- */

/* Times go round after 203 days; what seems owed for longer than any debt lasts was paid long ago. */
static inline uint64_t debt_of(uint64_t word, uint64_t now_us)
{
	uint64_t debt = (word - now_us) & TIME_MASK;
	return word == 0 || debt > RATE_DEBT_MOST_US ? 0 : debt;
}

/* Time in which `cost` is paid. The fraction is rounded by chance, or many small costs would count for too much. */
static inline uint64_t paying_us(const struct rate_limit *limit, uint64_t cost, uint64_t hash, uint64_t now_us)
{
	unsigned __int128 exact = (unsigned __int128)cost * limit->us_per_cost;
	uint32_t chance = (uint32_t)((hash ^ now_us) * 0x9e3779b97f4a7c15u >> 32);
	exact = (exact + chance) >> 32;
	return exact > RATE_DEBT_MOST_US ? RATE_DEBT_MOST_US : (uint64_t)exact;
}

/* The slot of the tag; where there is none, of whom one loses least by forgetting. */
static inline uint64_t *slot_of(struct rate_bucket *bucket, uint64_t tag, uint64_t now_us, uint64_t *ret_word)
{
	uint64_t *least = NULL;
	uint64_t least_debt = UINT64_MAX, least_word = 0;
	for (unsigned i = 0; i < SLOTS; i++) {
		uint64_t word = __atomic_load_n(&bucket->slot[i], __ATOMIC_RELAXED);
		if ((word & ~TIME_MASK) == tag) {
			*ret_word = word;
			return &bucket->slot[i];
		}
		uint64_t debt = debt_of(word, now_us);
		if (debt < least_debt) {
			least = &bucket->slot[i];
			least_debt = debt;
			least_word = word;
		}
	}
	*ret_word = least_word;
	return least;
}

static inline uint64_t debt_at(const struct rate_table *table, uint64_t hash, uint64_t now_us)
{
	uint64_t word, tag = tag_of(hash);
	(void)slot_of(bucket_of(table, hash), tag, now_us, &word);
	return (word & ~TIME_MASK) == tag ? debt_of(word, now_us) : 0;
}

static inline void owe(const struct rate_table *table, uint64_t hash, uint64_t more_us, uint64_t now_us)
{
	struct rate_bucket *bucket = bucket_of(table, hash);
	uint64_t tag = tag_of(hash);
	/* Where others are so often quicker the debt is theirs to count. */
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t word;
		uint64_t *slot = slot_of(bucket, tag, now_us, &word);
		uint64_t debt = more_us + ((word & ~TIME_MASK) == tag ? debt_of(word, now_us) : 0);
		uint64_t owed = tag | ((now_us + (debt > RATE_DEBT_MOST_US ? RATE_DEBT_MOST_US : debt)) & TIME_MASK);
		if (__atomic_compare_exchange_n(slot, &word, owed, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return;
	}
}

unsigned rate_table_admit(const struct rate_table *table, const struct rate_key *key, const struct rate_limits *limits,
			  uint64_t cost, uint64_t now_us)
{
	uint64_t more_us[RATE_LEVELS];
	for (unsigned level = 0; level < RATE_LEVELS; level++) {
		const struct rate_limit *limit = &limits->level[level];
		more_us[level] = paying_us(limit, cost, key->hash[level], now_us);
		if (limit->us_per_cost == 0)
			continue;
		uint64_t debt = debt_at(table, key->hash[level], now_us);
		if (debt != 0 && debt + more_us[level] > limit->burst_us)
			return level + 1;
	}
	for (unsigned level = 0; level < RATE_LEVELS; level++)
		if (more_us[level] != 0)
			owe(table, key->hash[level], more_us[level], now_us);
	return RATE_ADMITTED;
}

void rate_table_charge(const struct rate_table *table, const struct rate_key *key, const struct rate_limits *limits,
		       uint64_t cost, uint64_t now_us)
{
	for (unsigned level = 0; level < RATE_LEVELS; level++) {
		uint64_t more_us = paying_us(&limits->level[level], cost, key->hash[level], now_us);
		if (more_us != 0)
			owe(table, key->hash[level], more_us, now_us);
	}
}

uint64_t rate_table_debt_us(const struct rate_table *table, const struct rate_key *key, unsigned level, uint64_t now_us)
{
	return level < RATE_LEVELS ? debt_at(table, key->hash[level], now_us) : 0;
}

uint64_t rate_table_debtors(const struct rate_table *table, uint64_t first, uint64_t count, uint64_t now_us)
{
	uint64_t debtors = 0;
	for (uint64_t i = first; i < table->count && i - first < count; i++)
		for (unsigned slot = 0; slot < SLOTS; slot++)
			debtors +=
				debt_of(__atomic_load_n(&table->buckets[i].slot[slot], __ATOMIC_RELAXED), now_us) != 0;
	return debtors;
}
