/*
 * At each byte a template is tried, and where there is none the byte is copied: what is nearly one stands for itself.
 */
#include "ftw/template.h"

#include "base/buffer.h"
#include "base/reader.h"

enum {
	REPEAT_MAX = 1 << 20,
};

static void skip_space(struct reader *r)
{
	while (reader_peek(r, 0) == ' ')
		reader_skip(r, 1);
}

/* Moves past a whole template, or leaves the reader where it cannot be read. */
static bool read_repeat(struct reader *r, struct slice *ret_text, size_t *ret_count)
{
	if (!reader_accept(r, SLICE("{{")))
		return false;
	skip_space(r);
	if (!reader_accept(r, SLICE("\"")))
		return false;
	*ret_text = reader_until(r, '"');
	skip_space(r);
	if (!reader_accept(r, SLICE("|")))
		return false;
	skip_space(r);
	if (!reader_accept(r, SLICE("repeat")))
		return false;
	skip_space(r);
	*ret_count = 0;
	while (byte_is_digit((uint8_t)reader_peek(r, 0)) && *ret_count < REPEAT_MAX)
		*ret_count = *ret_count * 10 + (size_t)(reader_byte(r) - '0');
	skip_space(r);
	return reader_accept(r, SLICE("}}")) && *ret_count <= REPEAT_MAX;
}

int ftw_template_expand(struct slice text, struct arena *arena, struct slice *ret_text)
{
	if (slice_find(text, SLICE("{{"), 0) == text.len) {
		*ret_text = text;
		return 0;
	}
	struct buffer out = buffer_make(arena);
	struct reader r = reader_make(text);
	while (!reader_at_end(&r)) {
		struct reader ahead = r;
		struct slice piece;
		size_t count;
		if (!read_repeat(&ahead, &piece, &count)) {
			buffer_byte(&out, reader_byte(&r));
			continue;
		}
		r = ahead;
		for (size_t i = 0; i < count; i++)
			buffer_add(&out, piece);
	}
	*ret_text = buffer_slice(&out);
	return out.error;
}
