/* Escapes of URLs 64 bytes at a time by AVX-512, or 32 by AVX2, for url.c. Without both nothing is done. */
#ifndef GUIA_CODEC_URL_WIDE_H
#define GUIA_CODEC_URL_WIDE_H

#include "base/slice.h"

enum { URL_WIDE_BYTES = 69 /* that must be left: an escape's digits may be behind the 64 */ };

/* What becomes of %uHHHH: it is no escape, its low byte, or what a map of Unicode has. */
enum url_longs { URL_LONGS_NONE, URL_LONGS_LOW, URL_LONGS_MAPPED };

/*
 * As url_unescape(), from *at on and behind *len of `out`, as long as URL_WIDE_BYTES are left, or up to a block with a
 * %uHHHH that is mapped. `plus`: '+' is a space.
 */
void url_unescape_wide(bool plus, enum url_longs longs, struct slice in, size_t *at, uint8_t *out, size_t *len,
		       bool *invalid);

/* The first '%' from `from` on that two digits do not follow, or a place before it from where it is to be sought. */
size_t url_find_unsound_wide(struct slice in, size_t from);

/* The same by AVX2, which url_wide.c chooses. It stops at any block that may have a %uHHHH. */
void url_unescape_by_32(bool plus, enum url_longs longs, struct slice in, size_t *at, uint8_t *out, size_t *len,
			bool *invalid);
size_t url_find_unsound_by_32(struct slice in, size_t from);

#endif
