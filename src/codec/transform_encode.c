/* Transformations between bytes and their base64, hexadecimal, URL and Unicode spellings, and digests. */
#include "codec/byte_class.h"
#include "codec/digest.h"
#include "codec/text.h"
#include "codec/transform_rows.h"

/* Reports `len` bytes at `out` as the new value unless they are the old one. */
static bool changed(struct slice in, const uint8_t *out, size_t len, size_t *ret_len)
{
	if (slice_equal(slice_make(out, len), in))
		return false;
	*ret_len = len;
	return true;
}

bool transform_base64_decode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return changed(in, out, base64_decode_lines(in, out), ret_len);
}

bool transform_base64_decode_ext(const struct transform_context *context, struct slice in, uint8_t *out,
				 size_t *ret_len)
{
	(void)context;
	return changed(in, out, base64_decode_forgiving(in, out), ret_len);
}

bool transform_base64_encode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	*ret_len = base64_encode(in, out);
	return true;
}

bool transform_hex_encode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	*ret_len = hex_encode(in, out);
	return true;
}

/* What ModSecurity makes of a digit, whether or not it is one. */
static unsigned loose_hex_value(uint8_t byte)
{
	return byte >= 'A' ? (byte & 0xdfU) - 'A' + 10 : byte - (unsigned)'0';
}

/* Any two bytes make one; an odd byte at the end is dropped, a single byte therefore yields nothing. */
bool transform_hex_decode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	for (size_t i = 0; i < in.len / 2; i++)
		out[i] = (uint8_t)(loose_hex_value(in.ptr[2 * i]) * 16 + loose_hex_value(in.ptr[2 * i + 1]));
	*ret_len = in.len / 2;
	return true;
}

static bool sql_hex_at(struct slice in, size_t at)
{
	return in.ptr[at] == '0' && (byte_at(in, at + 1) | 0x20) == 'x' && hex_pair_at(in, at + 2);
}

/*
 * 0xHH...: the bytes it spells. ModSecurity's boundaries are kept: the value ends at its first NUL, written or decoded;
 * the last byte is lost unless it follows a literal, and the byte after a literal is copied unseen.
 */
bool transform_sql_hex_decode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = 0, len = 0;
	while (at + 1 < in.len && in.ptr[at] != 0) {
		if (sql_hex_at(in, at)) {
			for (at += 2; hex_pair_at(in, at); at += 2)
				out[len++] = hex_pair_value(in, at);
		}
		if (at < in.len)
			out[len++] = in.ptr[at];
		at++;
	}
	*ret_len = byte_find(0, slice_make(out, len), 0);
	return true;
}

bool transform_length(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t digits = 0;
	for (size_t left = in.len; digits == 0 || left > 0; left /= 10)
		digits++;
	for (size_t at = digits, left = in.len; at > 0; left /= 10)
		out[--at] = (uint8_t)('0' + left % 10);
	return changed(in, out, digits, ret_len);
}

bool transform_md5(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	digest_md5(in, out);
	return changed(in, out, DIGEST_MD5_BYTES, ret_len);
}

bool transform_sha1(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	digest_sha1(in, out);
	return changed(in, out, DIGEST_SHA1_BYTES, ret_len);
}

/* What urlEncode leaves alone. */
static const struct byte_class URL_PLAIN = BYTE_CLASS_4('*', '*', '0', '9', 'A', 'Z', 'a', 'z');

bool transform_url_encode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t len = 0;
	bool differs = false;
	for (size_t at = 0; at < in.len; at++) {
		if (URL_PLAIN.has[in.ptr[at]]) {
			out[len++] = in.ptr[at];
			continue;
		}
		differs = true;
		if (in.ptr[at] == ' ') {
			out[len++] = '+';
			continue;
		}
		out[len++] = '%';
		len += hex_encode(slice_sub(in, at, at + 1), out + len);
	}
	*ret_len = differs ? len : *ret_len;
	return differs;
}

/* UTF-8 to %uHHHH. NULs and lead bytes without their tail go; other bytes that cannot lead stay as they are. */

static const struct byte_class UNICODE_SPECIAL = BYTE_CLASS_2(0, 0, 0xc0, 0xf7);

