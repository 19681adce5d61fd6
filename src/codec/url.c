/*
 * What lies between percent signs is copied 16 bytes at a time, or 32 by AVX2 where nothing is escaped for long. As
 * long as many bytes are left url_wide.c goes first, which takes escapes as well.
 */
#include "codec/url.h"

#include "codec/byte_class.h"
#include "codec/unicode_map.h"
#include "codec/url_wide.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { FAR_BYTES = 128 }; /* where fewer are left, or escapes are near, 16 bytes are copied at a time */

static const struct byte_class PERCENT = BYTE_CLASS_1('%', '%');
static const struct byte_class PERCENT_PLUS = BYTE_CLASS_2('%', '%', '+', '+');

static bool is_percent_u4(struct slice in, size_t at)
{
	return (byte_at(in, at + 1) | 0x20) == 'u' && hex_pair_at(in, at + 2) && hex_pair_at(in, at + 4);
}

size_t url_find_escape(enum url_escapes escapes, struct slice in, size_t from)
{
	size_t at = from;
	for (;; at++) {
		at = escapes == URL_PERCENT ? byte_class_find(&PERCENT, in, at)
					    : byte_class_find(&PERCENT_PLUS, in, at);
		if (at == in.len || in.ptr[at] == '+' || hex_pair_at(in, at + 1) ||
		    (escapes == URL_UNICODE && is_percent_u4(in, at)))
			return at;
	}
}

size_t url_find_unsound(struct slice in, size_t from)
{
	size_t at = byte_class_find(&PERCENT, in, url_find_unsound_wide(in, from));
	while (at < in.len && hex_pair_at(in, at + 1))
		at = byte_class_find(&PERCENT, in, at + 3);
	return at < in.len ? at : in.len;
}

static uint8_t code_point_byte(const struct unicode_map *map, uint8_t high, uint8_t low)
{
	if (map != NULL) {
		uint16_t byte = map->byte[high << 8 | low];
		if (byte != UNICODE_MAP_ABSENT)
			return (uint8_t)byte;
	}
	return full_width(low, high == 0xff);
}

/* A '%' at *at that two digits do not follow: the byte it stands for, by itself perhaps. Moves past it. */
static uint8_t take_other(bool unicode, const struct unicode_map *map, struct slice in, size_t *at, bool *invalid)
{
	size_t from = *at;
	if (unicode && is_percent_u4(in, from)) {
		*at += 6;
		return code_point_byte(map, hex_pair_value(in, from + 2), hex_pair_value(in, from + 4));
	}
	*at += 1;
	*invalid = true;
	return '%';
}

/*
 * Copies 16 bytes at `at`, '+' as a space where it stands for one. Returns how many stand before the next '%': those
 * count.
 */
static inline __attribute__((always_inline)) size_t copy_plain(bool plus, const uint8_t *in, uint8_t *out)
{
	byte_vector bytes = byte_vector_load(in);
	unsigned escapes = byte_vector_mask((byte_vector)(bytes == '%'));
	if (plus)
		bytes ^= (byte_vector)(bytes == '+') & ('+' ^ ' ');
	byte_vector_store(out, bytes);
	return escapes == 0 ? BYTE_VECTOR : (size_t)__builtin_ctz(escapes);
}

#if defined(__x86_64__)

/* The first of some bytes, marked by bits, that begins an escape of two digits or of four; the others are invalid. */
static bool first_escape(bool unicode, struct slice in, size_t at, uint32_t marked, size_t *ret_at, bool *invalid)
{
	for (; marked != 0; marked &= marked - 1) {
		size_t place = at + (size_t)__builtin_ctz(marked);
		if (hex_pair_at(in, place + 1) || (unicode && is_percent_u4(in, place))) {
			*ret_at = place;
			return true;
		}
		*invalid = true;
	}
	return false;
}

/* Copies as below, up to an escape that stands for something, or until less than 32 bytes are left; returns how many.
 */
__attribute__((target("avx2"))) static size_t copy_plain_wide(bool plus, bool unicode, struct slice in, size_t from,
							      uint8_t *out, bool *invalid)
{
	const __m256i percents = _mm256_set1_epi8('%');
	const __m256i pluses = _mm256_set1_epi8('+'), space = _mm256_set1_epi8(plus ? '+' ^ ' ' : 0);
	size_t at = from;
	for (; in.len - at >= sizeof(__m256i); at += sizeof(__m256i)) {
		__m256i bytes = _mm256_loadu_si256((const __m256i *)(in.ptr + at));
		uint32_t marked = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, percents));
		__m256i changed = _mm256_and_si256(_mm256_cmpeq_epi8(bytes, pluses), space);
		_mm256_storeu_si256((__m256i *)(out + at - from), _mm256_xor_si256(bytes, changed));
		if (marked != 0 && first_escape(unicode, in, at, marked, &at, invalid))
			break;
	}
	return at - from;
}

static size_t copy_plain_far(bool plus, bool unicode, struct slice in, size_t from, uint8_t *out, bool *invalid)
{
	return __builtin_cpu_supports("avx2") ? copy_plain_wide(plus, unicode, in, from, out, invalid) : 0;
}

#else

static size_t copy_plain_far(bool plus, bool unicode, struct slice in, size_t from, uint8_t *out, bool *invalid)
{
	(void)plus, (void)unicode, (void)in, (void)from, (void)out, (void)invalid;
	return 0;
}

#endif

static inline __attribute__((always_inline)) size_t unescape(bool plus, bool unicode, const struct unicode_map *map,
							     struct slice in, uint8_t *out, bool *invalid)
{
	size_t len = 0, wide_from = 0;
	enum url_longs longs = !unicode ? URL_LONGS_NONE : map == NULL ? URL_LONGS_LOW : URL_LONGS_MAPPED;
	for (size_t at = 0; at < in.len;) {
		if (at >= wide_from && in.len - at >= FAR_BYTES) {
			url_unescape_wide(plus, longs, in, &at, out, &len, invalid);
			wide_from = at + FAR_BYTES;
		}
		uint8_t byte = in.ptr[at];
		if (byte == '%') {
			bool whole = in.len - at > 2;
			unsigned high = whole ? byte_hex_values[in.ptr[at + 1]] : 0;
			unsigned low = whole ? byte_hex_values[in.ptr[at + 2]] : 0;
			if (high != 0 && low != 0) {
				out[len++] = (uint8_t)((high - 1) << 4 | (low - 1));
				at += 3;
			} else {
				out[len++] = take_other(unicode, map, in, &at, invalid);
			}
		} else if (at + BYTE_VECTOR <= in.len) {
			size_t run = copy_plain(plus, in.ptr + at, out + len);
			if (run == BYTE_VECTOR && in.len - at >= FAR_BYTES)
				run += copy_plain_far(plus, unicode, in, at + run, out + len + run, invalid);
			at += run;
			len += run;
		} else {
			out[len++] = plus && byte == '+' ? ' ' : byte;
			at++;
		}
	}
	return len;
}

size_t url_unescape(enum url_escapes escapes, const struct unicode_map *map, struct slice in, uint8_t *out,
		    bool *ret_invalid)
{
	switch (escapes) {
	case URL_PERCENT:
		return unescape(false, false, NULL, in, out, ret_invalid);
	case URL_FORM:
		return unescape(true, false, NULL, in, out, ret_invalid);
	default:
		return unescape(true, true, map, in, out, ret_invalid);
	}
}
