/*
 * A slot is a tag of 20 bits and a time of 44. The network chooses a page, in which its own bucket and those of its
 * sources lie; regions have pages of their own, the first ones.
 */
#include "limit/rate_table.h"

#include "base/error.h"

enum {
	TABLE_VERSION = 1,
	PAGE_BYTES = 4096,
	BUCKET_BYTES = 64,
	PAGE_BUCKETS = PAGE_BYTES / BUCKET_BYTES,
	REGION_SHARE = 16, /* of so many pages one is for regions */
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
	bytes -= bytes % PAGE_BYTES;
	if (bytes < RATE_TABLE_MIN_BYTES || (uintptr_t)memory % PAGE_BYTES != 0)
		return -EINVAL;
	int outcome = RATE_TABLE_KEPT;
	if (!header_holds(header, bytes)) {
		outcome = memcmp(header, &none, sizeof(none)) == 0 ? RATE_TABLE_NEW : RATE_TABLE_RESET;
		format(header, bytes);
	}
	/* The header has a page of its own. */
	*table = (struct rate_table){(struct rate_bucket *)memory + PAGE_BUCKETS, bytes / PAGE_BYTES - 1, header->key};
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

/* One of `count`, by bits of a hash that are not in the tag. */
static inline uint64_t pick(uint64_t hash, uint64_t count)
{
	return (uint64_t)((unsigned __int128)(hash << (64 - TIME_BITS)) * count >> 64);
}

/* Never 0, so that no debtor's word is that of a slot never used. */
static inline uint64_t tag_of(uint64_t hash)
{
	uint64_t tag = hash >> TIME_BITS;
	return (tag == 0 ? 1 : tag) << TIME_BITS;
}

struct rate_key rate_key_make(const struct rate_table *table, const struct address *source, uint64_t scope)
{
	const uint8_t *own = source_level_bits(source);
	uint64_t high = address_high(source), low = address_low(source);
	uint64_t regions = (table->pages + REGION_SHARE - 1) / REGION_SHARE;
	uint64_t hash[RATE_LEVELS];
	for (unsigned level = 0; level < RATE_LEVELS; level++) {
		/* The level is in the key: a prefix is not its first address. */
		const struct hash_key secret = {table->key.k0 ^ scope, table->key.k1 + level};
		hash[level] = hash_words(&secret, high & address_mask(own[level]),
					 own[level] > 64 ? low & address_mask(own[level] - 64u) : 0);
	}
	struct rate_bucket *page = table->buckets + (regions + pick(hash[1], table->pages - regions)) * PAGE_BUCKETS;
	struct rate_key key = {{page + hash[0] % PAGE_BUCKETS, page + hash[1] % PAGE_BUCKETS,
				table->buckets + pick(hash[2], regions * PAGE_BUCKETS)},
			       {tag_of(hash[0]), tag_of(hash[1]), tag_of(hash[2])}};
	for (unsigned level = 0; level < RATE_LEVELS; level++)
		__builtin_prefetch(key.bucket[level], 1);
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
static inline uint64_t paying_us(const struct rate_limit *limit, uint64_t cost, uint64_t tag, uint64_t now_us)
{
	unsigned __int128 exact = (unsigned __int128)cost * limit->us_per_cost;
	uint32_t chance = (uint32_t)((tag ^ now_us) * HASH_SPREAD >> 32);
	exact = (exact + chance) >> 32;
	return exact > RATE_DEBT_MOST_US ? RATE_DEBT_MOST_US : (uint64_t)exact;
}

/* A debtor's place as it was read: what is owed, and where that may be changed. */
struct place {
	uint64_t *slot;
	uint64_t word;
	uint64_t debt_us; /* 0 too where the place is another's */
};

/*
 * The slot of the tag; where there is none, that of whom one loses least by forgetting. No branch depends on what is
 * read, for it would be foreseen wrongly as often as not.
 */
static inline struct place place_of(struct rate_bucket *bucket, uint64_t tag, uint64_t now_us)
{
	uint64_t least = UINT64_MAX, least_word = 0, at = 0;
	for (uint64_t i = 0; i < SLOTS; i++) {
		uint64_t word = __atomic_load_n(&bucket->slot[i], __ATOMIC_RELAXED);
		uint64_t loss = (word ^ tag) >> TIME_BITS == 0 ? 0 : debt_of(word, now_us) + 1;
		bool less = loss < least;
		least = less ? loss : least;
		least_word = less ? word : least_word;
		at = less ? i : at;
	}
	return (struct place){&bucket->slot[at], least_word, least == 0 ? debt_of(least_word, now_us) : 0};
}

static inline bool place_take(struct place *place, uint64_t tag, uint64_t more_us, uint64_t now_us)
{
	uint64_t debt = place->debt_us + more_us;
	uint64_t word = tag | ((now_us + (debt > RATE_DEBT_MOST_US ? RATE_DEBT_MOST_US : debt)) & TIME_MASK);
	return __atomic_compare_exchange_n(place->slot, &place->word, word, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline void owe(struct rate_bucket *bucket, uint64_t tag, uint64_t more_us, uint64_t now_us)
{
	/* Where others are so often quicker the debt is theirs to count. */
	for (unsigned i = 0; i < TRIES; i++) {
		struct place place = place_of(bucket, tag, now_us);
		if (place_take(&place, tag, more_us, now_us))
			return;
	}
}

unsigned rate_table_admit(const struct rate_key *key, const struct rate_limits *limits, uint64_t cost, uint64_t now_us)
{
	uint64_t more_us[RATE_LEVELS];
	struct place place[RATE_LEVELS];
	for (unsigned level = 0; level < RATE_LEVELS; level++) {
		const struct rate_limit *limit = &limits->level[level];
		more_us[level] = paying_us(limit, cost, key->tag[level], now_us);
		place[level] = place_of(key->bucket[level], key->tag[level], now_us);
		uint64_t debt = place[level].debt_us;
		if (debt != 0 && limit->us_per_cost != 0 && debt + more_us[level] > limit->burst_us)
			return level + 1;
	}
	for (unsigned level = 0; level < RATE_LEVELS; level++)
		if (more_us[level] != 0 && !place_take(&place[level], key->tag[level], more_us[level], now_us))
			owe(key->bucket[level], key->tag[level], more_us[level], now_us);
	return RATE_ADMITTED;
}

void rate_table_charge(const struct rate_key *key, const struct rate_limits *limits, uint64_t cost, uint64_t now_us)
{
	for (unsigned level = 0; level < RATE_LEVELS; level++) {
		uint64_t more_us = paying_us(&limits->level[level], cost, key->tag[level], now_us);
		if (more_us != 0)
			owe(key->bucket[level], key->tag[level], more_us, now_us);
	}
}

uint64_t rate_table_debt_us(const struct rate_key *key, unsigned level, uint64_t now_us)
{
	return level < RATE_LEVELS ? place_of(key->bucket[level], key->tag[level], now_us).debt_us : 0;
}

struct rate_table_facts rate_table_facts(const struct rate_table *table, uint64_t first, uint64_t count,
					 uint64_t now_us)
{
	struct rate_table_facts facts = {0};
	for (uint64_t page = first; page < table->pages && page - first < count; page++) {
		facts.places += PAGE_BUCKETS * SLOTS;
		for (uint64_t i = 0; i < PAGE_BUCKETS * SLOTS; i++) {
			const struct rate_bucket *bucket = &table->buckets[page * PAGE_BUCKETS + i / SLOTS];
			uint64_t word = __atomic_load_n(&bucket->slot[i % SLOTS], __ATOMIC_RELAXED);
			facts.debtors += debt_of(word, now_us) != 0;
		}
	}
	return facts;
}
