/* Where an address lies, from a MaxMind database (SecGeoLookupDb): what @geoLookup puts into GEO. Opened at load. */
#ifndef GUIA_MATCH_GEO_H
#define GUIA_MATCH_GEO_H

#include "base/slice.h"

struct geo_database;

/* 0, -EINVAL when the file is no such database, or -ENOMEM. */
int geo_open(const char *path, struct geo_database **ret_database);
void geo_close(struct geo_database *database);

typedef void geo_field_fn(void *context, struct slice name, struct slice value);

/* Calls `field` for each known fact (COUNTRY_CODE, CITY, ...). True if the address is in the database. */
bool geo_lookup(const struct geo_database *database, struct slice address, geo_field_fn *field, void *context);

#endif
