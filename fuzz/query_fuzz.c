/* Arguments stand in their order inside the text and hold no more bytes than it; a cut copy without memory says so. */
#include "http/arguments.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, size > 0 ? (size_t)data[0] << 8 : 0, 0);
	struct field_list list = field_list_make(&arena);
	struct arguments_options options = arguments_defaults();
	options.limit = size % 50;
	struct arguments_facts facts;
	if (arguments_parse(slice_make(data, size), &options, &list, &facts) != 0 && !arena.exhausted)
		abort();
	size_t bytes = 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct field *field = &list.items[i];
		bytes += field->name.len + field->value.len;
		if (field->name_offset > field->value_offset || field->value_offset > size)
			abort();
	}
	if (bytes > size || list.count > options.limit)
		abort();
	arena_destroy(&arena);
	return 0;
}
