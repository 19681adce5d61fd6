/*
 * JSON and XML are told by one or two characters behind white space, in any encoding of Unicode; a form by a name of up
 * to 256 bytes and no control bytes.
 */
#include "http/sight.h"

enum { NAME_BYTES = 256 };

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A text's characters, in units of one byte, of UTF-16, or of UTF-32. */
struct units {
	struct slice bytes;
	size_t width;
	size_t low; /* which of a unit's bytes ASCII has */
};

/* By a byte order mark, which is left out, or by where the first character has its zeros. */
static struct units units_of(struct slice body)
{
	static const struct {
		struct slice mark;
		size_t width;
		size_t low;
	} marks[] = {
		{SLICE_INIT("\xef\xbb\xbf"), 1, 0}, {SLICE_INIT("\xff\xfe\0\0"), 4, 0},
		{SLICE_INIT("\0\0\xfe\xff"), 4, 3}, {SLICE_INIT("\xff\xfe"), 2, 0},
		{SLICE_INIT("\xfe\xff"), 2, 1},
	};
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (slice_starts_with(body, marks[i].mark))
			return (struct units){slice_after(body, marks[i].mark.len), marks[i].width, marks[i].low};
	if (body.len >= 4 && slice_find_byte(slice_sub(body, 0, 4), 0, 0) < 4) {
		size_t low = body.ptr[0] != 0 ? 0 : body.ptr[1] != 0 ? 1 : 3;
		size_t width = low == 3 || (low == 0 && body.ptr[2] == 0) ? 4 : 2;
		return (struct units){body, width, low};
	}
	return (struct units){body, 1, 0};
}

/* 0 where there is none, or one that is not of ASCII. */
static uint8_t character_at(const struct units *units, size_t index)
{
	if (index >= units->bytes.len / units->width)
		return 0;
	const uint8_t *unit = units->bytes.ptr + index * units->width;
	for (size_t i = 0; i < units->width; i++)
		if (i != units->low && unit[i] != 0)
			return 0;
	return unit[units->low];
}

bool sight_is_text(struct slice body)
{
	for (size_t i = 0; i < body.len; i++)
		if ((body.ptr[i] < ' ' && !is_blank(body.ptr[i])) || body.ptr[i] == 0x7f)
			return false;
	return true;
}

/* A name without white space, then only text. */
static bool is_form(struct slice body)
{
	struct slice start = slice_sub(body, 0, NAME_BYTES);
	size_t equals = slice_find_byte(start, '=', 0);
	if (equals == start.len)
		return false;
	for (size_t i = 0; i < equals; i++)
		if (body.ptr[i] <= ' ' || body.ptr[i] == 0x7f)
			return false;
	return sight_is_text(slice_after(body, equals));
}

enum sight sight_of(struct slice body)
{
	struct units units = units_of(body);
	size_t at = 0;
	while (is_blank(character_at(&units, at)))
		at++;
	uint8_t first = character_at(&units, at);
	uint8_t second = character_at(&units, at + 1);
	if (first == '{' || first == '[' || (first == '"' && units.width == 1))
		return units.width == 1 ? SIGHT_JSON : SIGHT_WIDE_JSON;
	if (first == '<' && (byte_is_alpha(second) || second == '?' || second == '!' || second == '_'))
		return SIGHT_XML;
	return is_form(body) ? SIGHT_FORM : SIGHT_NOTHING;
}

struct slice sight_text(struct slice body)
{
	return units_of(body).bytes;
}
