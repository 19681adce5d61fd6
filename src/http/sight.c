/*
 * JSON and XML are told by one or two bytes behind a byte order mark and white space; a form by a name of up to 256
 * bytes and no control bytes.
 */
#include "http/sight.h"

enum { NAME_BYTES = 256 };

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice after_blanks(struct slice s)
{
	size_t at = 0;
	while (at < s.len && is_blank(s.ptr[at]))
		at++;
	return slice_after(s, at);
}

/* A name without white space, then only text. */
static bool is_form(struct slice body)
{
	struct slice start = slice_sub(body, 0, NAME_BYTES);
	size_t equals = slice_find_byte(start, '=', 0);
	if (equals == start.len)
		return false;
	for (size_t i = 0; i < equals; i++)
		if (body.ptr[i] <= ' ' || body.ptr[i] == 0x7f)
			return false;
	for (size_t i = equals; i < body.len; i++)
		if ((body.ptr[i] < ' ' && !is_blank(body.ptr[i])) || body.ptr[i] == 0x7f)
			return false;
	return true;
}

struct slice sight_unmarked(struct slice body)
{
	return slice_starts_with(body, SLICE("\xef\xbb\xbf")) ? slice_after(body, 3) : body;
}

enum sight sight_of(struct slice body)
{
	struct slice text = after_blanks(sight_unmarked(body));
	uint8_t first = text.len > 0 ? text.ptr[0] : 0;
	uint8_t second = text.len > 1 ? text.ptr[1] : 0;
	if (first == '{' || first == '[' || first == '"')
		return SIGHT_JSON;
	if (first == '<' && (byte_is_alpha(second) || second == '?' || second == '!' || second == '_'))
		return SIGHT_XML;
	return is_form(body) ? SIGHT_FORM : SIGHT_NOTHING;
}
