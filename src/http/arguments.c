/* The WHATWG URL standard's form encoding, with the leniency of ModSecurity's non-strict URL decoding. */
#include "http/arguments.h"

#include "base/reader.h"

#include <errno.h>

/* Index of the first byte that decoding would look at, or s.len. */
static size_t plain_length(struct slice s)
{
	size_t i = 0;
	while (i < s.len && s.ptr[i] != '%' && s.ptr[i] != '+')
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

int arguments_decode(struct arena *arena, struct slice s, bool *invalid, struct slice *ret_decoded)
{
	size_t plain = plain_length(s);
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
		if (c == '+')
			c = ' ';
		else if (c == '%')
			c = decode_percent(&r, invalid);
		copy[length++] = c;
	}
	arena_shrink(arena, copy, s.len, length);
	*ret_decoded = slice_make(copy, length);
	return 0;
}

/* For what is over the limit: looked at, not kept. */
static bool encoding_is_valid(struct slice s)
{
	bool invalid = false;
	struct reader r = reader_make(s);
	while (!reader_at_end(&r))
		if (reader_byte(&r) == '%')
			decode_percent(&r, &invalid);
	return !invalid;
}

static int add_argument(struct slice text, struct slice piece, const struct arguments_options *options,
			struct field_list *list, struct arguments_facts *facts)
{
	if (facts->limit_reached) {
		facts->invalid_encoding |= !encoding_is_valid(piece);
		return 0;
	}
	struct field field;
	struct slice value = slice_cut(piece, '=', &field.name);
	field.name_offset = options->base_offset + (size_t)(piece.ptr - text.ptr);
	field.value_offset = field.name_offset + (piece.len - value.len);
	if (arguments_decode(list->arena, field.name, &facts->invalid_encoding, &field.name) != 0 ||
	    arguments_decode(list->arena, value, &facts->invalid_encoding, &field.value) != 0)
		return -ENOMEM;
	return field_list_add(list, field);
}

int arguments_parse(struct slice text, const struct arguments_options *options, struct field_list *list,
		    struct arguments_facts *ret_facts)
{
	struct arguments_facts facts = {0};
	struct reader r = reader_make(text);
	for (size_t count = 0; !reader_at_end(&r); count++) {
		struct slice piece = reader_until(&r, options->separator);
		facts.limit_reached = count >= options->limit;
		int error = add_argument(text, piece, options, list, &facts);
		if (error != 0)
			return error;
	}
	*ret_facts = facts;
	return 0;
}
