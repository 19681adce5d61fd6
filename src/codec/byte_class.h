/*
 * Sets of byte values, and the scans that transformations start with: where is the first byte that matters? Most values
 * hold none, so the scan goes 16 bytes at a time, comparing against the few ranges that make up the set; what the
 * vectors become is the compiler's business. Bytes in doubt are looked up in a table.
 */
#ifndef GUIA_CODEC_BYTE_CLASS_H
#define GUIA_CODEC_BYTE_CLASS_H

#include "base/byte_vector.h"
#include "base/slice.h"

enum { BYTE_CLASS_RANGES = 5 };

struct byte_class {
	uint8_t has[256]; /* 1 for members */
	uint8_t first[BYTE_CLASS_RANGES];
	uint8_t last[BYTE_CLASS_RANGES];
	size_t ranges; /* 0: too many to compare, the table is all there is */
};

/* Initialisers of a class: the first and last byte of each of its ranges, which do not overlap. */
#define BYTE_CLASS_1(a, b)                                                                                             \
	{                                                                                                              \
		.has = {[(a)...(b)] = 1}, .first = {(a)}, .last = {(b)}, .ranges = 1                                   \
	}
#define BYTE_CLASS_2(a, b, c, d)                                                                                       \
	{                                                                                                              \
		.has = {[(a)...(b)] = 1, [(c)...(d)] = 1}, .first = {(a), (c)}, .last = {(b), (d)}, .ranges = 2        \
	}
#define BYTE_CLASS_4(a, b, c, d, e, f, g, h)                                                                           \
	{                                                                                                              \
		.has = {[(a)...(b)] = 1, [(c)...(d)] = 1, [(e)...(f)] = 1, [(g)...(h)] = 1},                           \
		.first = {(a), (c), (e), (g)}, .last = {(b), (d), (f), (h)}, .ranges = 4                               \
	}
#define BYTE_CLASS_5(a, b, c, d, e, f, g, h, i, j)                                                                     \
	{                                                                                                              \
		.has = {[(a)...(b)] = 1, [(c)...(d)] = 1, [(e)...(f)] = 1, [(g)...(h)] = 1, [(i)...(j)] = 1},          \
		.first = {(a), (c), (e), (g), (i)}, .last = {(b), (d), (f), (h), (j)}, .ranges = 5                     \
	}

/* 0xff where a byte is from `first` to `last`, 0 elsewhere. */
static inline __attribute__((always_inline)) byte_vector byte_vector_within(byte_vector bytes, uint8_t first,
									    uint8_t last)
{
	if (first == last) /* decided by the compiler, where the class is constant */
		return (byte_vector)(bytes == first);
	return (byte_vector)(bytes - first <= (uint8_t)(last - first) - (byte_vector){0});
}

/* 0xff where a byte is a member, 0 elsewhere. The class has ranges. */
static inline __attribute__((always_inline)) byte_vector byte_vector_members(const struct byte_class *members,
									     byte_vector bytes)
{
	byte_vector found = byte_vector_within(bytes, members->first[0], members->last[0]);
	if (members->ranges > 1) /* of a constant class, these are decided by the compiler */
		found |= byte_vector_within(bytes, members->first[1], members->last[1]);
	if (members->ranges > 2)
		found |= byte_vector_within(bytes, members->first[2], members->last[2]);
	if (members->ranges > 3)
		found |= byte_vector_within(bytes, members->first[3], members->last[3]);
	if (members->ranges > 4)
		found |= byte_vector_within(bytes, members->first[4], members->last[4]);
	return found;
}

