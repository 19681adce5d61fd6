/* A response that is taken has a status of three digits and no more body than bytes came. */
#include "http/response.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, 64 << 20, 0);
	struct response response;
	int outcome = response_parse(slice_make(data, size), &arena, &response);
	if (outcome < 0)
		abort();
	if (outcome == 0 && (response.status < 100 || response.status > 999 || response.body.len > size))
		abort();
	arena_destroy(&arena);
	return 0;
}
