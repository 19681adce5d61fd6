/*
 * Header, owners, then shares. A share's worker changes it by plain stores of whole words; readers add up the shares
 * whose owner is marked as counting, which is from when it was emptied.
 */
#include "limit/connection_counts.h"

#include "base/error.h"

enum {
	COUNTS_VERSION = 1,
	BUCKET_BYTES = 64,
	SLOTS = 7,
	COUNT_BITS = 24,
	SHARES_MOST = 1024,
	CONNECTIONS_MOST = 1 << 22,
};

#define COUNT_MASK   (((uint64_t)1 << COUNT_BITS) - 1)
#define OWNER_COUNTS ((uint64_t)1 << 63) /* the share is ready, and is part of every sum */

struct connection_bucket {
	_Alignas(BUCKET_BYTES) uint64_t slot[SLOTS]; /* tag and count; 0: free */
	uint64_t passed; /* keys that would stand here, or passed by, but for want of room */
};

struct counts_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t shares;
	uint32_t connections;
	uint32_t zero;
	struct hash_key key;
	uint64_t check; /* over all above */
	uint64_t zeroes[2];
};

_Static_assert(sizeof(struct connection_bucket) == BUCKET_BYTES, "a bucket is a cache line");
_Static_assert(sizeof(struct counts_header) == BUCKET_BYTES, "the header is one too");

static const uint8_t MAGIC[8] = {'G', 'u', 'i', 'a', 'C', 'o', 'n', 'n'};

/* ---- layout ---- */

/* Three keys a connection at most, in twice as many places. */
static uint64_t buckets_of_share(uint32_t connections)
{
	return ((uint64_t)connections * CONNECTION_LEVELS * 2 + SLOTS - 1) / SLOTS + 1;
}

static size_t owners_bytes(uint32_t shares)
{
	return (shares * sizeof(uint64_t) + BUCKET_BYTES - 1) / BUCKET_BYTES * BUCKET_BYTES;
}

size_t connection_counts_bytes(uint32_t shares, uint32_t connections)
{
	if (shares == 0 || shares > SHARES_MOST || connections == 0 || connections > CONNECTIONS_MOST)
		return 0;
	return sizeof(struct counts_header) + owners_bytes(shares) +
	       (size_t)shares * buckets_of_share(connections) * BUCKET_BYTES;
}

static uint64_t header_check(const struct counts_header *header)
{
	static const struct hash_key plain = {3, 4};
	return hash_bytes(&plain, slice_make(header, offsetof(struct counts_header, check)));
}

static bool header_holds(const struct counts_header *header, uint32_t shares, uint32_t connections)
{
	return memcmp(header->magic, MAGIC, sizeof(MAGIC)) == 0 && header->version == COUNTS_VERSION &&
	       header->shares == shares && header->connections == connections && header->check == header_check(header);
}

int connection_counts_attach(struct connection_counts *counts, void *memory, size_t bytes, uint32_t shares,
			     uint32_t connections)
{
	static const struct counts_header none;
	struct counts_header *header = memory;
	size_t needed = connection_counts_bytes(shares, connections);
	if (needed == 0 || bytes < needed || (uintptr_t)memory % BUCKET_BYTES != 0)
		return -EINVAL;
	int outcome = CONNECTION_COUNTS_KEPT;
	if (!header_holds(header, shares, connections)) {
		outcome = memcmp(header, &none, sizeof(none)) == 0 ? CONNECTION_COUNTS_NEW : CONNECTION_COUNTS_RESET;
		if (outcome == CONNECTION_COUNTS_RESET)
			memset(memory, 0, needed);
		*header =
			(struct counts_header){.version = COUNTS_VERSION, .shares = shares, .connections = connections};
		memcpy(header->magic, MAGIC, sizeof(MAGIC));
		header->key = hash_key_random();
		header->check = header_check(header);
	}
	uint8_t *owners = (uint8_t *)memory + sizeof(*header);
	*counts = (struct connection_counts){
		.owners = (uint64_t *)owners,
		.buckets = (struct connection_bucket *)(owners + owners_bytes(shares)),
		.share_buckets = buckets_of_share(connections),
		.shares = shares,
		.own = shares,
		.connections = connections,
		.key = header->key,
	};
	return outcome;
}

