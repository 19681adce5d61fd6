/* A value byte by byte: @validateByteRange, @validateUrlEncoding, @validateUtf8Encoding. Nothing allocates. */
#ifndef GUIA_MATCH_BYTES_H
#define GUIA_MATCH_BYTES_H

#include "base/slice.h"

struct byte_range {
	uint8_t has[256]; /* 1 for members */
};

enum { BYTE_RANGE_BAD = 1 };

/*
 * @validateByteRange's argument: "N" and "N-M" between commas, decimal, 0 to 255, N <= M, white space around numbers
 * ignored. 0, or BYTE_RANGE_BAD with *ret_bad the part that is no range (ModSecurity passes over it in silence).
 */
int byte_range_parse(struct slice argument, struct byte_range *ret_set, struct slice *ret_bad);

/* Index of the first byte at or after `from` that is not in the set, or value.len: the operator matches if there is
 * one. */
size_t byte_range_find_foreign(const struct byte_range *set, struct slice value, size_t from);

enum url_encoding {
	URL_ENCODING_VALID,
	URL_ENCODING_NOT_HEX, /* %, then two bytes of which one is no hexadecimal digit */
	URL_ENCODING_SHORT,   /* %, then less than two bytes */
};

/* The first fault, its place in *ret_offset (untouched if valid). The operator matches what is not valid. */
enum url_encoding url_encoding_check(struct slice value, size_t *ret_offset);

enum utf8_encoding {
	UTF8_VALID,
	UTF8_SHORT,      /* the value ends within a character */
	UTF8_INVALID,    /* a byte that no character may have there */
	UTF8_OVERLONG,   /* more bytes than the character needs */
	UTF8_RESTRICTED, /* a surrogate, or a lead byte above 0xf4 */
};

/*
 * The first fault, its place in *ret_offset (untouched if valid). The operator matches what is not valid. As in
 * ModSecurity, code points above U+10FFFF that begin with 0xf4 pass; RFC 3629 is checked by utf8_valid().
 */
enum utf8_encoding utf8_encoding_check(struct slice value, size_t *ret_offset);

#endif
