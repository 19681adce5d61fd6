#include "http/percent.h"

#include "base/reader.h"

#include <errno.h>

/* Index of the first byte that decoding would look at, or s.len. */
static size_t plain_length(struct slice s, enum percent_plus plus)
{
	size_t i = 0;
	while (i < s.len && s.ptr[i] != '%' && (s.ptr[i] != '+' || plus == PERCENT_PLUS_STAYS))
		i++;
	return i;
}

/* A percent sign was read. */
static uint8_t decode_percent(struct reader *r, bool *invalid)
{
	int high = reader_peek(r, 0);
	int low = reader_peek(r, 1);
	high = high < 0 ? -1 : byte_hex_value((uint8_t)high);
	low = low < 0 ? -1 : byte_hex_value((uint8_t)low);
	if (high < 0 || low < 0) {
		*invalid = true;
		return '%';
	}
	reader_skip(r, 2);
	return (uint8_t)(high << 4 | low);
}

int percent_decode(struct arena *arena, struct slice s, enum percent_plus plus, bool *invalid,
		   struct slice *ret_decoded)
{
	size_t plain = plain_length(s, plus);
	if (plain == s.len) {
		*ret_decoded = s;
		return 0;
	}
	uint8_t *copy = arena_alloc(arena, s.len);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, s.ptr, plain);
	size_t length = plain;
	struct reader r = reader_make(slice_after(s, plain));
	while (!reader_at_end(&r)) {
		uint8_t c = reader_byte(&r);
		if (c == '+' && plus == PERCENT_PLUS_IS_SPACE)
			c = ' ';
		else if (c == '%')
			c = decode_percent(&r, invalid);
		copy[length++] = c;
	}
	arena_shrink(arena, copy, s.len, length);
	*ret_decoded = slice_make(copy, length);
	return 0;
}

bool percent_is_valid(struct slice s)
{
	bool invalid = false;
	struct reader r = reader_make(s);
	while (!reader_at_end(&r))
		if (reader_byte(&r) == '%')
			decode_percent(&r, &invalid);
	return !invalid;
}
