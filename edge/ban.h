/*
 * Whether an address is banned: of each length of prefix that there are bans of, the longest first, a filter that lies
 * in the processor's cache and that nearly all who are not banned end at, then a table, one line of memory. Where
 * nearly all who come are banned the filter would tell nothing: then the tables are asked at once.
 */
#ifndef GUIA_EDGE_BAN_H
#define GUIA_EDGE_BAN_H

#include "packet.h"

enum { ALLOWS_NESTED = 16 }; /* allowances one within another that are asked, from the longest */

/* The strongest ban's word and the bits of its prefix of 128; word 0: none. */
struct ban {
	uint64_t word;
	uint32_t bits;
};

/*
 * The rank decides, and of one rank the longest prefix, which comes first. Whether it has expired is asked here, not at
 * the end: a short one that is over must not hide another.
 */
INLINE void ban_add(struct ban *ban, uint64_t word, uint32_t bits, uint32_t now)
{
	if (edge_word_expires(word) <= now)
		return;
	if (ban->word == 0 || edge_word_rank(word) > edge_word_rank(ban->word))
		*ban = (struct ban){word, bits};
}

/*
 * All ones for 0, else 0. By arithmetic: which place of a bucket it is no branch could foretell. And as little of it as
 * can be: what waits for a bucket's line keeps a processor from beginning with the next packet.
 */
INLINE uint64_t ones_if_negative(uint64_t x)
{
	barrier_var(x); /* or the compiler makes a branch of it */
	return (uint64_t)((int64_t)x >> 63);
}

INLINE uint64_t ones_if_zero(uint64_t x)
{
	return ones_if_negative(~x & (x - 1));
}

/* Whether no place of a line is free, of which words are at `first` and each `step` behind. */
INLINE int line_full(const void *line, unsigned first, unsigned step)
{
	const volatile uint64_t *words = line;
	uint64_t some_free = 0;
#pragma unroll
	for (unsigned i = first; i < EDGE_BUCKET_WORDS; i += step)
		some_free |= ones_if_zero(words[i]);
	return some_free == 0;
}

/* The word in a bucket whose rest of key is `rest`, which one has at most; 0: none. */
INLINE uint64_t bucket_find(const struct edge_bucket *bucket, uint32_t rest)
{
	uint64_t key = (uint64_t)rest << 44, found = 0;
#pragma unroll
	for (int i = 0; i < EDGE_BUCKET_WORDS; i++) {
		uint64_t other = *(const volatile uint64_t *)&bucket->words[i] ^ key;
		found |= other & ones_if_negative((other >> 44) - 1);
	}
	return found;
}

INLINE uint64_t v4_find(void *map, uint32_t key, uint32_t bits, uint32_t bucket_bits, uint32_t spill_bits)
{
	uint64_t seeds[2];
	seeds_get(seeds);
	struct edge_v4_place place = edge_v4_place(edge_mix(key, bits, seeds), bits, bucket_bits, spill_bits);
	struct edge_bucket *bucket = bpf_map_lookup_elem(map, &place.bucket);
	if (bucket == 0)
		return 0;
	uint64_t word = bucket_find(bucket, place.rest);
	if (word != 0 || !line_full(bucket, 0, 1))
		return word;
	bucket = bpf_map_lookup_elem(map, &place.spill);
	word = bucket == 0 ? 0 : bucket_find(bucket, place.spill_rest);
	place.spill++;
	if (word != 0 || (bucket = bpf_map_lookup_elem(map, &place.spill)) == 0)
		return word;
	return bucket_find(bucket, place.spill_rest);
}

enum {
	BANNED_ALL = 1 << 16,
	BANNED_MOST = BANNED_ALL / 8 * 7, /* from here on the bits are not asked */
	BANNED_SHIFT = 5,                 /* of the weight that a packet has */
};

INLINE int bits_are_asked(const struct edge_processor *mine)
{
	return mine->banned_lately < BANNED_MOST;
}

INLINE void banned_count(struct edge_processor *mine, int is_banned)
{
	uint64_t lately = mine->banned_lately;
	lately -= lately >> BANNED_SHIFT;
	mine->banned_lately = is_banned ? lately + (BANNED_ALL >> BANNED_SHIFT) : lately;
}

