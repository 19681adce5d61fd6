/*
 * What is escaped is told by a set of bytes and a function for one place; what lies between is copied whole. Lines of
 * error logs have a loop of their own, without a branch for each byte. Base64 and hexadecimal are in base64.c.
 */
#include "codec/text.h"

#include "base/word.h"
#include "codec/byte_class.h"

static bool is_continuation(struct slice s, size_t at)
{
	return at < s.len && (s.ptr[at] & 0xc0) == 0x80;
}

/* RFC 3629, section 4: what the byte after a lead byte may be, so that nothing is over-long, a surrogate or too big. */
static bool second_allowed(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

size_t utf8_sequence(struct slice s, size_t at)
{
	uint8_t lead = s.ptr[at];
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	for (size_t i = 1; i < length; i++) {
		if (!is_continuation(s, at + i))
			return 0;
	}
	return second_allowed(lead, s.ptr[at + 1]) ? length : 0;
}

static const struct byte_class HIGH = BYTE_CLASS_1(0x80, 0xff);

bool utf8_valid(struct slice s)
{
	for (size_t at = byte_class_find(&HIGH, s, 0); at < s.len; at = byte_class_find(&HIGH, s, at)) {
		size_t length = utf8_sequence(s, at);
		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

/* Appends what stands for the bytes of `s` at `at`; returns how many of them it dealt with, at least one. */
typedef size_t escape_place(struct buffer *out, struct slice s, size_t at);

/* Whether none of fewer than 16 bytes is a member: most names are so short, and need no loop. */
static inline __attribute__((always_inline)) bool short_has_none(const struct byte_class *members, struct slice s)
{
	uint64_t words[2];
	if (s.len >= 8) {
		words[0] = word_load8(s.ptr);
		words[1] = word_load8(s.ptr + s.len - 8);
	} else if (s.len >= 4) {
		words[0] = (uint64_t)word_load4(s.ptr) << 32 | word_load4(s.ptr + s.len - 4);
		words[1] = words[0];
	} else {
		return false;
	}
	byte_vector bytes;
	memcpy(&bytes, words, sizeof(bytes));
	return byte_vector_mask(byte_vector_members(members, bytes)) == 0;
}

/* Appends `s`, handing every member of `special` to `escape`; runs between them are copied whole. */
static inline __attribute__((always_inline)) void add_escaped(struct buffer *out, struct slice s,
							      const struct byte_class *special, escape_place *escape)
{
	if (s.len < BYTE_VECTOR && short_has_none(special, s)) {
		buffer_add(out, s);
		return;
	}
	for (size_t at = 0; at < s.len;) {
		size_t next = byte_class_find(special, s, at);
		buffer_add(out, slice_sub(s, at, next));
		at = next < s.len ? next + escape(out, s, next) : next;
	}
}

static void add_hex(struct buffer *out, const char *prefix, uint8_t byte)
{
	buffer_text(out, prefix);
	buffer_byte(out, hex_digit(byte >> 4));
	buffer_byte(out, hex_digit(byte & 0xf));
}

/* The letter of a control byte's short escape that JSON, C and readers share, or 0. */
static uint8_t short_escape(uint8_t byte)
{
	switch (byte) {
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static void add_short(struct buffer *out, uint8_t letter)
{
	buffer_byte(out, '\\');
	buffer_byte(out, letter);
}

static size_t escape_utf8(struct buffer *out, struct slice s, size_t at)
{
	size_t length = utf8_sequence(s, at);
	if (length > 0)
		buffer_add(out, slice_sub(s, at, at + length));
	else
		buffer_text(out, "\xef\xbf\xbd");
	return length > 0 ? length : 1;
}

void text_add_utf8(struct buffer *out, struct slice s)
{
	add_escaped(out, s, &HIGH, escape_utf8);
}

static const struct byte_class UNQUOTABLE = BYTE_CLASS_4(0, 0x1f, '"', '"', '\\', '\\', 0x7f, 0xff);

static size_t escape_json(struct buffer *out, struct slice s, size_t at)
{
	uint8_t byte = s.ptr[at];
	if (byte >= 0x80 && utf8_sequence(s, at) > 0)
		return escape_utf8(out, s, at);
	if (byte == '"' || byte == '\\')
		add_short(out, byte);
	else if (short_escape(byte) != 0)
		add_short(out, short_escape(byte));
	else
		add_hex(out, "\\u00", byte);
	return 1;
}

void text_add_json_bytes(struct buffer *out, struct slice s)
{
	add_escaped(out, s, &UNQUOTABLE, escape_json);
}

void text_add_json(struct buffer *out, struct slice s)
{
	buffer_byte(out, '"');
	text_add_json_bytes(out, s);
	buffer_byte(out, '"');
}

static const struct byte_class UNPRINTABLE = BYTE_CLASS_2(0, 0x1f, 0x7f, 0xff);

/* Of a valid sequence of more than one byte. */
static uint32_t code_point(struct slice sequence)
{
	uint32_t point = sequence.ptr[0] & (0xffu >> (sequence.len + 1));
	for (size_t i = 1; i < sequence.len; i++)
		point = point << 6 | (sequence.ptr[i] & 0x3fu);
	return point;
}

/* C1 controls, line separators, what is invisible, and the marks, embeddings, overrides and isolates of UAX #9. */
static bool is_unseen(uint32_t point)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} unseen[] = {
		{0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},     {0x180e, 0x180e},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfe00, 0xfe0f},
		{0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
	};
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (point >= unseen[i].first && point <= unseen[i].last)
			return true;
	return false;
}

static size_t escape_terminal(struct buffer *out, struct slice s, size_t at)
{
	size_t length = s.ptr[at] >= 0x80 ? utf8_sequence(s, at) : 0;
	struct slice sequence = slice_sub(s, at, at + (length > 0 ? length : 1));
	if (length > 0 && !is_unseen(code_point(sequence))) {
		buffer_add(out, sequence);
		return length;
	}
	if (short_escape(s.ptr[at]) != 0) {
		add_short(out, short_escape(s.ptr[at]));
		return 1;
	}
	for (size_t i = 0; i < sequence.len; i++)
		add_hex(out, "\\x", sequence.ptr[i]);
	return sequence.len;
}

void text_add_terminal(struct buffer *out, struct slice s)
{
	add_escaped(out, s, &UNPRINTABLE, escape_terminal);
}

static void add_json_unit(struct buffer *out, uint32_t unit)
{
	add_hex(out, "\\u", (uint8_t)(unit >> 8));
	add_hex(out, "", (uint8_t)unit);
}

static size_t escape_terminal_json(struct buffer *out, struct slice s, size_t at)
{
	size_t length = utf8_sequence(s, at);
	uint32_t point = length > 1 ? code_point(slice_sub(s, at, at + length)) : s.ptr[at];
	if (length > 0 && !is_unseen(point))
		return escape_utf8(out, s, at);
	if (point >= 0x10000) {
		add_json_unit(out, 0xd800 + ((point - 0x10000) >> 10));
		point = 0xdc00 + ((point - 0x10000) & 0x3ff);
	}
	add_json_unit(out, point);
	return length > 0 ? length : 1;
}

void text_add_terminal_json(struct buffer *out, struct slice json)
{
	static const struct byte_class special = BYTE_CLASS_1(0x7f, 0xff);
	add_escaped(out, json, &special, escape_terminal_json);
}

enum { LOG_ESCAPE = 4 /* \xHH */ };

/* Byte by byte, without a branch for each: there is room for all as escapes. */
static inline __attribute__((always_inline)) void add_log_bytes(struct buffer *out, const uint8_t *bytes, size_t count,
								const struct byte_class *special)
{
	uint8_t *to = out->ptr + out->len;
	for (size_t i = 0; i < count; i++) {
		uint8_t byte = bytes[i], escaped = special->has[byte];
		to[0] = escaped ? '\\' : byte;
		to[1] = 'x';
		to[2] = hex_digit(byte >> 4);
		to[3] = hex_digit(byte & 0xf);
		to += escaped ? LOG_ESCAPE : 1;
	}
	out->len = (size_t)(to - out->ptr);
}

/* Each member of `special` as \xHH. */
static inline __attribute__((always_inline)) void add_log(struct buffer *out, struct slice s,
							  const struct byte_class *special)
{
	enum { ROOM = BYTE_VECTOR * LOG_ESCAPE };
	if (s.len < BYTE_VECTOR && short_has_none(special, s)) {
		buffer_add(out, s);
		return;
	}
	for (size_t at = 0; at < s.len && out->error == 0; at += BYTE_VECTOR) {
		size_t left = s.len - at;
		if (out->capacity - out->len < ROOM && buffer_reserve(out, ROOM) != 0)
			return;
		if (left < BYTE_VECTOR) {
			add_log_bytes(out, s.ptr + at, left, special);
			return;
		}
		byte_vector bytes = byte_vector_load(s.ptr + at);
		if (byte_vector_mask(byte_vector_members(special, bytes)) != 0) {
			add_log_bytes(out, s.ptr + at, BYTE_VECTOR, special);
		} else {
			byte_vector_store(out->ptr + out->len, bytes);
			out->len += BYTE_VECTOR;
		}
	}
}

void text_add_log(struct buffer *out, struct slice s, bool in_quotes)
{
	if (in_quotes)
		add_log(out, s, &UNQUOTABLE);
	else
		add_log(out, s, &UNPRINTABLE);
}

size_t text_add_log_limited(struct buffer *out, struct slice s, size_t limit)
{
	enum { ESCAPE_MORE = LOG_ESCAPE - 1 };
	size_t start = out->len;
	add_log(out, slice_sub(s, 0, limit), &UNPRINTABLE);
	if (out->len - start > limit)
		out->len = start + limit;
	return s.len + ESCAPE_MORE * byte_class_count(&UNPRINTABLE, s);
}
