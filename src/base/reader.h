/*
 * A bounded cursor over bytes. An attempt to read past the end sets a sticky flag and yields zeroes, so that a parser
 * checks once at the end of a construct instead of at every byte. Nothing else in the tree walks untrusted bytes.
 */
#ifndef GUIA_BASE_READER_H
#define GUIA_BASE_READER_H

#include "base/slice.h"

struct reader {
	struct slice bytes;
	size_t at;
	bool overrun;
};

static inline struct reader reader_make(struct slice bytes)
{
	return (struct reader){bytes, 0, false};
}

static inline size_t reader_left(const struct reader *r)
{
	return r->bytes.len - r->at;
}

static inline bool reader_at_end(const struct reader *r)
{
	return r->at >= r->bytes.len;
}

/* The byte `ahead` places on, or -1 past the end. Does not move and never sets overrun. */
static inline int reader_peek(const struct reader *r, size_t ahead)
{
	return ahead < reader_left(r) ? r->bytes.ptr[r->at + ahead] : -1;
}

static inline uint8_t reader_byte(struct reader *r)
{
	if (reader_at_end(r)) {
		r->overrun = true;
		return 0;
	}
	return r->bytes.ptr[r->at++];
}

static inline void reader_skip(struct reader *r, size_t count)
{
	if (count > reader_left(r)) {
		r->overrun = true;
		count = reader_left(r);
	}
	r->at += count;
}

/* The next `count` bytes; fewer, with overrun set, if there are not so many. */
static inline struct slice reader_take(struct reader *r, size_t count)
{
	size_t from = r->at;
	reader_skip(r, count);
	return slice_sub(r->bytes, from, r->at);
}

static inline struct slice reader_rest(const struct reader *r)
{
	return slice_after(r->bytes, r->at);
}

/* Moves past `text` if it comes next. */
static inline bool reader_accept(struct reader *r, struct slice text)
{
	if (!slice_starts_with(reader_rest(r), text))
		return false;
	r->at += text.len;
	return true;
}

/* What comes before the next `byte`, moving past the byte; the rest, moving to the end, if there is none. */
static inline struct slice reader_until(struct reader *r, uint8_t byte)
{
	size_t from = r->at;
	size_t end = slice_find_byte(r->bytes, byte, from);
	r->at = end < r->bytes.len ? end + 1 : end;
	return slice_sub(r->bytes, from, end);
}

#endif
