/*
 * Which country and network each prefix is in, read from libloc's database (Debian: libloc-database; `location update`
 * fetches newer ones).
 */
#ifndef GUIA_LOCATE_LOCATIONS_H
#define GUIA_LOCATE_LOCATIONS_H

#include "limit/place_image.h"

#define LOCATIONS_FILE "/var/lib/location/database.db"

enum {
	LOCATIONS_NONE = 1, /* there is no such file */
};

/*
 * Appends a place image to a buffer that is empty. Takes half a second of CPU and 100 MB meanwhile: for a thread of its
 * own. 0, LOCATIONS_NONE, -EINVAL for a file that is no such database, -ENOMEM or -errno.
 */
int locations_image(const char *path, const struct image_version *version, struct buffer *out);

#endif
