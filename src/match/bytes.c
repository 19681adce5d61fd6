/*
 * UTF-8 goes from one byte of 0x80 or more to the next, past characters of two or three bytes that cannot be wrong;
 * what is neither is checked by itself.
 */
#include "match/bytes.h"

#include "codec/byte_class.h"
#include "codec/url.h"

enum { DIGITS_MOST = 3 };

static int parse_byte(struct slice text)
{
	uint64_t value;
	text = slice_trim(text);
	return text.len <= DIGITS_MOST && slice_number(text, UINT8_MAX, &value) ? (int)value : -1;
}

static bool add_range(struct byte_range *set, struct slice text)
{
	struct slice first_text;
	struct slice last_text = slice_cut(text, '-', &first_text);
	int first = parse_byte(first_text);
	int last = first_text.len < text.len ? parse_byte(last_text) : first;
	if (first < 0 || last < first)
		return false;
	memset(set->has + first, 1, (size_t)(last - first) + 1);
	return true;
}

int byte_range_parse(struct slice argument, struct byte_range *ret_set, struct slice *ret_bad)
{
	struct byte_range set = {{0}};
	struct slice text;
	do {
		size_t comma = slice_find_byte(argument, ',', 0);
		text = slice_sub(argument, 0, comma);
		if (!add_range(&set, text)) {
			*ret_bad = text;
			return BYTE_RANGE_BAD;
		}
		argument = comma < argument.len ? slice_after(argument, comma + 1) : slice_make(NULL, 0);
	} while (argument.ptr != NULL);
	*ret_set = set;
	return 0;
}

size_t byte_range_find_foreign(const struct byte_range *set, struct slice value, size_t from)
{
	size_t at = from;
	for (; at + 4 <= value.len; at += 4) {
		const uint8_t *p = value.ptr + at;
		if (!(set->has[p[0]] & set->has[p[1]] & set->has[p[2]] & set->has[p[3]]))
			break;
	}
	while (at < value.len && set->has[value.ptr[at]])
		at++;
	return at;
}

enum url_encoding url_encoding_check(struct slice value, size_t *ret_offset)
{
	size_t at = url_find_unsound(value, 0);
	if (at >= value.len)
		return URL_ENCODING_VALID;
	*ret_offset = at;
	return value.len - at > 2 ? URL_ENCODING_NOT_HEX : URL_ENCODING_SHORT;
}

/* What is wrong with the character of `length` bytes, all there, at p. */
static enum utf8_encoding check_character(const uint8_t *p, size_t length)
{
	static const uint32_t LEAST[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code = p[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return UTF8_INVALID;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code >= 0xd800 && code <= 0xdfff)
		return UTF8_RESTRICTED;
	return code < LEAST[length] ? UTF8_OVERLONG : UTF8_VALID;
}

/* The length that a lead byte announces, or 0 with *ret_fault set. */
static size_t announced_length(uint8_t lead, enum utf8_encoding *ret_fault)
{
	*ret_fault = lead >= 0xf5 && lead < 0xf8 ? UTF8_RESTRICTED : UTF8_INVALID;
	if (lead < 0xc0 || lead >= 0xf5)
		return 0;
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

static const struct byte_class HIGH = BYTE_CLASS_1(0x80, 0xff);

/* Behind characters of two and three bytes, one after another, with which nothing can be wrong; most are such. */
static size_t skip_usual(struct slice value, size_t at)
{
	while (value.len - at >= 3) {
		const uint8_t *p = value.ptr + at;
		bool follows = (p[1] & 0xc0) == 0x80;
		if (follows && p[0] >= 0xe1 && p[0] <= 0xec && (p[2] & 0xc0) == 0x80)
			at += 3;
		else if (follows && p[0] >= 0xc2 && p[0] <= 0xdf)
			at += 2;
		else
			break;
	}
	return at;
}

enum utf8_encoding utf8_encoding_check(struct slice value, size_t *ret_offset)
{
	for (size_t at = 0; at < value.len;) {
		at = byte_class_find(&HIGH, value, skip_usual(value, at));
		if (at == value.len)
			break;
		enum utf8_encoding fault;
		size_t length = announced_length(value.ptr[at], &fault);
		if (length > value.len - at)
			fault = UTF8_SHORT;
		else if (length > 0)
			fault = check_character(value.ptr + at, length);
		if (fault != UTF8_VALID) {
			*ret_offset = at;
			return fault;
		}
		at += length;
	}
	return UTF8_VALID;
}