/* Whether a filter has what hashes so: what it lacks is not banned. */
INLINE int is_some(void *map, uint64_t hash, uint32_t some_bits)
{
	uint64_t mask = edge_some_mask(hash);
	uint32_t at = edge_some_word(hash, some_bits);
	uint64_t *word = bpf_map_lookup_elem(map, &at);
	return word == 0 || (*(volatile uint64_t *)word & mask) == mask;
}

INLINE int v4_some_has(uint32_t network, enum edge_length length)
{
	uint64_t seeds[2];
	seeds_get(seeds);
	return is_some(&v4_some, edge_some_v4(network, length, seeds), geometry.v4_some_bits);
}

INLINE struct ban v4_ban(uint32_t address, const struct edge_control *known, int ask_bits, uint32_t now)
{
	struct ban ban = {0};
	uint32_t network = address >> 16;
	uint64_t word, *whole;
	if (known->bans[EDGE_V4_32] != 0 && (!ask_bits || v4_some_has(address, EDGE_V4_32)) &&
	    (word = v4_find(&v4_32, address, 32, geometry.v4_32.bucket_bits, geometry.v4_32.spill_bits)) != 0)
		ban_add(&ban, word, 128, now);
	if (known->bans[EDGE_V4_24] != 0 && (!ask_bits || v4_some_has(address & ~0xffu, EDGE_V4_24)) &&
	    (word = v4_find(&v4_24, address >> 8, 24, geometry.v4_24.bucket_bits, geometry.v4_24.spill_bits)) != 0)
		ban_add(&ban, word, 120, now);
	if (known->bans[EDGE_V4_16] != 0 && (!ask_bits || v4_some_has(address & ~0xffffu, EDGE_V4_16)) &&
	    (whole = bpf_map_lookup_elem(&v4_16, &network)) != 0 && *whole != 0)
		ban_add(&ban, *whole, 112, now);
	return ban;
}

INLINE uint64_t address_bucket_find(const struct edge_128_bucket *bucket, uint64_t high, uint64_t low)
{
	uint64_t found = 0;
#pragma unroll
	for (int i = 0; i < EDGE_128_ENTRIES; i++) {
		uint64_t word = *(volatile uint64_t *)&bucket->entries[i].word;
		found |= word & ones_if_zero((bucket->entries[i].high ^ high) | (bucket->entries[i].low ^ low));
	}
	return found;
}

INLINE uint64_t v6_address_find(uint64_t high, uint64_t low, uint64_t hash)
{
	uint32_t at = edge_v6_bucket(hash, geometry.v6_128.bucket_bits);
	struct edge_128_bucket *bucket = bpf_map_lookup_elem(&v6_128, &at);
	if (bucket == 0)
		return 0;
	uint64_t word = address_bucket_find(bucket, high, low);
	if (word != 0 || !line_full(bucket, 2, 3))
		return word;
	at = edge_v6_spill(hash, geometry.v6_128.bucket_bits, geometry.v6_128.spill_bits);
	bucket = bpf_map_lookup_elem(&v6_128, &at);
	word = bucket == 0 ? 0 : address_bucket_find(bucket, high, low);
	at += 1u << geometry.v6_128.spill_bits;
	if (word != 0 || (bucket = bpf_map_lookup_elem(&v6_128, &at)) == 0)
		return word;
	return address_bucket_find(bucket, high, low);
}

INLINE uint64_t net_bucket_find(const struct edge_net_bucket *bucket, uint32_t rest, uint32_t low)
{
	uint64_t key = (uint64_t)rest << 44, found = 0;
#pragma unroll
	for (int i = 0; i < EDGE_NET_ENTRIES; i++) {
		uint64_t other = *(const volatile uint64_t *)&bucket->words[i] ^ key;
		uint64_t differs = other >> 44 | (*(const volatile uint32_t *)&bucket->lows[i] ^ low);
		found |= other & ones_if_negative(differs - 1);
	}
	return found;
}

/*
 * Whether bans may lie in the next line of a spill: its places are taken from the first on, but for one that user space
 * may be about to fill, or was killed at.
 */
INLINE int spill_goes_on(const struct edge_net_bucket *line)
{
	return (*(const volatile uint64_t *)&line->words[EDGE_NET_ENTRIES - 2] |
		*(const volatile uint64_t *)&line->words[EDGE_NET_ENTRIES - 1]) != 0;
}

/*
 * `kind`: 0 for a /64, 1 for a /48. No branch between bucket and spill: both lines are on their way at once. Bans are
 * moved from the spill to the bucket and never back, so the spill is looked through first.
 */
