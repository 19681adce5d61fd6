/*
 * What a build learns from where the engine goes (meson.build, `profile`; tools/train): rules are compiled, then the
 * benchmark's requests of every kind run, made from another seed, and hostile values, so that neither counts as rare.
 * No time is told.
 */
#include "candidate.h"
#include "measure.h"
#include "random.h"
#include "request.h"
#include "seeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	SEED = 77,
	ARENA_BYTES = 64 << 20,
	ARENA_RETAINED_BYTES = 8 << 20,
	ROW_BYTES = 6000000, /* of requests, a row and mode; no more requests than ... */
	ROW_REQUESTS = 3000,
	HOSTILE = 4000, /* values, of ... */
	HOSTILE_BYTES = 2048,
};

static size_t bytes_of(const struct sample *s)
{
	size_t bytes = s->uri.len + s->body.len + s->response_body.len;
	for (size_t i = 0; i < s->header_count; i++)
		bytes += s->headers[i].name.len + s->headers[i].value.len;
	return bytes;
}

static int run_row(struct ours *ours, struct request_maker *maker, const struct request_row *row, bool fresh)
{
	struct arena arena;
	int r = 0;
	arena_init(&arena, ARENA_BYTES, ARENA_RETAINED_BYTES);
	for (size_t i = 0, bytes = 0; r == 0 && i < ROW_REQUESTS && bytes < ROW_BYTES; i++) {
		struct sample sample;
		arena_reset(&arena);
		r = request_make(maker, row, fresh ? REQUEST_NEW : REQUEST_LIFE, &arena, &sample);
		if (r == 0) {
			ours_run(ours, &sample, NULL);
			bytes += bytes_of(&sample);
		}
	}
	arena_destroy(&arena);
	return r;
}

static int run_requests(struct ours *ours)
{
	int r = 0;
	struct request_maker *maker = request_maker_new(BENCH_ROOT "/bench/data", SEED);
	if (maker == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < REQUEST_ROWS && r == 0; i++) {
		r = run_row(ours, maker, &request_rows[i], false);
		if (r == 0)
			r = run_row(ours, maker, &request_rows[i], true);
	}
	request_maker_free(maker);
	return r;
}

static int run_hostile(struct ours *ours, const char *rules_folder)
{
	struct seeds seeds;
	struct gauge gauge;
	uint64_t seed = SEED;
	int r = seeds_load(&seeds, rules_folder, SEED);
	if (r != 0)
		return r;
	gauge_init(&gauge, ours);
	for (size_t i = 0; i < HOSTILE && seeds.count > 0; i++) {
		struct candidate c = seeds.items[random_below(&seed, seeds.count)];
		c.place = (uint8_t)(i % PLACES);
		candidate_cost(&gauge, &c, HOSTILE_BYTES, 1);
	}
	gauge_destroy(&gauge);
	seeds_free(&seeds);
	return 0;
}

static int run_set(struct guia_pool *pool, const struct rule_set *set)
{
	struct ours *ours = ours_new(pool, set->file);
	if (ours == NULL)
		return -EINVAL;
	int r = run_requests(ours);
	if (r == 0)
		r = run_hostile(ours, set->needs);
	ours_free(ours);
	return r;
}

int main(void)
{
	struct guia_pool *pool;
	struct guia_pool_options options = {0};
	int r = guia_pool_new(&options, &pool) == 0 ? 0 : -ENOMEM;
	if (r != 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < RULE_SETS && r == 0; i++)
		if (access(rule_sets[i].needs, R_OK) == 0)
			r = run_set(pool, &rule_sets[i]);
	guia_pool_free(pool);
	if (r != 0)
		fprintf(stderr, "training: %s\n", strerror(-r));
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
