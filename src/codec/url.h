/* Escapes of URLs, as forms and urlDecode have them (%HH, and '+' for a space), and Microsoft's %uHHHH. */
#ifndef GUIA_CODEC_URL_H
#define GUIA_CODEC_URL_H

#include "base/slice.h"

struct unicode_map;

enum url_escapes {
	URL_PERCENT, /* %HH */
	URL_FORM,    /* and '+' */
	URL_UNICODE, /* and %uHHHH: its byte by the map, which may be NULL, or the low byte of its code point */
};

/* Index of the first escape at or after `from`, or in.len. A '%' without digits behind it is none. */
size_t url_find_escape(enum url_escapes escapes, struct slice in, size_t from);

/* Index of the first '%' at or after `from` that two digits do not follow, or in.len. */
size_t url_find_unsound(struct slice in, size_t from);

/*
 * Decodes `in` to `out`, which has room for in.len bytes and does not overlap it; returns the length. What is no escape
 * is copied; *ret_invalid is set to true if there was a '%' among that, else left as it was: false at first.
 */
size_t url_unescape(enum url_escapes escapes, const struct unicode_map *map, struct slice in, uint8_t *out,
		    bool *ret_invalid);

#endif
