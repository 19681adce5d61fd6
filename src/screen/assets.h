/* Files of assets/, as they are in the program: made by tools/embed. */
#ifndef GUIA_SCREEN_ASSETS_H
#define GUIA_SCREEN_ASSETS_H

#include <stddef.h>

struct asset {
	const char *path; /* "/screen.css" */
	const char *type;
	const unsigned char *bytes;
	size_t len;
};

extern const struct asset assets[];
extern const size_t asset_count;

#endif
