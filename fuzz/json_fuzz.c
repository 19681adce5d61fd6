/* Every name starts with "json", no value is longer than the body, and a limit on arguments is kept. */
#include "http/json.h"

#include <errno.h>
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, 1 << 20, 0);
	struct field_list list = field_list_make(&arena);
	struct json_options options = {.depth_limit = 1 + size % 40,
				       .arguments_limit = size % 7 == 0 ? 5 : SIZE_MAX,
				       .empty_containers = size % 2 == 0};
	struct slice error = {0};
	int outcome = json_parse(slice_make(data, size), &options, &list, &error);
	if (outcome < 0 ? outcome != -ENOMEM || !arena.exhausted : (outcome == BODY_MALFORMED) != (error.len > 0))
		abort();
	if (list.count > options.arguments_limit)
		abort();
	for (size_t i = 0; i < list.count; i++)
		if (!slice_starts_with(list.items[i].name, SLICE("json")) || list.items[i].value.len > size)
			abort();
	arena_destroy(&arena);
	return 0;
}
