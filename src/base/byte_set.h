/*
 * A set of bytes that is sought in long values: where the machine can (AVX2, SSSE3), 32 or 16 bytes at a time by two
 * looks into tables of 16 ("truffle", Wang et al., Hyperscan, NSDI 2019), else byte by byte.
 */
#ifndef GUIA_BASE_BYTE_SET_H
#define GUIA_BASE_BYTE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_set {
	uint64_t words[4]; /* a bit per byte */
	/* By the low half of a byte: a bit for each high half with which it is in the set, 0 to 7 and 8 to 15. */
	uint8_t low[16];
	uint8_t high[16];
};

/* Zero-initialise, or copy; then add. */
void byte_set_add(struct byte_set *set, uint8_t byte);

/* Adds all bytes of another. */
void byte_set_join(struct byte_set *set, const struct byte_set *other);

static inline bool byte_set_has(const struct byte_set *set, uint8_t byte)
{
	return (set->words[byte / 64] >> byte % 64 & 1) != 0;
}

/* The index of the first of `count` bytes that is in the set; `count`: none is. */
size_t byte_set_find(const struct byte_set *set, const uint8_t *bytes, size_t count);

/* The index, `from` or more, of the first byte `lead` with a member of the set behind it; `count`: there is none. */
size_t byte_set_find_led(const struct byte_set *set, uint8_t lead, const uint8_t *bytes, size_t count, size_t from);

#endif
