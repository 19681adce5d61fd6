/* Transformations that map, drop or fold single bytes: case, parity, white space, NULs, command lines. */
#include "codec/byte_class.h"
#include "codec/transform_rows.h"

static const struct byte_class UPPER = BYTE_CLASS_1('A', 'Z');
static const struct byte_class LOWER = BYTE_CLASS_1('a', 'z');
static const struct byte_class HIGH = BYTE_CLASS_1(0x80, 0xff);
/* White space of the C locale, and the two bytes of a non-breaking space in UTF-8, each on its own. */
static const struct byte_class BLANK = BYTE_CLASS_4('\t', '\r', ' ', ' ', 0xa0, 0xa0, 0xc2, 0xc2);
/* White space of the C locale other than the space itself. */
static const struct byte_class ODD_SPACE = BYTE_CLASS_1('\t', '\r');
static const struct byte_class SPACE = BYTE_CLASS_2('\t', '\r', ' ', ' ');

bool transform_none(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context, (void)in, (void)out, (void)ret_len;
	return false;
}

/* Flips bit 5 of every member of `letters`. */
static inline __attribute__((always_inline)) bool change_case(const struct byte_class *letters, struct slice in,
							      uint8_t *out, size_t *ret_len)
{
	size_t at = byte_class_find(letters, in, 0);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	for (; at + BYTE_VECTOR <= in.len; at += BYTE_VECTOR) {
		byte_vector bytes = byte_vector_load(in.ptr + at);
		bytes ^= byte_vector_members(letters, bytes) & 0x20;
		memcpy(out + at, &bytes, sizeof(bytes));
	}
	for (; at < in.len; at++)
		out[at] = (uint8_t)(in.ptr[at] ^ (letters->has[in.ptr[at]] << 5));
	*ret_len = in.len;
	return true;
}

bool transform_lowercase(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return change_case(&UPPER, in, out, ret_len);
}

bool transform_uppercase(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return change_case(&LOWER, in, out, ret_len);
}

/*
 * Sets bit 7 so that the number of bits is even or odd. As ModSecurity does, all eight bits are counted before bit 7 is
 * replaced, so that a byte with bit 7 set gets the other parity.
 */
static bool set_parity(unsigned odd, struct slice in, uint8_t *out, size_t *ret_len)
{
	uint8_t different = 0;
	for (size_t at = 0; at < in.len; at++) {
		uint8_t byte = in.ptr[at];
		unsigned bit = ((unsigned)__builtin_popcount(byte) ^ odd) & 1;
		out[at] = (uint8_t)((byte & 0x7f) | bit << 7);
		different |= out[at] ^ byte;
	}
	*ret_len = different ? in.len : *ret_len;
	return different;
}

bool transform_parity_even_7bit(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return set_parity(0, in, out, ret_len);
}

bool transform_parity_odd_7bit(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return set_parity(1, in, out, ret_len);
}

bool transform_parity_zero_7bit(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = byte_class_find(&HIGH, in, 0);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	for (; at < in.len; at++)
		out[at] = in.ptr[at] & 0x7f;
	*ret_len = in.len;
	return true;
}

bool transform_replace_nulls(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = byte_find(0, in, 0);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	for (; at < in.len; at++)
		out[at] = in.ptr[at] == 0 ? ' ' : in.ptr[at];
	*ret_len = in.len;
	return true;
}

/* Copies what is left of `in` from `at` on, which is a byte to drop, without the members of `dropped`. */
static size_t copy_without(const struct byte_class *dropped, struct slice in, size_t at, uint8_t *out)
{
	memcpy(out, in.ptr, at);
	size_t len = at;
	for (at++; at < in.len; at++) {
		out[len] = in.ptr[at];
		len += !dropped->has[in.ptr[at]];
	}
	return len;
}

bool transform_remove_nulls(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	static const struct byte_class NUL = BYTE_CLASS_1(0, 0);
	size_t at = byte_find(0, in, 0);
	if (at == in.len)
		return false;
	*ret_len = copy_without(&NUL, in, at, out);
	return true;
}

bool transform_remove_whitespace(const struct transform_context *context, struct slice in, uint8_t *out,
				 size_t *ret_len)
{
	(void)context;
	size_t at = byte_class_find(&BLANK, in, 0);
	if (at == in.len)
		return false;
	*ret_len = copy_without(&BLANK, in, at, out);
	return true;
}

