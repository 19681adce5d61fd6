/*
 * Where addresses are, for the watch: read from libloc's database by a thread of its own when the watch begins, since
 * that takes half a second in which events would wait.
 */
#ifndef GUIA_WATCH_PLACES_H
#define GUIA_WATCH_PLACES_H

#include "limit/place_image.h"

#include <pthread.h>
#include <stdatomic.h>

struct places {
	const char *file;
	pthread_t thread;
	bool started;
	atomic_bool read; /* all below is there, and changes no more */
	int result;       /* of locations_image() */
	struct buffer bytes;
	struct place_image image; /* knows of no address where there is none */
	uint8_t sha256[32];       /* of the file, where there is an image */
};

/* Begins to read. Without a thread nothing is known. */
void places_begin(struct places *places, const char *file);
/* Waits for the thread. One that is all zero is allowed. */
void places_end(struct places *places);

/* Until it is read, or cannot be: half a second. */
void places_await(struct places *places);

/* NULL: not yet, or there is none. */
const struct place_image *places_image(const struct places *places);

/* Why there is none; "" if it is there or not read yet. */
const char *places_fault(const struct places *places);

#endif