INLINE uint64_t v6_net_find(uint32_t kind, uint64_t hash)
{
	uint32_t rest = edge_net_rest(hash, kind), low = (uint32_t)hash;
	uint32_t at = edge_v6_bucket(hash, geometry.v6_net.bucket_bits);
	struct edge_net_bucket *bucket = bpf_map_lookup_elem(&v6_net, &at);
	at = edge_v6_spill(hash, geometry.v6_net.bucket_bits, geometry.v6_net.spill_bits);
	struct edge_net_bucket *spill = bpf_map_lookup_elem(&v6_net, &at);
	if (bucket == 0 || spill == 0)
		return 0;
	uint64_t word = net_bucket_find(spill, rest, low);
	word |= net_bucket_find(bucket, rest, low);
#pragma clang loop unroll(disable)
	for (int i = 1; i < EDGE_NET_SPILL_BUCKETS; i++) {
		if (word != 0 || !spill_goes_on(spill))
			return word;
		at += 1u << geometry.v6_net.spill_bits;
		if ((spill = bpf_map_lookup_elem(&v6_net, &at)) == 0)
			return 0;
		word = net_bucket_find(spill, rest, low);
	}
	return word;
}

INLINE uint64_t v6_address_ban(uint64_t high, uint64_t low, int ask_bits)
{
	uint64_t seeds[2];
	seeds_get(seeds);
	uint64_t hash = edge_hash(high, low, seeds);
	if (ask_bits && !is_some(&v6_some, hash, geometry.v6_some_bits))
		return 0;
	return v6_address_find(high, low, hash);
}

INLINE uint64_t v6_net_ban(uint64_t key, uint32_t kind, int ask_bits)
{
	uint64_t seeds[2];
	seeds_get(seeds);
	uint64_t hash = edge_net_hash(key, kind, seeds);
	if (ask_bits && !is_some(&v6_some, hash, geometry.v6_some_bits))
		return 0;
	return v6_net_find(kind, hash);
}

INLINE struct ban v6_ban(uint64_t high, uint64_t low, const struct edge_control *known, int ask_bits, uint32_t now)
{
	struct ban ban = {0};
	uint64_t word;
	if (known->bans[EDGE_V6_128] != 0 && (word = v6_address_ban(high, low, ask_bits)) != 0)
		ban_add(&ban, word, 128, now);
	if (known->bans[EDGE_V6_64] != 0 && (word = v6_net_ban(high, 0, ask_bits)) != 0)
		ban_add(&ban, word, 64, now);
	if (known->bans[EDGE_V6_48] != 0 && (word = v6_net_ban(high & ~(uint64_t)0xffff, 1, ask_bits)) != 0)
		ban_add(&ban, word, 48, now);
	return ban;
}

/*
 * Whether an allowance is as long as the ban, or longer. A piece is of a prefix of its length or up to EDGE_PIECE_BITS
 * shorter: of those between nobody knows here, and no one is dropped whom somebody may allow.
 */
INLINE int is_as_long(const struct edge_allow *allow, const struct ban *ban)
{
	uint32_t shorter = (ban->word & EDGE_PIECE) != 0 ? EDGE_PIECE_BITS - 1 : 0;
	return allow->bits + shorter >= ban->bits;
}

/* Whether an allowance is stronger than the ban: the longest may be over, or of a rank that is too low. */
INLINE int is_allowed(const struct packet *p, const struct ban *ban, uint32_t now)
{
	struct edge_allow_key key = {.bits = 128};
	uint64_t high = bpf_cpu_to_be64(p->from_high);
	uint64_t low = bpf_cpu_to_be64(p->v6 ? p->from_low : p->from_low | 0xffff00000000);
	uint32_t rank = edge_word_rank(ban->word);
	__builtin_memcpy(key.address, &high, 8);
	__builtin_memcpy(key.address + 8, &low, 8);
	for (int i = 0; i < ALLOWS_NESTED; i++) {
		struct edge_allow *allow = bpf_map_lookup_elem(&allows, &key);
		if (allow == 0)
			return 0;
		if (allow->expires > now && (allow->rank > rank || (allow->rank == rank && is_as_long(allow, ban))))
			return 1;
		if (allow->bits == 0)
			return 0;
		key.bits = allow->bits - 1;
	}
	return 0;
}

#endif
