/* A view of bytes, passed by value. It owns nothing; whoever owns the bytes says for how long they stay. */
#ifndef GUIA_BASE_SLICE_H
#define GUIA_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *ptr;
	size_t len;
};

/* A slice of a string literal, without its NUL; the second form is for static initialisers. */
#define SLICE(literal) ((struct slice){(const uint8_t *)("" literal), sizeof(literal) - 1})
#define SLICE_INIT(literal)                                                                                            \
	{                                                                                                              \
		(const uint8_t *)("" literal), sizeof(literal) - 1                                                     \
	}

/* For printf: "%.*s", SLICE_ARG(s). Only for bytes known to be printable. */
#define SLICE_ARG(s) (int)(s).len, (const char *)(s).ptr

static inline struct slice slice_make(const void *ptr, size_t len)
{
	return (struct slice){(const uint8_t *)ptr, len};
}

static inline struct slice slice_from_string(const char *text)
{
	return text == NULL ? slice_make("", 0) : slice_make(text, strlen(text));
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Bytes [from, to); both are clamped to the slice. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from > to)
		from = to;
	return (struct slice){s.ptr == NULL ? NULL : s.ptr + from, to - from};
}

static inline struct slice slice_after(struct slice s, size_t from)
{
	return slice_sub(s, from, s.len);
}

static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_equal(slice_sub(s, 0, prefix.len), prefix);
}

static inline bool slice_ends_with(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len && slice_equal(slice_after(s, s.len - suffix.len), suffix);
}

/* How many bytes both end with. */
size_t slice_common_end(struct slice a, struct slice b);

/* ASCII only; never depends on the locale. */
static inline uint8_t byte_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static inline bool byte_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool byte_is_alpha(uint8_t c)
{
	c = byte_lower(c);
	return c >= 'a' && c <= 'z';
}

/* The C locale's isspace: space, \t \n \v \f \r. */
static inline bool byte_is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The value of a hexadecimal digit, plus 1; 0 for other bytes. */
extern const uint8_t byte_hex_values[256];

/* 0 to 15, or -1. */
static inline int byte_hex_value(uint8_t c)
{
	return byte_hex_values[c] - 1;
}

/* ASCII case is ignored. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_starts_with_nocase(struct slice s, struct slice prefix);

/* Index of the first occurrence at or after `from`, or s.len. */
size_t slice_find_byte(struct slice s, uint8_t byte, size_t from);
size_t slice_find(struct slice s, struct slice needle, size_t from);
size_t slice_find_nocase(struct slice s, struct slice needle, size_t from);

/* memcmp's order, the shorter first among equals. */
int slice_compare(struct slice a, struct slice b);

/* Without leading and trailing byte_is_space() bytes. */
struct slice slice_trim(struct slice s);

/* A decimal number of digits alone, `most` at most. False for anything else, with *ret_number untouched. */
bool slice_number(struct slice s, uint64_t most, uint64_t *ret_number);

/* Splits `s` at the first `byte`: the part before it to *ret_head; returns what follows (empty if there was none). */
struct slice slice_cut(struct slice s, uint8_t byte, struct slice *ret_head);

#endif
