/*
 * Attributes are counted by their equals signs, from each '<' on, in which a tag begins and which no value of an
 * attribute may hold, to the '>' outside quotes. Comments and the like are counted as if they were tags; where quotes
 * do not pair the parser stops as well. So the count is not too low wherever ASCII's characters are known by their
 * bytes; in other encodings a document must be short.
 */
#include "http/xml_bound.h"

enum {
	ODD_BYTES_MAX = 64 * 1024,
	HEAD_UNITS = 512, /* the declaration of an encoding must end within */
};

/* The document as units of one byte or two; what is no ASCII is 0xff. */
struct units {
	struct slice bytes;
	size_t width;
	size_t low; /* of a unit's bytes the one that ASCII has */
};

static struct units units_make(struct slice body)
{
	struct slice start = slice_sub(body, 0, 4);
	struct units units = {body, 1, 0};
	bool wide = slice_starts_with(start, SLICE("\xff\xfe")) || slice_equal(start, SLICE("<\0?\0"));
	bool wide_big = slice_starts_with(start, SLICE("\xfe\xff")) || slice_equal(start, SLICE("\0<\0?"));
	if (wide || wide_big)
		units = (struct units){body, 2, wide_big};
	return units;
}

static size_t units_count(const struct units *units)
{
	return units->bytes.len / units->width;
}

static uint8_t unit_at(const struct units *units, size_t index)
{
	const uint8_t *unit = units->bytes.ptr + index * units->width;
	return units->width == 1 || unit[1 - units->low] == 0 ? unit[units->low] : 0xff;
}

/* The encoding that a declaration names; empty if none. */
static struct slice declared_encoding(struct slice declaration)
{
	struct slice rest = slice_after(declaration, slice_find(declaration, SLICE("encoding"), 0));
	size_t open = 0;
	while (open < rest.len && rest.ptr[open] != '"' && rest.ptr[open] != '\'')
		open++;
	size_t close = open < rest.len ? slice_find_byte(rest, rest.ptr[open], open + 1) : open;
	return slice_sub(rest, open + 1, close);
}

static bool is_plain_name(struct slice encoding)
{
	static const struct slice plain[] = {
		SLICE_INIT("utf-8"),    SLICE_INIT("us-ascii"),  SLICE_INIT("iso-8859-"),
		SLICE_INIT("windows-"), SLICE_INIT("gb"),        SLICE_INIT("big5"),
		SLICE_INIT("euc-"),     SLICE_INIT("shift_jis"), SLICE_INIT("koi8-"),
	};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (slice_starts_with_nocase(encoding, plain[i]))
			return true;
	return false;
}

/* Whether ASCII's characters are known by their units all through the document. */
static bool is_plain(const struct units *units)
{
	uint8_t bytes[HEAD_UNITS];
	size_t count = units_count(units) < HEAD_UNITS ? units_count(units) : HEAD_UNITS;
	for (size_t i = 0; i < count; i++)
		bytes[i] = unit_at(units, i);
	struct slice head = slice_make(bytes, count), start = slice_sub(head, 0, 4);
	if (slice_starts_with(head, SLICE("\xef\xbb\xbf")))
		head = slice_after(head, 3);
	else if (units->width == 2 && slice_starts_with(head, SLICE("\xff")))
		head = slice_after(head, 1);
	if (slice_find_byte(start, 0, 0) < start.len || slice_starts_with(head, SLICE("\x4c\x6f\xa7\x94")))
		return false;
	if (!slice_starts_with(head, SLICE("<?xml")))
		return true;
	size_t end = slice_find(head, SLICE("?>"), 0);
	struct slice encoding = declared_encoding(slice_sub(head, 0, end));
	if (encoding.len == 0)
		return end < head.len;
	return units->width == 1 ? is_plain_name(encoding) : slice_starts_with_nocase(encoding, SLICE("utf-16"));
}

static bool has_wide_tag(const struct units *units)
{
	bool in_tag = false;
	uint8_t quote = 0;
	size_t equals = 0, count = units_count(units);
	for (size_t i = 0; i < count; i++) {
		uint8_t c = unit_at(units, i);
		if (c == '<') {
			in_tag = true;
			quote = 0;
			equals = 0;
		} else if (quote != 0) {
			quote = c == quote ? 0 : quote;
		} else if (in_tag && (c == '"' || c == '\'')) {
			quote = c;
		} else if (in_tag && c == '=' && ++equals > XML_ATTRIBUTES_MAX) {
			return true;
		} else if (c == '>') {
			in_tag = false;
		}
	}
	return false;
}

const char *xml_bound_fault(struct slice body)
{
	struct units units = units_make(body);
	if (!is_plain(&units))
		return body.len > ODD_BYTES_MAX ? "XML: Too large for its encoding." : NULL;
	return has_wide_tag(&units) ? "XML: Too many attributes." : NULL;
}