/* The first byte that compressing changes: white space other than ' ', or any after a ' '. */
static size_t compressible(struct slice in)
{
	size_t odd = byte_class_find(&ODD_SPACE, in, 0);
	for (size_t at = byte_find(' ', in, 0); at < odd; at = byte_find(' ', in, at + 1)) {
		if (byte_at(in, at + 1) == ' ')
			return at;
	}
	return odd;
}

bool transform_compress_whitespace(const struct transform_context *context, struct slice in, uint8_t *out,
				   size_t *ret_len)
{
	(void)context;
	size_t at = compressible(in);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	size_t len = at;
	bool after_space = at > 0 && in.ptr[at - 1] == ' ';
	for (; at < in.len; at++) {
		bool space = SPACE.has[in.ptr[at]];
		out[len] = space ? ' ' : in.ptr[at];
		len += !(space && after_space);
		after_space = space;
	}
	*ret_len = len;
	return true;
}

static bool trim(struct slice in, bool left, bool right, uint8_t *out, size_t *ret_len)
{
	size_t from = 0, to = in.len;
	while (left && from < to && SPACE.has[in.ptr[from]])
		from++;
	while (right && to > from && SPACE.has[in.ptr[to - 1]])
		to--;
	if (to - from == in.len)
		return false;
	*ret_len = copy_range(out, 0, in, from, to);
	return true;
}

bool transform_trim(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return trim(in, true, true, out, ret_len);
}

bool transform_trim_left(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return trim(in, true, false, out, ret_len);
}

bool transform_trim_right(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return trim(in, false, true, out, ret_len);
}

enum { COMMAND_COPY, COMMAND_DROP, COMMAND_SPACE, COMMAND_TIGHT };

/* What cmdLine does with a byte: quoting goes, separators become one space, no space stands before '/' and '('. */
static const uint8_t COMMAND[256] = {
	['"'] = COMMAND_DROP,   ['\''] = COMMAND_DROP,  ['\\'] = COMMAND_DROP, ['^'] = COMMAND_DROP,
	[' '] = COMMAND_SPACE,  [','] = COMMAND_SPACE,  [';'] = COMMAND_SPACE, ['\t'] = COMMAND_SPACE,
	['\r'] = COMMAND_SPACE, ['\n'] = COMMAND_SPACE, ['/'] = COMMAND_TIGHT, ['('] = COMMAND_TIGHT,
};

/* The bytes at which cmdLine may change something: all it treats specially, and capitals. */
static const struct byte_class COMMAND_SPECIAL = {.has = {
							  ['"'] = 1,
							  ['\''] = 1,
							  ['\\'] = 1,
							  ['^'] = 1,
							  [','] = 1,
							  [';'] = 1,
							  ['\t'] = 1,
							  ['\r'] = 1,
							  ['\n'] = 1,
							  [' '] = 1,
							  ['A' ... 'Z'] = 1,
						  }};

/* The first byte at which cmdLine's output differs, a single space between words being none. */
static size_t command_special(struct slice in)
{
	size_t at = byte_class_find(&COMMAND_SPECIAL, in, 0);
	while (at < in.len && in.ptr[at] == ' ') {
		int next = byte_at(in, at + 1);
		if (next == ' ' || next == '/' || next == '(')
			break;
		at = byte_class_find(&COMMAND_SPECIAL, in, at + 1);
	}
	return at;
}

bool transform_cmd_line(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	size_t at = command_special(in);
	if (at == in.len)
		return false;
	memcpy(out, in.ptr, at);
	size_t len = at;
	bool after_space = at > 0 && in.ptr[at - 1] == ' ';
	for (; at < in.len; at++) {
		switch (COMMAND[in.ptr[at]]) {
		case COMMAND_DROP:
			break;
		case COMMAND_SPACE:
			if (!after_space)
				out[len++] = ' ';
			after_space = true;
			break;
		case COMMAND_TIGHT:
			len -= after_space;
			out[len++] = in.ptr[at];
			after_space = false;
			break;
		default:
			out[len++] = byte_lower(in.ptr[at]);
			after_space = false;
		}
	}
	*ret_len = len;
	return true;
}
