/* Requests of rule tests and of natural text, and seeded mutations of them. */
#ifndef COLLIDE_CORPUS_H
#define COLLIDE_CORPUS_H

#include "base/arena.h"

#include <stdint.h>

struct corpus {
	struct slice *items; /* bytes on the wire */
	size_t count;
	size_t capacity;
	struct arena arena;
};

/* Adds the requests of a file of rule tests (.yaml), a form for each passage of a text (.txt), or a folder's. */
void corpus_add_path(struct corpus *corpus, char *path);

/* A copy with one piece replaced by a piece of another request, or with one byte changed. */
struct slice corpus_mutate(const struct corpus *corpus, struct slice wire, uint64_t *state, struct arena *arena);

/* A copy with the query's pairs as cookies. False: it has no query. */
bool corpus_as_cookies(struct slice wire, struct arena *arena, struct slice *ret_wire);

/* A copy with up to 33 headers and cookies more, whose values are of other requests, some in long plain text. */
struct slice corpus_crowd(const struct corpus *corpus, struct slice wire, uint64_t *state, struct arena *arena);

#endif
