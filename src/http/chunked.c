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

/* One chunk's data, as much as there is of it; empty for the last chunk. */
static int parse_chunk(struct reader *r, size_t room, struct slice *ret_data)
{
	uint64_t size;
	*ret_data = slice_make("", 0);
	int outcome = parse_size(r, &size);
	if (outcome != 0)
		return outcome;
	if (size == 0)
		return skip_trailers(r);
	if (reader_at_end(r))
		return CHUNKED_TRUNCATED;
	if (size > room)
		return CHUNKED_TOO_LARGE;
	*ret_data = reader_take(r, (size_t)size);
	return r->overrun ? CHUNKED_TRUNCATED : parse_data_end(r);
}

struct gathered {
	struct arena *arena;
	size_t reserved; /* of the copy */
	uint8_t *copy;
	struct slice data;
};

static int gather(struct gathered *g, struct slice chunk)
{
	if (g->data.len == 0 || chunk.len == 0) {
		g->data = chunk.len == 0 ? g->data : chunk;
		return 0;
	}
	if (g->copy == NULL) {
		g->copy = arena_alloc(g->arena, g->reserved);
		if (g->copy == NULL)
			return -ENOMEM;
		memcpy(g->copy, g->data.ptr, g->data.len);
	}
	memcpy(g->copy + g->data.len, chunk.ptr, chunk.len);
	g->data = slice_make(g->copy, g->data.len + chunk.len);
	return 0;
}

int chunked_decode(struct reader *r, size_t limit_bytes, struct arena *arena, struct slice *ret_data)
{
	struct gathered g = {.arena = arena, .reserved = reader_left(r), .data = slice_make("", 0)};
	size_t room = limit_bytes == 0 ? SIZE_MAX : limit_bytes;
	struct slice chunk;
	int outcome;
	do {
		outcome = parse_chunk(r, room, &chunk);
		if (outcome != 0 && outcome != CHUNKED_TRUNCATED)
			return outcome;
		room -= chunk.len;
		if (gather(&g, chunk) != 0)
			return -ENOMEM;
	} while (outcome == 0 && chunk.len > 0);
	if (g.copy != NULL)
		arena_shrink(arena, g.copy, g.reserved, g.data.len);
	*ret_data = g.data;
	return outcome;
}
