#include "cli/text.h"

/* Formatting that reorders or hides text: rows of first and last code point. */
static const struct {
	uint32_t first;
	uint32_t last;
} hidden[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200f},
	{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
};

static bool is_hidden(uint32_t point)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (point >= hidden[i].first && point <= hidden[i].last)
			return true;
	return false;
}

/* The code point at `at` and its length in *ret_len, by RFC 3629; or UINT32_MAX and 1. */
static uint32_t decode(struct slice s, size_t at, size_t *ret_len)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = s.ptr[at];
	size_t len = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
	*ret_len = 1;
	if (len == 1)
		return first;
	if (len == 0 || s.len - at < len)
		return UINT32_MAX;
	uint32_t point = first & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((s.ptr[at + i] & 0xc0) != 0x80)
			return UINT32_MAX;
		point = point << 6 | (s.ptr[at + i] & 0x3fu);
	}
	if (point < smallest[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return UINT32_MAX;
	*ret_len = len;
	return point;
}

void text_safe(struct buffer *out, struct slice bytes)
{
	for (size_t at = 0, len; at < bytes.len; at += len) {
		uint32_t point = decode(bytes, at, &len);
		if (point == '\n')
			buffer_text(out, "\\n");
		else if (point == '\t')
			buffer_text(out, "\\t");
		else if (point == '\r')
			buffer_text(out, "\\r");
		else if (point == UINT32_MAX || (is_hidden(point) && point < 0x80))
			buffer_printf(out, "\\x%02x", bytes.ptr[at]);
		else if (is_hidden(point))
			buffer_printf(out, "\\u{%x}", (unsigned)point);
		else
			buffer_add(out, slice_sub(bytes, at, at + len));
	}
}

static void add_unit(struct buffer *out, uint32_t point)
{
	if (point >= 0x10000) {
		buffer_printf(out, "\\u%04x", (unsigned)(0xd800 + ((point - 0x10000) >> 10)));
		point = 0xdc00 + ((point - 0x10000) & 0x3ff);
	}
	buffer_printf(out, "\\u%04x", (unsigned)point);
}

void text_json(struct buffer *out, struct slice bytes)
{
	buffer_byte(out, '"');
	for (size_t at = 0, len; at < bytes.len; at += len) {
		uint32_t point = decode(bytes, at, &len);
		if (point == UINT32_MAX) {
			buffer_text(out, "\xef\xbf\xbd");
		} else if (point == '"' || point == '\\') {
			buffer_byte(out, '\\');
			buffer_byte(out, (uint8_t)point);
		} else if (is_hidden(point)) {
			add_unit(out, point);
		} else {
			buffer_add(out, slice_sub(bytes, at, at + len));
		}
	}
	buffer_byte(out, '"');
}
