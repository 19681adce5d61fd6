/*
 * Parcels that stay sealed: which of them a bag needs. What is in one is known to the holder of the export key alone;
 * its name tells the times of its first and last message, and a record the time of its own.
 */
#ifndef GUIA_BUNDLE_PARCELS_H
#define GUIA_BUNDLE_PARCELS_H

#include "evidence/body_read.h"

/* ret_named[i]: a record in the bag's WARC files names a message of that parcel's time. 0 or -errno. */
int parcels_named(int bag, const struct body_parcels *parcels, bool *ret_named);

#endif
