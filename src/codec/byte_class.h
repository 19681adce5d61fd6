/*
 * Sets of byte values as tables, and the scans that transformations start with: where is the first byte that matters?
 * Tables are written with designated ranges: static const struct byte_class UPPER = {{['A' ... 'Z'] = 1}};
 */
#ifndef GUIA_CODEC_BYTE_CLASS_H
#define GUIA_CODEC_BYTE_CLASS_H

#include "base/slice.h"

struct byte_class {
	uint8_t has[256]; /* 1 for members */
};

/* Index of the first member at or after `from`, or s.len. */
static inline size_t byte_class_find(const struct byte_class *members, struct slice s, size_t from)
{
	const uint8_t *has = members->has;
	size_t at = from;
	for (; at + 4 <= s.len; at += 4) {
		const uint8_t *p = s.ptr + at;
		if (has[p[0]] | has[p[1]] | has[p[2]] | has[p[3]])
			break;
	}
	while (at < s.len && !has[s.ptr[at]])
		at++;
	return at;
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

/* Copies [from, to) of `in` to out + out_len; returns the new length of the output. */
static inline size_t copy_range(uint8_t *out, size_t out_len, struct slice in, size_t from, size_t to)
{
	if (to > from)
		memcpy(out + out_len, in.ptr + from, to - from);
	return out_len + (to - from);
}

#endif
