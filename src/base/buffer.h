/*
 * Bytes that grow, for writing text. Memory comes from an arena, or from the heap when `arena` is NULL. A failed
 * allocation sets a sticky error and further writes do nothing, so that a writer checks once at the end.
 */
#ifndef GUIA_BASE_BUFFER_H
#define GUIA_BASE_BUFFER_H

#include "base/arena.h"

struct buffer {
	uint8_t *ptr;
	size_t len;
	size_t capacity;
	struct arena *arena;
	int error; /* 0 or -ENOMEM */
};

static inline struct buffer buffer_make(struct arena *arena)
{
	return (struct buffer){.arena = arena};
}

static inline struct slice buffer_slice(const struct buffer *b)
{
	return slice_make(b->ptr, b->len);
}

static inline void buffer_clear(struct buffer *b)
{
	b->len = 0;
	b->error = 0;
}

/* Room for `bytes` more; 0 or -ENOMEM (also kept in ->error). */
int buffer_reserve(struct buffer *b, size_t bytes);
void buffer_number(struct buffer *b, int64_t number);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void buffer_add(struct buffer *b, struct slice s)
{
	if (s.len == 0 || b->error != 0 || (b->capacity - b->len < s.len && buffer_reserve(b, s.len) != 0))
		return;
	memcpy(b->ptr + b->len, s.ptr, s.len);
	b->len += s.len;
}

static inline void buffer_byte(struct buffer *b, uint8_t byte)
{
	if (b->error == 0 && (b->capacity > b->len || buffer_reserve(b, 1) == 0))
		b->ptr[b->len++] = byte;
}

static inline void buffer_text(struct buffer *b, const char *text)
{
	buffer_add(b, slice_from_string(text));
}

/* Frees heap memory; does nothing for an arena's. */
void buffer_free(struct buffer *b);

#endif
