/*
 * The input's first line is the Content-Type. Contents are slices of the body, in order and apart from each other;
 * without an error there is strictness or every line is where it belongs.
 */
#include "http/multipart.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, 64 << 20, 0);
	struct slice type, body = slice_cut(slice_make(data, size), '\n', &type);
	struct multipart m;
	int outcome = multipart_parse(type, body, &(struct multipart_options){size % 3, size % 2, 0, size % 2 == 0},
				      &arena, &m);
	if (outcome < 0 || (outcome == BODY_MALFORMED) != (m.error.len > 0))
		abort();
	size_t bytes = 0;
	for (size_t i = 0; i < m.file_count; i++)
		bytes += m.files[i].content.len;
	if (bytes != m.files_combined_bytes)
		abort();
	if (bytes > body.len || (m.flags.error && !m.flags.strict_error) || (m.flags.error && outcome == 0))
		abort();
	arena_destroy(&arena);
	return 0;
}
