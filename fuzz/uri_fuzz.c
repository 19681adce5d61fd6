/* The path holds no byte of the query: parsed without it, it is the same. The base name ends the path. */
#include "http/uri.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, 64 << 20, 0);
	struct slice raw = slice_make(data, size);
	struct uri uri, alone;
	if (uri_parse(raw, &arena, &uri) != 0)
		abort();
	if (uri_parse(slice_sub(raw, 0, uri.query_offset - uri.has_query), &arena, &alone) != 0)
		abort();
	if (alone.has_query || !slice_equal(alone.filename, uri.filename) || !slice_equal(alone.basename, uri.basename))
		abort();
	if (!slice_ends_with(uri.filename, uri.basename) || uri.uri.len > size)
		abort();
	if (!slice_equal(uri.query, slice_sub(raw, uri.query_offset, uri.query_offset + uri.query.len)))
		abort();
	arena_destroy(&arena);
	return 0;
}
