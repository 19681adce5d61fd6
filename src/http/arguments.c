/* The WHATWG URL standard's form encoding, with the leniency of ModSecurity's non-strict URL decoding. */
#include "http/arguments.h"

#include "base/reader.h"
#include "http/percent.h"

#include <errno.h>

static int add_argument(struct slice text, struct slice piece, const struct arguments_options *options,
			struct field_list *list, struct arguments_facts *facts)
{
	if (facts->limit_reached) {
		facts->invalid_encoding |= !percent_is_valid(piece); /* looked at, not kept */
		return 0;
	}
	struct field field;
	struct slice value = slice_cut(piece, '=', &field.name);
	field.name_offset = options->base_offset + (size_t)(piece.ptr - text.ptr);
	field.value_offset = field.name_offset + (piece.len - value.len);
	bool *invalid = &facts->invalid_encoding;
	if (percent_decode(list->arena, field.name, PERCENT_PLUS_IS_SPACE, invalid, &field.name) != 0 ||
	    percent_decode(list->arena, value, PERCENT_PLUS_IS_SPACE, invalid, &field.value) != 0)
		return -ENOMEM;
	return field_list_add(list, field);
}

int arguments_parse(struct slice text, const struct arguments_options *options, struct field_list *list,
		    struct arguments_facts *ret_facts)
{
	struct arguments_facts facts = {0};
	struct reader r = reader_make(text);
	for (size_t count = 0; !reader_at_end(&r); count++) {
		struct slice piece = reader_until(&r, options->separator);
		facts.limit_reached = count >= options->limit;
		int error = add_argument(text, piece, options, list, &facts);
		if (error != 0)
			return error;
	}
	*ret_facts = facts;
	return 0;
}
