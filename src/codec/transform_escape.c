/*
 * Transformations that decode escapes of one introducing byte: URL, HTML, JavaScript, CSS and C. Each is a pair: where
 * is the next escape that decodes to something else, and what does it decode to. decode_escapes() copies what lies
 * between. Every escape is longer than what it stands for, or differs from it, so "none found" means "unchanged".
 */
#include "base/byte_set.h"
#include "codec/byte_class.h"
#include "codec/transform_rows.h"
#include "codec/url.h"

/* Index of the next escape at or after `from`, or in.len. */
typedef size_t escape_next(struct slice in, size_t from);

/* The byte that the escape at *at stands for, or -1 for nothing; moves *at past it. */
typedef int escape_decode(const struct transform_context *context, struct slice in, size_t *at);

static inline __attribute__((always_inline)) bool decode_escapes(escape_next *next, escape_decode *decode,
								 const struct transform_context *context,
								 struct slice in, uint8_t *out, size_t *ret_len)
{
	size_t at = next(in, 0);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	size_t len = at;
	while (at < in.len) {
		int byte = decode(context, in, &at);
		if (byte >= 0)
			out[len++] = (uint8_t)byte;
		size_t end = next(in, at);
		len = copy_range(out, len, in, at, end);
		at = end;
	}
	*ret_len = len;
	return true;
}

static bool is_octal(int byte)
{
	return byte >= '0' && byte <= '7';
}

/* Up to three octal digits at *at; moves past them. */
static int octal_value(struct slice in, size_t *at)
{
	int value = 0;
	for (size_t end = *at + 3; *at < end && is_octal(byte_at(in, *at)); ++*at)
		value = value * 8 + (in.ptr[*at] - '0');
	return value;
}

/* C's escapes of one letter; 0 for others. */
static uint8_t letter_escape(uint8_t letter)
{
	switch (letter) {
	case 'a':
		return '\a';
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'v':
		return '\v';
	default:
		return 0;
	}
}

/* URL. */

static bool decode_url(enum url_escapes escapes, const struct transform_context *context, struct slice in, uint8_t *out,
		       size_t *ret_len)
{
	bool invalid = false;
	const struct unicode_map *map = context == NULL ? NULL : context->unicode_map;
	size_t at = url_find_escape(escapes, in, 0);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	*ret_len = at + url_unescape(escapes, map, slice_after(in, at), out + at, &invalid);
	return true;
}

bool transform_url_decode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	return decode_url(URL_FORM, context, in, out, ret_len);
}

bool transform_url_decode_uni(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	return decode_url(URL_UNICODE, context, in, out, ret_len);
}

/* JavaScript: \uHHHH \xHH \OOO \C. A backslash at the very end stays. */

static size_t backslash_next(struct slice in, size_t from)
{
	size_t at = byte_find('\\', in, from);
	return at + 1 < in.len ? at : in.len;
}

static int js_decode(const struct transform_context *context, struct slice in, size_t *at)
{
	(void)context;
	size_t from = *at;
	uint8_t letter = in.ptr[from + 1];
	if (letter == 'u' && hex_pair_at(in, from + 2) && hex_pair_at(in, from + 4)) {
		*at += 6;
		return full_width(hex_pair_value(in, from + 4), hex_pair_value(in, from + 2) == 0xff);
	}
	if (letter == 'x' && hex_pair_at(in, from + 2)) {
		*at += 4;
		return hex_pair_value(in, from + 2);
	}
	*at += 1;
	if (is_octal(letter)) {
		int value = octal_value(in, at);
		if (value <= 0xff)
			return value;
		--*at; /* three digits would not fit a byte: two are taken */
		return value >> 3;
	}
	*at += 1;
	uint8_t byte = letter_escape(letter);
	return byte != 0 ? byte : letter;
}

bool transform_js_decode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	return decode_escapes(backslash_next, js_decode, context, in, out, ret_len);
}

/* ANSI C: \xHH \OOO (its low byte) \C. */

static int escape_seq_decode(const struct transform_context *context, struct slice in, size_t *at)
{
	(void)context;
	uint8_t letter = in.ptr[*at + 1];
	if ((letter | 0x20) == 'x' && hex_pair_at(in, *at + 2)) {
		*at += 4;
		return hex_pair_value(in, *at - 2);
	}
	*at += 1;
	if (is_octal(letter))
		return octal_value(in, at) & 0xff;
	*at += 1;
	uint8_t byte = letter_escape(letter);
	return byte != 0 ? byte : letter;
}

bool transform_escape_seq_decode(const struct transform_context *context, struct slice in, uint8_t *out,
				 size_t *ret_len)
{
	return decode_escapes(backslash_next, escape_seq_decode, context, in, out, ret_len);
}

/* CSS 2: a backslash and one to six hex digits and one white space; before a line feed or the end it goes. */

static size_t css_next(struct slice in, size_t from)
{
	return byte_find('\\', in, from);
}

