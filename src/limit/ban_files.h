/*
 * Images of bans as files that the watch writes and the gate's workers map. A file appears whole, by rename, and is
 * never changed; a word in memory that all share says that there is a newer one. Workers look at it off the request
 * path, check what they find, and keep what they have if it is bad.
 */
#ifndef GUIA_LIMIT_BAN_FILES_H
#define GUIA_LIMIT_BAN_FILES_H

#include "limit/ban_image.h"

/* In the directory of bans: the base, the delta, and eight bytes with the generation of the newest. */
#define BAN_BASE_FILE  "base"
#define BAN_DELTA_FILE "delta"
#define BAN_WORD_FILE  "generation"

struct ban_mapping {
	void *bytes; /* NULL: none */
	size_t len;
	struct ban_image image;
};

/* What one worker has mapped. Zero-initialise; close in the end. */
struct ban_view {
	struct ban_mapping base;
	struct ban_mapping delta;
	uint64_t seen;          /* the word, when it was last looked at */
	enum image_fault fault; /* why the newest was not taken; IMAGE_GOOD with an `error` of the system's, or 0 */
	int error;
	const char *path; /* of the file that was bad */
};

enum {
	BAN_VIEW_SAME = 0, /* outcomes of a look */
	BAN_VIEW_NEW = 1,
	BAN_VIEW_BAD = 2, /* what was there before stays */
};

/*
 * Looks whether the word has changed, and if so maps what there is. A delta of a base that a newer one has replaced is
 * left out, for that has all of it. What could not be read for want of memory or descriptors is looked for again at the
 * next look.
 */
int ban_view_look(struct ban_view *view, const char *base_path, const char *delta_path, const uint64_t *word,
		  const uint8_t boot[IMAGE_BOOT_BYTES]);
void ban_view_close(struct ban_view *view);

static inline struct ban_answer ban_view_lookup(const struct ban_view *view, const struct address *address,
						uint64_t now_ms)
{
	return ban_lookup(&view->base.image, &view->delta.image, address, now_ms);
}

#endif
