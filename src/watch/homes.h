/*
 * Who asks the origin of a site that is local: networks as they were named, and those that the place data puts into the
 * countries that were named. The gate gets them all as networks: no country is looked up for a request.
 */
#ifndef GUIA_WATCH_HOMES_H
#define GUIA_WATCH_HOMES_H

#include "base/address.h"
#include "watch/places.h"

enum { HOMES_COUNTRIES_MOST = 64 };

struct homes_options {
	const struct prefix *networks;
	size_t network_count;
	const char (*countries)[2]; /* ISO 3166, in capitals */
	size_t country_count;
};

struct homes {
	struct prefix *networks;
	size_t count;
	const struct homes_options *options;
	uint64_t made_s;  /* the place data, in seconds since the epoch; 0: none was asked for, or there is none */
	const char *said; /* why countries are not known, "" if they are */
};

/*
 * Waits until the places are read, where a country was named. Networks that are named stand in any case. 0 or -ENOMEM.
 */
int homes_gather(const struct homes_options *options, struct places *places, struct homes *ret_homes);
void homes_release(struct homes *homes);

#endif
