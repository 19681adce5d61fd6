/* Where a jump lands, what is known is what all ways there agree on. */
#include "engine/course_build.h"

#include <errno.h>
#include <stdlib.h>

int course_jump(struct course_builder *b, uint32_t place)
{
	struct course_pending *pending = calloc(1, sizeof(*pending));
	if (pending == NULL || facts_copy(&b->facts, &pending->facts) != 0) {
		free(pending);
		return -ENOMEM;
	}
	pending->place = place;
	pending->next = b->pendings;
	b->pendings = pending;
	return 0;
}

int course_jump_surely(struct course_builder *b, uint32_t to)
{
	bool passes = false;
	for (const struct course_pending *pending = b->pendings; pending != NULL; pending = pending->next)
		passes |= pending->place < to;
	int r = passes ? course_settled_close_with(b, to) : 0;
	b->reachable = false;
	return r != 0 ? r : course_jump(b, to);
}

int course_land(struct course_builder *b, size_t place)
{
	int r = 0;
	for (struct course_pending **at = &b->pendings; *at != NULL;) {
		struct course_pending *pending = *at;
		if (pending->place > place) {
			at = &pending->next;
			continue;
		}
		if (r == 0)
			r = course_settled_close(b);
		if (r == 0 && b->reachable)
			r = facts_meet(&b->facts, &pending->facts);
		else
			facts_swap(&b->facts, &pending->facts);
		b->reachable = true;
		*at = pending->next;
		facts_free(&pending->facts);
		free(pending);
	}
	return r;
}
