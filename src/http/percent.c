/*
 * Escapes are decoded by codec/url.c. What stands before the first one is copied whole; without any there is no copy.
 */
#include "http/percent.h"

#include "codec/byte_class.h"
#include "codec/url.h"

#include <errno.h>

int percent_decode(struct arena *arena, struct slice s, enum percent_plus plus, bool *invalid,
		   struct slice *ret_decoded)
{
	enum url_escapes escapes = plus == PERCENT_PLUS_IS_SPACE ? URL_FORM : URL_PERCENT;
	size_t plain = url_find_escape(escapes, s, 0);
	*invalid |= byte_find('%', slice_sub(s, 0, plain), 0) < plain;
	if (plain == s.len) {
		*ret_decoded = s;
		return 0;
	}
	uint8_t *copy = arena_alloc(arena, s.len);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, s.ptr, plain);
	size_t length = plain + url_unescape(escapes, NULL, slice_after(s, plain), copy + plain, invalid);
	arena_shrink(arena, copy, s.len, length);
	*ret_decoded = slice_make(copy, length);
	return 0;
}

bool percent_is_valid(struct slice s)
{
	size_t at = byte_find('%', s, 0);
	while (at < s.len && hex_pair_at(s, at + 1))
		at = byte_find('%', s, at + 3);
	return at == s.len;
}
