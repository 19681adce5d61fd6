/* Base64 (RFC 4648, section 4) and hexadecimal. */
#include "codec/text.h"

#include "base/error.h"
#include "codec/byte_class.h"

static const uint8_t SYMBOLS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* By byte its value and one, 0 where it is no symbol. */
#define FROM(first, value)                                                                                             \
	[first] = (value) + 1, [(first) + 1] = (value) + 2, [(first) + 2] = (value) + 3, [(first) + 3] = (value) + 4,  \
	[(first) + 4] = (value) + 5
static const uint8_t values[256] = {
	FROM('A', 0),  FROM('F', 5),  FROM('K', 10), FROM('P', 15), FROM('U', 20), ['Z'] = 26,
	FROM('a', 26), FROM('f', 31), FROM('k', 36), FROM('p', 41), FROM('u', 46), ['z'] = 52,
	FROM('0', 52), FROM('5', 57), ['+'] = 63,    ['/'] = 64,
};
#undef FROM

/* 0 to 63, or -1. */
static int symbol_value(uint8_t byte)
{
	return values[byte] - 1;
}

size_t hex_encode(struct slice in, uint8_t *out)
{
	for (size_t i = 0; i < in.len; i++) {
		out[2 * i] = hex_digit(in.ptr[i] >> 4);
		out[2 * i + 1] = hex_digit(in.ptr[i] & 0xf);
	}
	return in.len * 2;
}

bool hex_exact(struct slice text, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!hex_pair_at(text, 2 * i))
			return false;
		out[i] = hex_pair_value(text, 2 * i);
	}
	return text.len == 2 * len;
}

size_t base64_encode(struct slice in, uint8_t *out)
{
	size_t len = 0;
	for (size_t at = 0; at < in.len; at += 3) {
		size_t have = in.len - at < 3 ? in.len - at : 3;
		uint32_t group = (uint32_t)in.ptr[at] << 16;
		if (have > 1)
			group |= (uint32_t)in.ptr[at + 1] << 8;
		if (have > 2)
			group |= in.ptr[at + 2];
		out[len++] = SYMBOLS[group >> 18];
		out[len++] = SYMBOLS[group >> 12 & 63];
		out[len++] = have > 1 ? SYMBOLS[group >> 6 & 63] : '=';
		out[len++] = have > 2 ? SYMBOLS[group & 63] : '=';
	}
	return len;
}

/* Length of the line break, with the spaces before it, at `at`; also of spaces that end the input. 0 if none. */
static size_t line_break_at(struct slice in, size_t at)
{
	size_t end = at;
	while (end < in.len && in.ptr[end] == ' ')
		end++;
	if (end == in.len)
		return end - at;
	if (in.ptr[end] == '\n')
		return end + 1 - at;
	if (in.ptr[end] == '\r' && end + 1 < in.len && in.ptr[end + 1] == '\n')
		return end + 2 - at;
	return 0;
}

/* Groups of four symbols from the start, three bytes each; returns how many symbols. */
static size_t decode_groups(struct slice in, uint8_t *out)
{
	size_t at = 0;
	for (; at + 4 <= in.len; at += 4) {
		const uint8_t *in4 = in.ptr + at;
		int a = symbol_value(in4[0]), b = symbol_value(in4[1]), c = symbol_value(in4[2]),
		    d = symbol_value(in4[3]);
		if ((a | b | c | d) < 0)
			break;
		uint32_t group = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;
		out[at / 4 * 3] = (uint8_t)(group >> 16);
		out[at / 4 * 3 + 1] = (uint8_t)(group >> 8);
		out[at / 4 * 3 + 2] = (uint8_t)group;
	}
	return at;
}

int base64_decode(struct slice in, uint8_t *out, size_t *ret_len)
{
	uint32_t group = 0, symbols = 0, pads = 0;
	size_t from = decode_groups(in, out), len = from / 4 * 3;
	for (size_t at = from; at < in.len;) {
		int value = symbol_value(in.ptr[at]);
		if (value < 0 && in.ptr[at] != '=') {
			size_t skipped = line_break_at(in, at);
			if (skipped == 0)
				return -EINVAL;
			at += skipped;
			continue;
		}
		pads += value < 0;
		if (pads > 2 || (value >= 0 && pads > 0))
			return -EINVAL;
		group = group << 6 | (value < 0 ? 0 : (uint32_t)value);
		at++;
		if (++symbols % 4 == 0) {
			uint8_t bytes[3] = {(uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group};
			for (uint32_t i = 0; i + pads < 3; i++)
				out[len++] = bytes[i];
		}
	}
	*ret_len = len;
	return 0;
}

size_t base64_decode_lines(struct slice in, uint8_t *out)
{
	size_t len;
	return base64_decode(slice_sub(in, 0, slice_find_byte(in, 0, 0)), out, &len) == 0 ? len : 0;
}

size_t base64_decode_forgiving(struct slice in, uint8_t *out)
{
	size_t len = 0, symbols = 0;
	uint32_t group = 0;
	for (size_t at = 0; at < in.len; at++) {
		uint8_t byte = in.ptr[at];
		if (byte == '=' && symbols % 4 == 1 && (at + 1 == in.len || in.ptr[at + 1] != '='))
			return 0;
		int value = symbol_value(byte);
		if (value < 0)
			continue;
		group = group << 6 | (uint32_t)value;
		switch (symbols++ % 4) {
		case 1:
			out[len++] = (uint8_t)(group >> 4);
			break;
		case 2:
			out[len++] = (uint8_t)(group >> 2);
			break;
		case 3:
			out[len++] = (uint8_t)group;
			break;
		}
	}
	uint8_t last = in.len > 0 ? in.ptr[in.len - 1] : 0;
	return symbols % 4 == 1 && (last == '=' || last == '9') ? 0 : len;
}
