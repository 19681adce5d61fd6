/* A log's timestamps, against the records that were walked: each is of a checkpoint, and that of what is there. */
#ifndef GUIA_EVIDENCE_STAMPS_H
#define GUIA_EVIDENCE_STAMPS_H

#include "evidence/walk.h"

/* The sizes of which there is timestamps/SIZE.checkpoint, in order; to be freed. 0 or -errno. */
int stamps_list(int folder, uint64_t **ret_sizes, size_t *ret_count);

struct stamps_result {
	enum finding finding;
	uint64_t record;
	char what[WALK_WHAT_BYTES];
};

/*
 * Every size must be a mark of the walk. `authorities`: certificates (PEM) that the replies' signatures are checked
 * against; NULL: they are not. What is there is told as lines. 0 or -errno.
 */
int stamps_check(const struct walk *walk, const uint64_t *sizes, size_t count, const char *authorities,
		 struct stamps_result *ret_result, struct buffer *told);

#endif
