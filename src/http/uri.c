#include "http/uri.h"

#include "base/reader.h"

#include <errno.h>

/* %HH is a byte; '+' and any other '%' stay. */
static int decode(struct arena *arena, struct slice s, struct slice *ret_decoded)
{
	size_t plain = slice_find_byte(s, '%', 0);
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
		int high = reader_peek(&r, 0) < 0 ? -1 : byte_hex_value((uint8_t)reader_peek(&r, 0));
		int low = reader_peek(&r, 1) < 0 ? -1 : byte_hex_value((uint8_t)reader_peek(&r, 1));
		if (c == '%' && high >= 0 && low >= 0) {
			c = (uint8_t)(high << 4 | low);
			reader_skip(&r, 2);
		}
		copy[length++] = c;
	}
	arena_shrink(arena, copy, s.len, length);
	*ret_decoded = slice_make(copy, length);
	return 0;
}

/* "scheme://authority/path" loses what is before its path; a target that is a path already is left alone. */
static struct slice without_authority(struct slice uri)
{
	if (uri.len == 0 || uri.ptr[0] == '/')
		return uri;
	size_t colon = slice_find_byte(uri, ':', 0);
	if (!slice_starts_with(slice_after(uri, colon), SLICE("://")))
		return uri;
	size_t path = slice_find_byte(uri, '/', colon + 3);
	return path < uri.len ? slice_after(uri, path) : uri;
}

static struct slice last_component(struct slice path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '/' || path.ptr[i - 1] == '\\')
			return slice_after(path, i);
	return slice_make("", 0);
}

int uri_parse(struct slice raw, struct arena *arena, struct uri *ret_uri)
{
	struct uri uri = {.raw = raw};
	struct slice target = slice_sub(raw, 0, slice_find_byte(raw, '#', 0));
	struct slice path;
	uri.query = slice_cut(target, '?', &path);
	uri.has_query = path.len < target.len;
	uri.query_offset = uri.has_query ? path.len + 1 : target.len;
	if (decode(arena, target, &uri.uri) != 0 || decode(arena, path, &uri.filename) != 0)
		return -ENOMEM;
	uri.uri = without_authority(uri.uri);
	uri.basename = last_component(uri.filename);
	*ret_uri = uri;
	return 0;
}
