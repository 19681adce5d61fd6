/*
 * Sources that ask for one thing after another that is not there. Who asks for so many different ones within
 * MISSING_WINDOW_MS tries out what there is; a page that was moved is one path, however often it is asked for. Of fixed
 * size: who asked for least is forgotten first. Pure.
 */
#ifndef GUIA_CASEBOOK_MISSING_H
#define GUIA_CASEBOOK_MISSING_H

#include "base/address.h"
#include "base/hash.h"

enum {
	MISSING_SETS = 1024,
	MISSING_WAYS = 4,
	MISSING_WINDOW_MS = 5 * 60 * 1000,
	MISSING_ENOUGH = 40,
	MISSING_PATHS = 24, /* of 64 bits by hash that must be set: about 30 different paths */
};

struct missing_source {
	struct address address;
	uint64_t since_ms;
	uint64_t paths;
	uint32_t count;
	bool told;
};

struct missing {
	struct hash_key key;
	struct missing_source sources[MISSING_SETS][MISSING_WAYS];
};

/* One more. How many there were when it has become enough, once; afterwards 1 each; 0 before. */
uint32_t missing_add(struct missing *missing, const struct address *source, uint64_t path, uint64_t now_ms);

#endif
