/* Writes down what a defence is told (incident/recording.h), in a file that only its owner may read. */
#ifndef GUIA_WATCH_RECORDER_H
#define GUIA_WATCH_RECORDER_H

#include "incident/recording.h"

#include <stdio.h>

struct recorder {
	FILE *file; /* NULL: nothing is recorded */
	const char *path;
	uint64_t bytes;
	struct buffer pending; /* of this look at the rings */
};

/* Makes the file, over one that is there. 0 or -errno; a path of NULL records nothing. */
int recorder_open(struct recorder *recorder, const char *path);
void recorder_close(struct recorder *recorder);

static inline bool recorder_is_on(const struct recorder *recorder)
{
	return recorder->file != NULL;
}

#define RECORDER_MOST_BYTES (UINT64_C(8) << 30)

/* Writes what is pending. After an error, or at RECORDER_MOST_BYTES, it says so and ends. */
void recorder_flush(struct recorder *recorder);

#endif
