#include "corpus.h"

#include "base/vector.h"
#include "ftw/suite.h"
#include "ftw/wire.h"
#include "random.h"

#include <fts.h>
#include <string.h>

static void add_suite(struct corpus *corpus, const char *path)
{
	struct diagnostics diagnostics;
	struct ftw_suite suite;
	diagnostics_init(&diagnostics);
	int r = ftw_suite_load(path, &corpus->arena, &diagnostics, &suite);
	diagnostics_destroy(&diagnostics);
	for (struct ftw_test *test = r == 0 ? suite.tests : NULL; test != NULL; test = test->next) {
		for (struct ftw_stage *stage = test->stages; stage != NULL; stage = stage->next) {
			struct slice wire;
			if (ftw_wire_request(&stage->input, SLICE(""), &corpus->arena, &wire) != 0 ||
			    vector_grow((void **)&corpus->items, &corpus->capacity, corpus->count,
					sizeof(*corpus->items)) != 0)
				continue;
			corpus->items[corpus->count++] = wire;
		}
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

void corpus_add_path(struct corpus *corpus, char *path)
{
	char *paths[] = {path, NULL};
	FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;)
		if (entry->fts_info == FTS_F && strstr(entry->fts_name, ".yaml") != NULL)
			add_suite(corpus, entry->fts_path);
	if (walk != NULL)
		fts_close(walk);
}

static struct slice piece_of(struct slice s, uint64_t *state)
{
	size_t from = random_next(state) % (s.len + 1);
	return slice_sub(s, from, from + random_next(state) % 60);
}

struct slice corpus_mutate(const struct corpus *corpus, struct slice wire, uint64_t *state, struct arena *arena)
{
	struct buffer out = buffer_make(arena);
	size_t at = random_next(state) % (wire.len + 1);
	size_t cut = random_next(state) % 8;
	struct slice other = corpus->items[random_next(state) % corpus->count];
	buffer_add(&out, slice_sub(wire, 0, at));
	if (random_once(state, 3))
		buffer_byte(&out, (uint8_t)random_next(state));
	else
		buffer_add(&out, piece_of(other, state));
	buffer_add(&out, slice_after(wire, at + cut));
	return buffer_slice(&out);
}
