/*
 * SecUnicodeMapFile: which single byte stands for a code point in a code page, for urlDecodeUni's %uHHHH.
 *
 * The file is a list of code pages: a line that starts with the page's number ("20127 (US-ASCII)"), then lines of
 * pairs HHHH:HH separated by spaces. Lines starting with '#' are comments. One page is taken; the others are skipped,
 * among them those whose line starts with no number. Four full stops (RFC 3490, section 3.1) map to '.' unless the page
 * says otherwise.
 */
#ifndef GUIA_CODEC_UNICODE_MAP_H
#define GUIA_CODEC_UNICODE_MAP_H

#include "base/diagnostic.h"

enum { UNICODE_MAP_SIZE = 65536, UNICODE_MAP_ABSENT = 256 };

/* Immutable once parsed: 128 KiB, shared by all. */
struct unicode_map {
	uint16_t byte[UNICODE_MAP_SIZE]; /* by code point: 0 to 255, or UNICODE_MAP_ABSENT */
};

/*
 * Parses `text`, read from the file named `file`, taking the page `code_page`, into *map. 0, or -EINVAL with at least
 * one error added to `diagnostics`: a page that is absent, a pair that is no pair. On failure the map holds nothing of
 * use.
 */
int unicode_map_parse(struct unicode_map *map, struct slice text, unsigned code_page, const char *file,
		      struct diagnostics *diagnostics);

#endif
