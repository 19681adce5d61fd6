/*
 * SipHash with one round a word and three at the end. The quick hash folds products of 128 bits, two words of text at a
 * time; what is left, 16 bytes or fewer, is read as two words that may overlap.
 */
#include "base/hash.h"

#include "base/word.h"

#include <sys/random.h>
#include <time.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

/* Up to eight bytes, little end first. */
static inline uint64_t load(const uint8_t *ptr, size_t len)
{
	uint64_t word = 0;
	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)ptr[i] << (8 * i);
	return word;
}

/* The constants are SipHash's: "somepseudorandomlygeneratedbytes". */
static inline struct state begin(const struct hash_key *key)
{
	return (struct state){
		key->k0 ^ 0x736f6d6570736575u,
		key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u,
		key->k1 ^ 0x7465646279746573u,
	};
}

static inline uint64_t finish(struct state *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_bytes(const struct hash_key *key, struct slice s)
{
	struct state st = begin(key);
	size_t whole = s.len & ~(size_t)7;
	for (size_t i = 0; i < whole; i += 8)
		absorb(&st, load(s.ptr + i, 8));
	absorb(&st, load(s.ptr + whole, s.len - whole) | (uint64_t)s.len << 56);
	return finish(&st);
}

uint64_t hash_words(const struct hash_key *key, uint64_t first, uint64_t second)
{
	struct state st = begin(key);
	absorb(&st, first);
	absorb(&st, second);
	absorb(&st, (uint64_t)16 << 56);
	return finish(&st);
}

/* Odd, with about as many ones as zeroes: what a length and an end are spread by. */
#define FINISH UINT64_C(0xd6e8feb86659fd93)

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Up to 16 bytes as two words; short texts overlap themselves. */
static inline uint64_t mix_short(const uint8_t *ptr, size_t len, uint64_t k0, uint64_t k1, bool fold)
{
	uint64_t a = 0;
	uint64_t b = 0;
	if (len >= 8) {
		a = word_load8(ptr);
		b = word_load8(ptr + len - 8);
	} else if (len >= 4) {
		a = word_load4(ptr);
		b = word_load4(ptr + len - 4);
	} else if (len > 0) {
		a = (uint64_t)ptr[0] << 16 | (uint64_t)ptr[len / 2] << 8 | ptr[len - 1];
	}
	return mix((fold ? word_lower(a) : a) ^ k0, (fold ? word_lower(b) : b) ^ k1);
}

static inline __attribute__((always_inline)) uint64_t quick(const struct hash_key *key, struct slice s, bool fold)
{
	const uint8_t *at = s.ptr;
	uint64_t seed = key->k0 ^ s.len * HASH_SPREAD;
	size_t left = s.len;
	for (; left > 16; at += 16, left -= 16) {
		uint64_t a = word_load8(at);
		uint64_t b = word_load8(at + 8);
		seed = mix((fold ? word_lower(a) : a) ^ key->k1, (fold ? word_lower(b) : b) ^ seed);
	}
	return mix(mix_short(at, left, seed, key->k1, fold) ^ key->k1, seed ^ FINISH);
}

uint64_t hash_quick(const struct hash_key *key, struct slice s)
{
	return quick(key, s, false);
}

uint64_t hash_quick_nocase(const struct hash_key *key, struct slice s)
{
	return quick(key, s, true);
}

struct hash_key hash_key_random(void)
{
	struct hash_key key;
	if (getrandom(&key, sizeof(key), 0) == (ssize_t)sizeof(key))
		return key;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct hash_key){(uint64_t)now.tv_nsec * HASH_SPREAD, (uint64_t)(uintptr_t)&key};
}
