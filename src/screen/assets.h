/* Files of assets/, and of npm's packages, as they are in the program: made by tools/embed. */
#ifndef GUIA_SCREEN_ASSETS_H
#define GUIA_SCREEN_ASSETS_H

#include <stddef.h>

struct asset {
	const char *path; /* "/screen.css" */
	const char *type;
	const unsigned char *bytes;
	size_t len;
	const unsigned char *small; /* the same in gzip's format */
	size_t small_len;
};

extern const struct asset assets[];
extern const size_t asset_count;

/* NULL: this program was built without it. */
const struct asset *asset_find(const char *path);

#endif
