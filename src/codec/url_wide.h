/* Escapes of URLs 64 bytes at a time, for url.c. Without AVX-512 nothing is done. */
#ifndef GUIA_CODEC_URL_WIDE_H
#define GUIA_CODEC_URL_WIDE_H

#include "base/slice.h"

enum { URL_WIDE_BYTES = 66 /* that must be left: an escape's digits may be behind the 64 */ };

/*
 * As url_unescape(), from *at on and behind *len of `out`, as long as URL_WIDE_BYTES are left, or up to a block with
 * what may be a %uHHHH, with `unicode`. `plus`: '+' is a space.
 */
void url_unescape_wide(bool plus, bool unicode, struct slice in, size_t *at, uint8_t *out, size_t *len, bool *invalid);

/* The first '%' from `from` on that two digits do not follow, or a place before it from where it is to be sought. */
size_t url_find_unsound_wide(struct slice in, size_t from);

#endif
