/*
 * Which sources were here before: two generations of a Bloom filter (Bloom, 1970) in memory shared by processes.
 *
 * A source is added when a visit of its ended well while nothing was wrong, so that a flood cannot make itself known.
 * The filter may say that a source was seen that was not, in about 2 of 1,000 cases when a generation is full, and
 * never forgets within one generation. A generation ends after its time, or when it is full: then the older one is
 * emptied and takes its place. Keys are keyed hashes of addresses; nothing that names a source is kept. No call waits.
 */
#ifndef GUIA_LIMIT_SEEN_SOURCES_H
#define GUIA_LIMIT_SEEN_SOURCES_H

#include "base/address.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero but `secret`, `words` and `generation_ms` is an empty one. */
struct seen_sources {
	struct hash_key secret;
	size_t words; /* of 64 bits, of one generation: a power of two; 16 bits for each source to be known */
	uint64_t generation_ms;
	_Atomic uint32_t current; /* its lowest bit: which half of the bits is the newer generation */
	_Atomic uint32_t added;
	_Atomic uint64_t began_ms;
	_Atomic uint64_t bits[]; /* two generations */
};

/* Of the whole, in bytes, for so many sources a generation. Of `words` too. */
size_t seen_sources_bytes(size_t sources, size_t *ret_words);

/* Of an IPv4 address, or the /64 of an IPv6 one. */
uint64_t seen_sources_key(const struct seen_sources *s, const struct address *source);

void seen_sources_add(struct seen_sources *s, uint64_t key, uint64_t now_ms);
bool seen_sources_has(const struct seen_sources *s, uint64_t key);

#endif