/* Index of the first member at or after `from`, or s.len. Written to be inlined where the class is known. */
static inline __attribute__((always_inline)) size_t byte_class_find(const struct byte_class *members, struct slice s,
								    size_t from)
{
	size_t at = from;
	if (at < s.len && members->has[s.ptr[at]]) /* where members abound, so that a vector is not worth its while */
		return at;
	if (members->ranges > 0) {
		for (; at + 4 * BYTE_VECTOR <= s.len; at += 4 * BYTE_VECTOR) {
			const uint8_t *p = s.ptr + at;
			byte_vector found = byte_vector_members(members, byte_vector_load(p)) |
					    byte_vector_members(members, byte_vector_load(p + BYTE_VECTOR)) |
					    byte_vector_members(members, byte_vector_load(p + 2 * BYTE_VECTOR)) |
					    byte_vector_members(members, byte_vector_load(p + 3 * BYTE_VECTOR));
			if (byte_vector_mask(found) != 0)
				break;
		}
		for (; at + BYTE_VECTOR <= s.len; at += BYTE_VECTOR) {
			unsigned mask = byte_vector_mask(byte_vector_members(members, byte_vector_load(s.ptr + at)));
			if (mask != 0)
				return at + (size_t)__builtin_ctz(mask);
		}
		if (at < s.len && s.len >= BYTE_VECTOR) { /* the last 16, some of them once more */
			size_t last = s.len - BYTE_VECTOR;
			unsigned mask = byte_vector_mask(byte_vector_members(members, byte_vector_load(s.ptr + last)));
			mask >>= at - last;
			return mask != 0 ? at + (size_t)__builtin_ctz(mask) : s.len;
		}
	}
	while (at < s.len && !members->has[s.ptr[at]])
		at++;
	return at;
}

/*
 * Copies the bytes from `at` on, up to the first member or until less than 16 are left. It does so 16 at a time: up to
 * 16 may be written behind them, for which `out` has room where it has as much as is left of `s`. Returns how many it
 * was.
 */
static inline __attribute__((always_inline)) size_t byte_class_copy(const struct byte_class *members, struct slice s,
								    size_t at, uint8_t *out)
{
	size_t count = 0;
	for (; at + count + BYTE_VECTOR <= s.len; count += BYTE_VECTOR) {
		byte_vector bytes = byte_vector_load(s.ptr + at + count);
		unsigned mask = byte_vector_mask(byte_vector_members(members, bytes));
		byte_vector_store(out + count, bytes);
		if (mask != 0)
			return count + (size_t)__builtin_ctz(mask);
	}
	return count;
}

/* How many bytes are members. The class has ranges. */
static inline __attribute__((always_inline)) size_t byte_class_count(const struct byte_class *members, struct slice s)
{
	const uint64_t ones = 0x0101010101010101;
	size_t count = 0;
	size_t at = 0;
	for (; at + BYTE_VECTOR <= s.len; at += BYTE_VECTOR) {
		byte_vector_words found = (byte_vector_words)byte_vector_members(members, byte_vector_load(s.ptr + at));
		count += ((found[0] & ones) + (found[1] & ones)) * ones >> 56;
	}
	for (; at < s.len; at++)
		count += members->has[s.ptr[at]];
	return count;
}

/* One byte value instead of a set: the same as slice_find_byte, inlined. */
static inline size_t byte_find(uint8_t byte, struct slice s, size_t from)
{
	const uint8_t *hit = from < s.len ? memchr(s.ptr + from, byte, s.len - from) : NULL;
	return hit == NULL ? s.len : (size_t)(hit - s.ptr);
}

/* The byte at `at`, or -1 at and past the end. */
static inline int byte_at(struct slice s, size_t at)
{
	return at < s.len ? s.ptr[at] : -1;
}

/* True if both bytes at `at` exist and are hexadecimal digits. */
static inline bool hex_pair_at(struct slice s, size_t at)
{
	return at + 1 < s.len && byte_hex_value(s.ptr[at]) >= 0 && byte_hex_value(s.ptr[at + 1]) >= 0;
}

/* The value of two hexadecimal digits that hex_pair_at() found. */
static inline uint8_t hex_pair_value(struct slice s, size_t at)
{
	return (uint8_t)(byte_hex_value(s.ptr[at]) << 4 | byte_hex_value(s.ptr[at + 1]));
}

/* ASCII in its full-width form, U+FF01 to U+FF5E, given by its low byte, is 0x20 further on. */
static inline uint8_t full_width(uint8_t low, bool high_is_ff)
{
	return high_is_ff && low > 0x00 && low < 0x5f ? (uint8_t)(low + 0x20) : low;
}

/* Copies [from, to) of `in` to out + out_len; returns the new length of the output. */
static inline size_t copy_range(uint8_t *out, size_t out_len, struct slice in, size_t from, size_t to)
{
	if (to > from)
		memcpy(out + out_len, in.ptr + from, to - from);
	return out_len + (to - from);
}

#endif
