/* The functions behind the rows of transform_table.h; called through transform_apply() only. */
#ifndef GUIA_CODEC_TRANSFORM_ROWS_H
#define GUIA_CODEC_TRANSFORM_ROWS_H

#include "codec/transform.h"

/* transform_apply()'s contract; `out` is never NULL, and `in` is empty only for rows that make something of nothing. */
typedef bool transform_function(const struct transform_context *context, struct slice in, uint8_t *out,
				size_t *ret_len);

#define TRANSFORM(identifier, name, function, growth, triggers) transform_function function;
#include "codec/transform_table.h"

#endif
