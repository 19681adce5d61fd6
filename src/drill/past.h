/*
 * What a gate has learned on the days before, kept for each run with Guia: the watch's memory and the key that it is
 * read with (docs/detection.md), in folders such as `guia serve` had made for them.
 */
#ifndef GUIA_DRILL_PAST_H
#define GUIA_DRILL_PAST_H

#include "base/buffer.h"

#include <sys/stat.h>

enum { PAST_ITEMS = 6 };

/* All zero: nothing. */
struct past {
	struct past_item {
		bool there;
		struct stat st;
		struct buffer bytes; /* of a file */
	} items[PAST_ITEMS];
};

/* Of a gate that has ended. 0 or -errno; -ENOENT if it kept no memory. past_free() it in any case. */
int past_keep(struct past *past, const char *folder);
void past_free(struct past *past);

/* For a gate that has not begun, into an empty folder. 0 or -errno. */
int past_lay(const struct past *past, const char *folder);

#endif
