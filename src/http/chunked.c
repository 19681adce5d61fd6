/*
 * A chunk is a slice of the input until a second one comes: then there is a copy, with room for all that is left, which
 * is shrunk in the end. A bare LF ends a line.
 */
#include "http/chunked.h"

#include <errno.h>

/* Behind a CR: the LF that must follow. */
static int expect_line_feed(struct reader *r)
{
	uint8_t c = reader_byte(r);
	if (r->overrun)
		return CHUNKED_TRUNCATED;
	return c == '\n' ? 0 : CHUNKED_INVALID;
}

/* The rest of a line, whatever it holds; a CR must be followed by LF. */
static int skip_line(struct reader *r)
{
	for (;;) {
		uint8_t c = reader_byte(r);
		if (r->overrun)
			return CHUNKED_TRUNCATED;
		if (c == '\n')
			return 0;
		if (c == '\r')
			return expect_line_feed(r);
	}
}

/* "1a2b;extension CRLF" */
static int parse_size(struct reader *r, uint64_t *ret_size)
{
	uint8_t c = reader_byte(r);
	if (byte_hex_value(c) < 0)
		return r->overrun ? CHUNKED_TRUNCATED : CHUNKED_INVALID;
	uint64_t size = 0;
	while (byte_hex_value(c) >= 0) {
		size = size * 16 + (uint64_t)byte_hex_value(c);
		c = reader_byte(r);
		if (r->overrun)
			return CHUNKED_TRUNCATED;
		/* Seen by the byte behind the digit, whatever that is: so a size this large is refused even if
		 * complete. */
		if (size > INT64_MAX / 16)
			return CHUNKED_INVALID;
	}
	*ret_size = size;
	if (c == '\n')
		return 0;
	if (c == '\r')
		return expect_line_feed(r);
	return c == ';' || c == ' ' || c == '\t' ? skip_line(r) : CHUNKED_INVALID;
}

static int skip_trailers(struct reader *r)
{
	for (;;) {
		if (reader_at_end(r))
			return CHUNKED_TRUNCATED;
		uint8_t c = reader_byte(r);
		if (c == '\n')
			return 0;
		if (c == '\r')
			return expect_line_feed(r);
		int outcome = skip_line(r);
		if (outcome != 0)
			return outcome;
	}
}

/* Behind a chunk's data. */
static int parse_data_end(struct reader *r)
{
	uint8_t c = reader_byte(r);
	if (r->overrun)
		return CHUNKED_TRUNCATED;
	if (c == '\r')
		return expect_line_feed(r);
	return c == '\n' ? 0 : CHUNKED_INVALID;
}

/* One chunk's data; empty for the last chunk. */
static int parse_chunk(struct reader *r, size_t room, struct slice *ret_data)
{
	uint64_t size;
	int outcome = parse_size(r, &size);
	if (outcome != 0)
		return outcome;
	*ret_data = slice_make("", 0);
	if (size == 0)
		return skip_trailers(r);
	if (reader_at_end(r))
		return CHUNKED_TRUNCATED;
	if (size > room)
		return CHUNKED_TOO_LARGE;
	*ret_data = reader_take(r, (size_t)size);
	return r->overrun ? CHUNKED_TRUNCATED : parse_data_end(r);
}

int chunked_decode(struct reader *r, size_t limit_bytes, struct arena *arena, struct slice *ret_data)
{
	struct slice data = slice_make("", 0);
	uint8_t *copy = NULL;
	size_t room = limit_bytes == 0 ? SIZE_MAX : limit_bytes;
	size_t reserved = reader_left(r);
	for (;;) {
		struct slice chunk;
		int outcome = parse_chunk(r, room, &chunk);
		if (outcome != 0)
			return outcome;
		if (chunk.len == 0)
			break;
		room -= chunk.len;
		if (data.len == 0) {
			data = chunk;
			continue;
		}
		if (copy == NULL) {
			copy = arena_alloc(arena, reserved);
			if (copy == NULL)
				return -ENOMEM;
			memcpy(copy, data.ptr, data.len);
		}
		memcpy(copy + data.len, chunk.ptr, chunk.len);
		data = slice_make(copy, data.len + chunk.len);
	}
	if (copy != NULL)
		arena_shrink(arena, copy, reserved, data.len);
	*ret_data = data;
	return 0;
}