/* ---- shares ---- */

static bool owner_take(uint64_t *owner, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(owner, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static uint64_t owner_of(const struct connection_counts *counts, uint32_t share)
{
	return __atomic_load_n(&counts->owners[share], __ATOMIC_ACQUIRE);
}

static struct connection_bucket *share_of(const struct connection_counts *counts, uint32_t share)
{
	return counts->buckets + share * counts->share_buckets;
}

int connection_counts_join(struct connection_counts *counts, uint64_t owner, connection_owner_alive *alive,
			   void *context)
{
	for (uint32_t share = 0; share < counts->shares; share++) {
		uint64_t held = owner_of(counts, share);
		if (held != 0 && alive(held & ~OWNER_COUNTS, context))
			continue;
		/* Without the mark the share is no part of any sum until it is empty. */
		if (!owner_take(&counts->owners[share], held, owner))
			continue;
		memset(share_of(counts, share), 0, counts->share_buckets * BUCKET_BYTES);
		__atomic_store_n(&counts->owners[share], owner | OWNER_COUNTS, __ATOMIC_RELEASE);
		counts->own = share;
		counts->room = counts->connections;
		return 0;
	}
	return CONNECTION_COUNTS_FULL;
}

void connection_counts_leave(struct connection_counts *counts)
{
	if (counts->own < counts->shares)
		__atomic_store_n(&counts->owners[counts->own], 0, __ATOMIC_RELEASE);
	counts->own = counts->shares;
}

void connection_counts_bury(struct connection_counts *counts, connection_owner_alive *alive, void *context)
{
	for (uint32_t share = 0; share < counts->shares; share++) {
		uint64_t held = owner_of(counts, share);
		if (share != counts->own && held != 0 && !alive(held & ~OWNER_COUNTS, context))
			(void)owner_take(&counts->owners[share], held, 0);
	}
}

/* ---- keys ---- */

static void hash_levels(const struct connection_counts *counts, const struct address *source,
			uint64_t ret_hash[CONNECTION_LEVELS])
{
	const uint8_t *own = source_level_bits(source);
	for (unsigned level = 0; level < CONNECTION_LEVELS; level++) {
		const struct hash_key secret = {counts->key.k0, counts->key.k1 + level};
		struct prefix prefix = address_prefix(source, own[level]);
		ret_hash[level] = hash_words(&secret, address_high(&prefix.address), address_low(&prefix.address));
	}
}

static uint64_t home_of(const struct connection_counts *counts, uint64_t hash)
{
	return (uint64_t)((unsigned __int128)(hash << COUNT_BITS) * counts->share_buckets >> 64);
}

/* Never 0. */
static uint64_t tag_of(uint64_t hash)
{
	uint64_t tag = hash & ~COUNT_MASK;
	return tag == 0 ? COUNT_MASK + 1 : tag;
}

static uint64_t slot_load(const uint64_t *slot)
{
	return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

static void slot_store(uint64_t *slot, uint64_t word)
{
	__atomic_store_n(slot, word, __ATOMIC_RELAXED);
}

/* ---- a share's own writer ---- */

/* Where the key is counted, or the first free place on its way; slots are numbered through the share, from 1. 0: full.
 */
static uint32_t slot_find(const struct connection_counts *counts, uint64_t hash, bool *ret_found)
{
	const struct connection_bucket *share = share_of(counts, counts->own);
	uint64_t at = home_of(counts, hash), tag = tag_of(hash);
	uint32_t free_slot = 0;
	*ret_found = false;
	for (uint64_t seen = 0; seen < counts->share_buckets; seen++) {
		const struct connection_bucket *bucket = &share[at];
		for (unsigned i = 0; i < SLOTS; i++) {
			uint64_t word = slot_load(&bucket->slot[i]);
			if (word != 0 && (word & ~COUNT_MASK) == tag) {
				*ret_found = true;
				return (uint32_t)(at * SLOTS + i + 1);
			}
			if (word == 0 && free_slot == 0)
				free_slot = (uint32_t)(at * SLOTS + i + 1);
		}
		if (free_slot != 0 && slot_load(&bucket->passed) == 0)
			break;
		at = at + 1 == counts->share_buckets ? 0 : at + 1;
	}
	return free_slot;
}

/* Marks, or unmarks, the buckets that the key passes on the way from its home to its slot. */
static void mark_way(const struct connection_counts *counts, uint64_t hash, uint32_t slot, int64_t change)
{
	struct connection_bucket *share = share_of(counts, counts->own);
	uint64_t end = (slot - 1) / SLOTS;
	for (uint64_t at = home_of(counts, hash); at != end; at = at + 1 == counts->share_buckets ? 0 : at + 1)
		slot_store(&share[at].passed, slot_load(&share[at].passed) + (uint64_t)change);
}

static uint64_t *slot_at(const struct connection_counts *counts, uint32_t slot)
{
	return &share_of(counts, counts->own)[(slot - 1) / SLOTS].slot[(slot - 1) % SLOTS];
}

int connection_counts_open(struct connection_counts *counts, const struct address *source,
			   struct connection_ticket *ret_ticket)
{
	*ret_ticket = (struct connection_ticket){0};
	if (counts->own == counts->shares || counts->room == 0)
		return CONNECTION_COUNTS_FULL;
	counts->room--;
	hash_levels(counts, source, ret_ticket->hash);
	for (unsigned level = 0; level < CONNECTION_LEVELS; level++) {
		uint64_t hash = ret_ticket->hash[level];
		bool found;
		uint32_t slot = slot_find(counts, hash, &found);
		uint64_t *word = slot_at(counts, slot);
		if (!found)
			mark_way(counts, hash, slot, 1);
		slot_store(word, found ? slot_load(word) + 1 : tag_of(hash) + 1);
		ret_ticket->slot[level] = slot;
	}
	return 0;
}

void connection_counts_close(struct connection_counts *counts, struct connection_ticket *ticket)
{
	if (ticket->slot[0] == 0 || counts->own == counts->shares)
		return;
	for (unsigned level = 0; level < CONNECTION_LEVELS; level++) {
		uint64_t *word = slot_at(counts, ticket->slot[level]);
		uint64_t left = slot_load(word) - 1;
		slot_store(word, (left & COUNT_MASK) == 0 ? 0 : left);
		if ((left & COUNT_MASK) == 0)
			mark_way(counts, ticket->hash[level], ticket->slot[level], -1);
	}
	counts->room++;
	*ticket = (struct connection_ticket){0};
}

/* ---- readers ---- */

static uint32_t count_in_share(const struct connection_counts *counts, uint32_t number, uint64_t hash)
{
	const struct connection_bucket *share = share_of(counts, number);
	uint64_t at = home_of(counts, hash), tag = tag_of(hash);
	for (uint64_t seen = 0; seen < counts->share_buckets; seen++) {
		for (unsigned i = 0; i < SLOTS; i++) {
			uint64_t word = slot_load(&share[at].slot[i]);
			if (word != 0 && (word & ~COUNT_MASK) == tag)
				return (uint32_t)(word & COUNT_MASK);
		}
		if (slot_load(&share[at].passed) == 0)
			return 0;
		at = at + 1 == counts->share_buckets ? 0 : at + 1;
	}
	return 0;
}

struct connection_count connection_counts_of(const struct connection_counts *counts, const struct address *source)
{
	uint64_t hash[CONNECTION_LEVELS];
	struct connection_count sum = {0};
	hash_levels(counts, source, hash);
	for (uint32_t share = 0; share < counts->shares; share++) {
		if ((owner_of(counts, share) & OWNER_COUNTS) == 0)
			continue;
		for (unsigned level = 0; level < CONNECTION_LEVELS; level++)
			sum.open[level] += count_in_share(counts, share, hash[level]);
	}
	return sum;
}

uint64_t connection_counts_all(const struct connection_counts *counts)
{
	uint64_t sum = 0;
	for (uint32_t share = 0; share < counts->shares; share++) {
		if ((owner_of(counts, share) & OWNER_COUNTS) == 0)
			continue;
		for (uint64_t i = 0; i < counts->share_buckets * SLOTS; i++)
			sum += slot_load(&share_of(counts, share)[i / SLOTS].slot[i % SLOTS]) & COUNT_MASK;
	}
	return sum / CONNECTION_LEVELS;
}
