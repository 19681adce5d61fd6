/* One pass from ';' to ';'. All slices lie in the header, so that an offset is a difference of pointers. */
#include "http/cookies.h"

#include "base/reader.h"

static struct slice trim_left(struct slice s)
{
	while (s.len > 0 && byte_is_space(s.ptr[0]))
		s = slice_after(s, 1);
	return s;
}

static struct slice trim_right(struct slice s)
{
	while (s.len > 0 && byte_is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

int cookies_parse(struct slice header, struct field_list *list)
{
	struct reader r = reader_make(header);
	while (!reader_at_end(&r)) {
		struct slice piece = reader_until(&r, ';');
		if (reader_at_end(&r))
			piece = trim_right(piece);
		struct field field;
		field.value = slice_cut(piece, '=', &field.name);
		field.name = trim_left(field.name);
		if (field.name.len == 0)
			continue;
		field.name_offset = (size_t)(field.name.ptr - header.ptr);
		field.value_offset = (size_t)(field.value.ptr - header.ptr);
		int error = field_list_add(list, field);
		if (error != 0)
			return error;
	}
	return 0;
}
