/*
 * Which sources were here before: generations of a Bloom filter (Bloom, 1970) in memory shared by processes.
 *
 * A source is added when a visit of its ended well while nothing was wrong, so that a flood cannot make itself known.
 * Nor can one that trickles in beforehand: a source is first on trial, in one of two stages, and becomes known when a
 * stage is over, its time after the last was added to it. When something begins, who is on trial does not become known
 * any more; until it is over he still stands between those who are known and strangers.
 *
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

enum seen {
	SEEN_KNOWN,
	SEEN_LATELY, /* on trial */
	SEEN_NEVER,
	SEEN_STANDINGS,
};

/* All zero but `secret`, `words` and the times is an empty one. */
struct seen_sources {
	struct hash_key secret;
	size_t words; /* of 64 bits, of one generation: a power of two; 16 bits for each source to be known */
	uint64_t generation_ms;
	uint64_t trial_ms;        /* the least time on trial; 0: sources are known at once */
	_Atomic uint32_t current; /* its lowest bit: which generation is the newer */
	_Atomic uint32_t added;
	_Atomic uint64_t began_ms;
	_Atomic uint32_t stage; /* its lowest bit: to which stage is added */
	_Atomic uint32_t staged;
	_Atomic uint64_t stage_began_ms;
	_Atomic uint64_t distrusted_ms; /* something began, and stages are not emptied yet; 0: no */
	_Atomic uint64_t bits[];        /* two generations, two stages */
};

/* Of the whole, in bytes, for so many sources a generation. Of `words` too. */
size_t seen_sources_bytes(size_t sources, size_t *ret_words);

/* Of an IPv4 address, or the /64 of an IPv6 one. */
uint64_t seen_sources_key(const struct seen_sources *s, const struct address *source);

void seen_sources_add(struct seen_sources *s, uint64_t key, uint64_t now_ms);
enum seen seen_sources_ask(const struct seen_sources *s, uint64_t key);

/* Something has begun, or goes on: nothing is added while it does, and who is on trial is forgotten when it is over. */
void seen_sources_distrust(struct seen_sources *s, uint64_t now_ms);

#endif
