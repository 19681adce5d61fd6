/*
 * Capacity doubles. An arena's newest allocation grows where it stands; any other moves, and its old place is lost
 * until the arena is reset.
 */
#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	NUMBER_BYTES = 20, /* of the longest: a sign and 19 digits */
	FIRST_BYTES = 128,
};

static void *grow(struct buffer *b, size_t capacity)
{
	if (b->arena == NULL)
		return realloc(b->ptr, capacity);
	if (b->ptr != NULL && arena_extend(b->arena, b->ptr, b->capacity, capacity))
		return b->ptr;
	void *ptr = arena_alloc(b->arena, capacity);
	if (ptr != NULL && b->len > 0)
		memcpy(ptr, b->ptr, b->len);
	return ptr;
}

int buffer_reserve(struct buffer *b, size_t bytes)
{
	if (b->error != 0)
		return b->error;
	if (b->capacity - b->len >= bytes)
		return 0;
	size_t wanted = b->len + bytes;
	size_t doubled = b->capacity < FIRST_BYTES / 2 ? FIRST_BYTES : b->capacity * 2;
	size_t capacity = doubled > wanted ? doubled : wanted;
	void *ptr = wanted < bytes ? NULL : grow(b, capacity);
	if (ptr == NULL)
		return b->error = -ENOMEM;
	b->ptr = ptr;
	b->capacity = capacity;
	return 0;
}

void buffer_number(struct buffer *b, int64_t number)
{
	uint8_t digits[NUMBER_BYTES];
	size_t at = sizeof(digits);
	if (number >= 0 && number <= 9) {
		buffer_byte(b, (uint8_t)('0' + number));
		return;
	}
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	do {
		digits[--at] = (uint8_t)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (number < 0)
		digits[--at] = '-';
	buffer_add(b, slice_make(digits + at, sizeof(digits) - at));
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	va_list again;
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length > 0 && buffer_reserve(b, (size_t)length + 1) == 0) {
		vsnprintf((char *)b->ptr + b->len, (size_t)length + 1, format, again);
		b->len += (size_t)length;
	}
	va_end(again);
}

void buffer_free(struct buffer *b)
{
	if (b->arena == NULL)
		free(b->ptr);
	*b = buffer_make(b->arena);
}
