/* What is accepted has a path from the root and no line ends in its headers; what is refused has a status and a reason.
 */
#include "http/request.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, 64 << 20, 0);
	struct request_parser_options options = request_parser_defaults();
	options.merge_slashes = options.ignore_invalid_headers = size % 2 == 0;
	options.underscores_in_headers = size % 3 == 0;
	struct request request;
	int outcome = request_parse(slice_make(data, size), &options, &arena, &request);
	if (outcome < 0 || (outcome != 0) != (request.refused_status >= 400) ||
	    (outcome != 0) != (*request.refused_reason != 0))
		abort();
	if (outcome == 0 && (request.uri.len == 0 || request.uri.ptr[0] != '/' || request.method.len == 0))
		abort();
	for (size_t i = 0; i < request.headers.count; i++)
		if (slice_find_byte(request.headers.items[i].value, '\n', 0) < request.headers.items[i].value.len)
			abort();
	if (request.body.len + request.rest.len > size)
		abort();
	arena_destroy(&arena);
	return 0;
}
