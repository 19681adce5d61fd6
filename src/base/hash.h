/* SipHash-1-3 (Aumasson and Bernstein, 2012): for tables keyed by bytes that a client chooses. */
#ifndef GUIA_BASE_HASH_H
#define GUIA_BASE_HASH_H

#include "base/slice.h"

/*
 * 2^64 by the golden ratio: numbers that differ little differ in the upper bits of their products with it (Knuth, The
 * Art of Computer Programming 3, 6.4).
 */
#define HASH_SPREAD UINT64_C(0x9e3779b97f4a7c15)

struct hash_key {
	uint64_t k0;
	uint64_t k1;
};

/* Secret and different in each process, from getrandom(2); falls back to addresses and time if that fails. */
struct hash_key hash_key_random(void);

uint64_t hash_bytes(const struct hash_key *key, struct slice s);

/* The same of two words, as they lie in a little-endian machine's memory. */
uint64_t hash_words(const struct hash_key *key, uint64_t first, uint64_t second);

/*
 * Fast and keyed, after Wang Yi's wyhash: for tables that only remember, where whoever finds values that collide gains
 * nothing but a table that forgets.
 */
uint64_t hash_quick(const struct hash_key *key, struct slice s);

/* The same with the case of ASCII letters ignored. */
uint64_t hash_quick_nocase(const struct hash_key *key, struct slice s);

#endif
