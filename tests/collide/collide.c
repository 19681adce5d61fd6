/*
 * The engine's three ways (paths.h) on the requests of rule tests and on natural text, with seeded mutations of them,
 * which must agree.
 *
 *   collide RULES EVERY MUTATIONS PATH...    PATH: a file of rule tests or of passages, or a folder of them
 *
 * Only every EVERY-th request is taken. Prints TAP.
 */
#include "base/error.h"
#include "corpus.h"
#include "ftw/origin.h"
#include "paths.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOLD = 20 };

struct collision {
	struct paths paths;
	size_t requests;
	size_t differences;
};

static int answer(void *context, const struct request *request, struct arena *arena, struct ftw_answer *ret_answer)
{
	(void)context;
	return ftw_origin_answer(request->method, request->uri, request->body, arena, ret_answer);
}

static void collide(struct collision *c, struct slice wire)
{
	struct arena arena;
	struct request request;
	struct buffer difference = buffer_make(NULL);
	arena_init(&arena, 64 << 20, 0);
	if (exchange_read_leniently(wire, &arena, &request) == 0) {
		c->requests++;
		if (!paths_agree(&c->paths, &request, answer, NULL, &arena, &difference) && c->differences++ < TOLD) {
			printf("%.*s", SLICE_ARG(buffer_slice(&difference)));
			paths_tell(wire);
		}
	}
	buffer_free(&difference);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	struct collision c = {0};
	struct corpus corpus = {0};
	struct guia_pool *pool;
	struct guia_pool_options options = {.cache_dir = getenv("GUIA_CACHE")};
	uint64_t state = 1;
	if (argc < 5 || guia_pool_new(&options, &pool) != 0)
		return 2;
	struct guia_source source = {GUIA_SOURCE_FILE, argv[1], argv[1], 1};
	arena_init(&corpus.arena, SIZE_MAX, 0);
	for (int i = 4; i < argc; i++)
		corpus_add_path(&corpus, argv[i]);
	if (corpus.count == 0 || paths_open(&c.paths, pool, &source, false) != 0)
		return 2;
	size_t every = strtoul(argv[2], NULL, 10);
	size_t mutations = strtoul(argv[3], NULL, 10);
	for (size_t i = 0; i < corpus.count && every > 0; i += every) {
		struct slice cookies;
		collide(&c, corpus.items[i]);
		if (corpus_as_cookies(corpus.items[i], &corpus.arena, &cookies))
			collide(&c, cookies);
		collide(&c, corpus_crowd(&corpus, corpus.items[i], &state, &corpus.arena));
		for (size_t m = 0; m < mutations; m++)
			collide(&c, corpus_mutate(&corpus, corpus.items[i], &state, &corpus.arena));
	}
	printf("1..1\n%sok 1 - %zu requests by all paths, %zu differ\n", c.differences > 0 ? "not " : "", c.requests,
	       c.differences);
	paths_close(&c.paths);
	guia_pool_free(pool);
	arena_destroy(&corpus.arena);
	free(corpus.items);
	return c.differences > 0;
}