static int css_decode(const struct transform_context *context, struct slice in, size_t *at)
{
	(void)context;
	size_t from = *at + 1, digits = 0;
	while (digits < 6 && from + digits < in.len && byte_hex_value(in.ptr[from + digits]) >= 0)
		digits++;
	if (digits == 0) {
		int byte = byte_at(in, from);
		*at = from + (byte >= 0);
		return byte == '\n' ? -1 : byte;
	}
	size_t end = from + digits;
	*at = end + (end < in.len && byte_is_space(in.ptr[end]));
	if (digits == 1)
		return byte_hex_value(in.ptr[from]);
	bool plane_0 = digits >= 4;
	for (size_t i = from; i + 4 < end; i++)
		plane_0 = plane_0 && in.ptr[i] == '0';
	return full_width(hex_pair_value(in, end - 2), plane_0 && hex_pair_value(in, end - 4) == 0xff);
}

bool transform_css_decode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	return decode_escapes(css_next, css_decode, context, in, out, ret_len);
}

/*
 * HTML: &#xHHHH; &#DDDD; and five names, with or without the semicolon. A number yields its low byte. A name is the
 * whole run of letters and digits. Leading zeros do not matter.
 */

static size_t digits_end(struct slice in, size_t from, int base)
{
	while (from < in.len && (base == 16 ? byte_hex_value(in.ptr[from]) >= 0 : byte_is_digit(in.ptr[from])))
		from++;
	return from;
}

/* A name's letters, small, as one number. */
#define NAME(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* The byte that an entity's name, of letters and digits, stands for, or -1. */
static int named_entity(struct slice name)
{
	uint32_t letters = 0;
	if (name.len < 2 || name.len > 4)
		return -1;
	for (size_t i = 0; i < name.len; i++)
		letters = letters << 8 | (name.ptr[i] | 0x20);
	switch (letters) {
	case NAME('q', 'u', 'o', 't'):
		return '"';
	case NAME(0, 'a', 'm', 'p'):
		return '&';
	case NAME(0, 0, 'l', 't'):
		return '<';
	case NAME(0, 0, 'g', 't'):
		return '>';
	case NAME('n', 'b', 's', 'p'):
		return 0xa0;
	default:
		return -1;
	}
}

/* The run of letters and digits at `from`, cut after five: no name is longer than four. */
static struct slice entity_name(struct slice in, size_t from)
{
	size_t end = from;
	while (end < in.len && end < from + 5 && (byte_is_alpha(in.ptr[end]) || byte_is_digit(in.ptr[end])))
		end++;
	return slice_sub(in, from, end);
}

/* Where the digits of the numeric entity at `at` start and their base, or 0 if there is no such entity. */
static int entity_base(struct slice in, size_t at, size_t *ret_digits)
{
	if (byte_at(in, at + 1) != '#')
		return 0;
	bool hex = (byte_at(in, at + 2) | 0x20) == 'x';
	*ret_digits = at + (hex ? 3 : 2);
	int byte = byte_at(in, *ret_digits);
	if (byte < 0)
		return 0;
	if (hex)
		return byte_hex_value((uint8_t)byte) >= 0 ? 16 : 0;
	return byte_is_digit((uint8_t)byte) ? 10 : 0;
}

/* A capital letter and its small one, in the second word of a set. */
#define LETTER_BITS(letter) ((uint64_t)1 << ((letter)-64) | (uint64_t)1 << ((letter) + 32 - 64))

static size_t html_next(struct slice in, size_t from)
{
	/* What an entity's '&' is followed by: '#', or the first letter of a name. */
	static const struct byte_set FIRSTS = {
		.words = {(uint64_t)1 << '#', LETTER_BITS('A') | LETTER_BITS('G') | LETTER_BITS('L') |
						      LETTER_BITS('N') | LETTER_BITS('Q')}};
	size_t digits;
	size_t at = byte_set_find_led(&FIRSTS, '&', in.ptr, in.len, from);
	while (at < in.len && entity_base(in, at, &digits) == 0 && named_entity(entity_name(in, at + 1)) < 0)
		at = byte_set_find_led(&FIRSTS, '&', in.ptr, in.len, at + 1);
	return at;
}

/* The low byte of a number that saturates at 2^63 - 1, as strtol's does. */
static uint8_t number_low_byte(struct slice digits, int base)
{
	int64_t value = 0;
	for (size_t i = 0; i < digits.len; i++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, byte_hex_value(digits.ptr[i]), &value))
			return 0xff;
	}
	return (uint8_t)value;
}

static int html_decode(const struct transform_context *context, struct slice in, size_t *at)
{
	(void)context;
	size_t digits, end;
	int byte;
	int base = entity_base(in, *at, &digits);
	if (base != 0) {
		end = digits_end(in, digits, base);
		byte = number_low_byte(slice_sub(in, digits, end), base);
	} else {
		struct slice name = entity_name(in, *at + 1);
		end = *at + 1 + name.len;
		byte = named_entity(name);
	}
	*at = end + (byte_at(in, end) == ';');
	return byte;
}

bool transform_html_entity_decode(const struct transform_context *context, struct slice in, uint8_t *out,
				  size_t *ret_len)
{
	return decode_escapes(html_next, html_decode, context, in, out, ret_len);
}
