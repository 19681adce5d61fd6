/* Writing JSON member by member: commas are put where they belong. */
#ifndef GUIA_WATCH_JSON_H
#define GUIA_WATCH_JSON_H

#include "codec/text.h"

#include <inttypes.h>

static inline void json_comma(struct buffer *out)
{
	uint8_t last = out->len > 0 ? out->ptr[out->len - 1] : '{';
	if (last != '{' && last != '[')
		buffer_byte(out, ',');
}

static inline void json_key(struct buffer *out, const char *name)
{
	json_comma(out);
	buffer_printf(out, "\"%s\":", name);
}

/* Readers have 63 bits; a sum that is more is no sum, but one word of it would make all of the text unreadable. */
static inline void json_number(struct buffer *out, const char *name, uint64_t value)
{
	json_key(out, name);
	buffer_printf(out, "%" PRIu64, value < INT64_MAX ? value : (uint64_t)INT64_MAX);
}

static inline void json_decimal(struct buffer *out, const char *name, double value)
{
	json_key(out, name);
	buffer_printf(out, "%.1f", value);
}

static inline void json_text(struct buffer *out, const char *name, const char *value)
{
	json_key(out, name);
	text_add_json(out, slice_from_string(value));
}

static inline void json_truth(struct buffer *out, const char *name, bool value)
{
	json_key(out, name);
	buffer_text(out, value ? "true" : "false");
}

static inline void json_open(struct buffer *out, const char *name, char bracket)
{
	json_key(out, name);
	buffer_byte(out, (uint8_t)bracket);
}

#endif
