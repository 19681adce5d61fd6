#include "codec/url.h"

#include "codec/byte_class.h"
#include "codec/unicode_map.h"

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

static inline __attribute__((always_inline)) size_t unescape(bool plus, bool unicode, const struct unicode_map *map,
							     struct slice in, uint8_t *out, bool *invalid)
{
	size_t len = 0;
	for (size_t at = 0; at < in.len;) {
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
