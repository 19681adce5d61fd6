/* Head, query and cookies are libmicrohttpd's to parse; a form in the body is taken apart here. */
#include "screen/visit.h"

#include <microhttpd.h>

const char *visit_header(const struct visit *visit, const char *name)
{
	return MHD_lookup_connection_value(visit->connection, MHD_HEADER_KIND, name);
}

const char *visit_query(const struct visit *visit, const char *name)
{
	return MHD_lookup_connection_value(visit->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *visit_cookie(const struct visit *visit, const char *name)
{
	return MHD_lookup_connection_value(visit->connection, MHD_COOKIE_KIND, name);
}

/* Into `room` bytes with a NUL. False: it does not fit, or holds a NUL. */
static bool decode(struct slice text, char *value, size_t room)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len && len + 1 < room; i++) {
		uint8_t byte = text.ptr[i] == '+' ? ' ' : text.ptr[i];
		if (byte == '%' && i + 2 < text.len && byte_hex_value(text.ptr[i + 1]) >= 0 &&
		    byte_hex_value(text.ptr[i + 2]) >= 0) {
			byte = (uint8_t)(byte_hex_value(text.ptr[i + 1]) * 16 + byte_hex_value(text.ptr[i + 2]));
			i += 2;
		}
		if (byte == '\0')
			return false;
		value[len++] = (char)byte;
		value[len] = '\0';
		if (len + 1 == room && i + 1 < text.len)
			return false;
	}
	value[len] = '\0';
	return true;
}

void visit_field(const struct visit *visit, const char *name, char *value, size_t room)
{
	struct slice rest = buffer_slice(&visit->body), pair, key;
	value[0] = '\0';
	while (rest.len > 0) {
		rest = slice_cut(rest, '&', &pair);
		struct slice text = slice_cut(pair, '=', &key);
		if (!slice_equal(key, slice_from_string(name)))
			continue;
		if (!decode(text, value, room))
			value[0] = '\0';
		return;
	}
}
