/* Natural text of three languages, from bench/data: passages separated by lines of a single "%". */
#ifndef BENCH_PASSAGE_H
#define BENCH_PASSAGE_H

#include "base/buffer.h"

enum { PASSAGE_LANGUAGES = 3 };

struct passages {
	struct slice *items;
	size_t count;
	size_t capacity;
	size_t ends[PASSAGE_LANGUAGES];         /* of a language's items; they begin where those before end */
	struct buffer texts[PASSAGE_LANGUAGES]; /* what the items point into */
};

/* 0 or -errno. */
int passages_load(struct passages *passages, const char *folder);
/* One of them; of any language when `language` is PASSAGE_LANGUAGES. */
struct slice passages_draw(const struct passages *passages, size_t language, uint64_t *seed);

void passages_free(struct passages *passages);

#endif
