/* Cookies are slices of the header, in order, each with a name that starts with no white space. */
#include "http/cookies.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, 64 << 20, 0);
	struct field_list list = field_list_make(&arena);
	if (cookies_parse(slice_make(data, size), &list) != 0)
		abort();
	const uint8_t *at = data;
	for (size_t i = 0; i < list.count; i++) {
		const struct field *field = &list.items[i];
		if (field->name.ptr < at || field->name.len == 0 || byte_is_space(field->name.ptr[0]))
			abort();
		if (field->value.ptr < field->name.ptr + field->name.len)
			abort();
		at = field->value.ptr + field->value.len;
		if (at > data + size)
			abort();
	}
	arena_destroy(&arena);
	return 0;
}