/* Length of the sequence that `lead` announces. */
static size_t sequence_length(uint8_t lead)
{
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

/* True if the bytes announced by the lead byte at `at` are there, over-long or not. */
static bool sequence_whole(struct slice in, size_t at)
{
	for (size_t i = at + sequence_length(in.ptr[at]) - 1; i > at; i--) {
		if ((byte_at(in, i) & 0xc0) != 0x80)
			return false;
	}
	return true;
}

static size_t unicode_next(struct slice in, size_t from)
{
	size_t at = byte_class_find(&UNICODE_SPECIAL, in, from);
	while (at < in.len && in.ptr[at] >= 0xf5 && !sequence_whole(in, at))
		at = byte_class_find(&UNICODE_SPECIAL, in, at + 1);
	return at;
}

static uint32_t sequence_code(struct slice in, size_t at, size_t length)
{
	uint32_t code = in.ptr[at] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++)
		code = code << 6 | (in.ptr[at + i] & 0x3f);
	return code;
}

/* Writes %u and at least four digits; the lead byte follows once for each thing wrong with the sequence. */
static size_t write_unicode(uint8_t *out, uint8_t lead, uint32_t code, size_t length)
{
	static const uint32_t LEAST[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = 0;
	if (lead >= 0xf5)
		out[len++] = lead;
	out[len++] = '%';
	out[len++] = 'u';
	unsigned digits = code > 0xfffff ? 6 : code > 0xffff ? 5 : 4;
	while (digits-- > 0)
		out[len++] = hex_digit((code >> (4 * digits)) & 0xf);
	if (code >= 0xd800 && code <= 0xdfff)
		out[len++] = lead;
	if (code < LEAST[length])
		out[len++] = lead;
	return len;
}

/* Two digits for each byte. */
#define DIGITS_ROW(high)                                                                                               \
	{high, '0'}, {high, '1'}, {high, '2'}, {high, '3'}, {high, '4'}, {high, '5'}, {high, '6'}, {high, '7'},        \
		{high, '8'}, {high, '9'}, {high, 'a'}, {high, 'b'}, {high, 'c'}, {high, 'd'}, {high, 'e'},             \
	{                                                                                                              \
		high, 'f'                                                                                              \
	}
static const uint8_t DIGITS[256][2] = {DIGITS_ROW('0'), DIGITS_ROW('1'), DIGITS_ROW('2'), DIGITS_ROW('3'),
				       DIGITS_ROW('4'), DIGITS_ROW('5'), DIGITS_ROW('6'), DIGITS_ROW('7'),
				       DIGITS_ROW('8'), DIGITS_ROW('9'), DIGITS_ROW('a'), DIGITS_ROW('b'),
				       DIGITS_ROW('c'), DIGITS_ROW('d'), DIGITS_ROW('e'), DIGITS_ROW('f')};

/* %u and four digits. */
static inline void write_usual(uint32_t code, uint8_t *out)
{
	out[0] = '%';
	out[1] = 'u';
	memcpy(out + 2, DIGITS[code >> 8], 2);
	memcpy(out + 4, DIGITS[code & 0xff], 2);
}

enum { USUAL_BYTES = 6 };

/*
 * Sequences of two or three bytes one after another, nothing wrong with them: most that is not ASCII. Moves past them;
 * returns how many bytes were written.
 */
static size_t write_usuals(struct slice in, size_t *at, uint8_t *out)
{
	size_t len = 0;
	while (in.len - *at >= 3) {
		const uint8_t *p = in.ptr + *at;
		uint32_t two = (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU);
		uint32_t three = (p[0] & 0xfU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
		bool is_three = (p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 &&
				three >= 0x800 && (three < 0xd800 || three > 0xdfff);
		if (!is_three && ((p[0] & 0xe0) != 0xc0 || (p[1] & 0xc0) != 0x80 || two < 0x80))
			break;
		write_usual(is_three ? three : two, out + len);
		*at += is_three ? 3 : 2;
		len += USUAL_BYTES;
	}
	return len;
}

/* Up to the next that is special, 16 bytes at a time. */
static size_t copy_plain(struct slice in, size_t *at, uint8_t *out)
{
	size_t count = byte_class_copy(&UNICODE_SPECIAL, in, *at, out);
	for (*at += count; *at < in.len && !UNICODE_SPECIAL.has[in.ptr[*at]]; ++*at)
		out[count++] = in.ptr[*at];
	return count;
}

bool transform_utf8_to_unicode(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = unicode_next(in, 0);
	if (at == in.len)
		return false;
	size_t len = copy_range(out, 0, in, 0, at);
	while (at < in.len) {
		len += write_usuals(in, &at, out + len);
		len += copy_plain(in, &at, out + len);
		if (at == in.len)
			break;
		uint8_t lead = in.ptr[at];
		size_t length = lead != 0 && sequence_whole(in, at) ? sequence_length(lead) : 1;
		if (length > 1)
			len += write_unicode(out + len, lead, sequence_code(in, at, length), length);
		else if (lead >= 0xf5)
			out[len++] = lead;
		at += length;
	}
	*ret_len = len;
	return true;
}
