/*
 * The keys that come most often in a stream of any number of different ones, in fixed memory: Space-Saving (Metwally,
 * Agrawal, El Abbadi 2005) in buckets of eight, so that one more costs the same whatever came before. A key belongs to
 * one bucket; one that is not in it takes the place, and inherits the count, of the rarest there.
 *
 * Counts are of this window and of the one before it. For every key held, count - error <= truth <= count; a key that
 * is not held came at most as often as the rarest of its bucket. Pure; one thread.
 */
#ifndef GUIA_TRAFFIC_HEAVY_H
#define GUIA_TRAFFIC_HEAVY_H

#include "base/hash.h"

struct heavy;

struct heavy_key {
	uint64_t word[2];
};

struct heavy_item {
	struct heavy_key key;
	double count;
	double error; /* so much of the count may be others' */
};

/* 256 bytes a bucket; a power of two of them. The seed is secret. 0 or -ENOMEM. */
int heavy_new(uint32_t buckets, const struct hash_key *seed, struct heavy **ret_heavy);
void heavy_free(struct heavy *heavy); /* NULL is allowed */

void heavy_add(struct heavy *heavy, struct heavy_key key);

/* This window becomes the one before. */
void heavy_roll(struct heavy *heavy);

/*
 * The first `room` by count - error, the most first; none that may be others' altogether. `elapsed`, from 0 to 1, says
 * how much of this window has passed: so much less counts of the one before, so that counts are of one window's length.
 */
size_t heavy_top(const struct heavy *heavy, double elapsed, struct heavy_item *items, size_t room);

#endif
