/*
 * Bytes as text: UTF-8 checking, escaping for JSON, terminals and error logs, base64 (RFC 4648) and hexadecimal.
 * Writers append to a buffer, whose sticky error tells of lost memory.
 */
#ifndef GUIA_CODEC_TEXT_H
#define GUIA_CODEC_TEXT_H

#include "base/buffer.h"

/* Length, 1 to 4, of the valid UTF-8 sequence (RFC 3629) at `at` < s.len; 0 if there is none. */
size_t utf8_sequence(struct slice s, size_t at);

bool utf8_valid(struct slice s);

/* Appends `s` as valid UTF-8: each byte that is part of no valid sequence becomes U+FFFD. */
void text_add_utf8(struct buffer *out, struct slice s);

/*
 * Appends `s` as a JSON string, quotes included: always valid UTF-8 and JSON. Control bytes become \n, \u001b and the
 * like. A byte that is part of no valid UTF-8 sequence becomes \u00XX of its value, so that a reader of the raw text
 * can tell what was there: valid text is never escaped that way.
 */
void text_add_json(struct buffer *out, struct slice s);

/* The same without the quotes: a part of a string. Between parts an ASCII byte must stand on one side. */
void text_add_json_bytes(struct buffer *out, struct slice s);

/*
 * Appends `s` for a terminal: on one line, valid UTF-8, without anything that moves a cursor, changes a mode or the
 * direction of text, or cannot be seen. C0, DEL, C1 (in either spelling), line separators, bidirectional controls,
 * invisible formatting and bytes that are no UTF-8 become \n, \t, \r or \xHH for each of their bytes; a backslash
 * stays as it is.
 */
void text_add_terminal(struct buffer *out, struct slice s);

/* Appends JSON for a terminal: what text_add_terminal() would not show of its strings becomes \uXXXX. */
void text_add_terminal_json(struct buffer *out, struct slice json);

/*
 * Appends `s` as ModSecurity writes values to an error log: bytes below 0x20 and above 0x7e as \xHH, lower case; with
 * `in_quotes` '"' and '\' too.
 */
void text_add_log(struct buffer *out, struct slice s, bool in_quotes);

/* The same, not in quotes, but only the first `limit` bytes of it. Returns how long all of it would be. */
size_t text_add_log_limited(struct buffer *out, struct slice s, size_t limit);

static inline uint8_t hex_digit(uint32_t nibble)
{
	return (uint8_t)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
}

/* Two lower-case digits a byte; returns 2 * in.len. */
size_t hex_encode(struct slice in, uint8_t *out);

/* Exactly `len` bytes, by two digits of either case each; false for anything else, with *out undefined. */
bool hex_exact(struct slice text, uint8_t *out, size_t len);

static inline size_t base64_encoded_length(size_t input_len)
{
	return (input_len + 2) / 3 * 4;
}

/* With padding, without line breaks; returns base64_encoded_length(in.len). */
size_t base64_encode(struct slice in, uint8_t *out);

/*
 * Decodes base64 that may hold line breaks (LF or CR LF) with spaces before them. 0, or -EINVAL on any other foreign
 * byte, a third '=', or data after '='. An incomplete group of four at the end is dropped. `out` has room for three
 * bytes for each whole four of `in`; on failure it may have been written.
 */
int base64_decode(struct slice in, uint8_t *out, size_t *ret_len);

/* base64Decode of SecLang: base64_decode() of what precedes the first NUL; nothing if invalid. Returns the length. */
size_t base64_decode_lines(struct slice in, uint8_t *out);

/*
 * base64DecodeExt of SecLang: foreign bytes are skipped, a group may be incomplete. Nothing is decoded, as in
 * ModSecurity, if an '=' that is not followed by another stands after one symbol of a group, or if the last byte is '='
 * or '9' there. Returns the length, below in.len.
 */
size_t base64_decode_forgiving(struct slice in, uint8_t *out);

#endif
