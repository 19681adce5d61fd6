/*
 * CPU time per request in process, against libmodsecurity under the same rules. In each slice ours runs through batches
 * of requests, theirs through as much of the last batch as its share of time allows, as long as ours; that is long
 * beside what either pays for finding the caches full of the other's. Requests are made between, not timed. A slice
 * gives one ratio, a row the median of its slices. After the clock has stopped both are asked for their verdicts on the
 * same requests, which must be equal. Ours is also watched for calls of malloc.
 *
 *   inprocess [--rules 3.3.4|4.28.0] [--row NAME] [--mode life|new] [--slices N] [--seed N] [--cache FOLDER] [--json]
 *   inprocess --only guia|modsecurity --count N ...     one engine, N requests: for a profiler
 */
#include "allocations.h"
#include "measure.h"
#include "ours.h"
#include "request.h"
#include "theirs.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	BATCH_MAX = 64,
	BATCH_NS = 2000000, /* of ours */
	SLICES_MAX = 1000,
	ARENA_BYTES = 1 << 30,
	ARENA_RETAINED_BYTES = 64 << 20,
	SLICE_NS = 50000000, /* of either */
	WARM_NS = 1000000000
};

struct settings {
	const char *rules;
	const char *row;
	const char *mode;
	const char *only;
	const char *cache;
	size_t slices;
	size_t count;
	uint64_t seed;
	bool json;
};

struct figures {
	struct spread ours_ns;
	struct spread theirs_ns;
	struct spread ratio;
	size_t requests; /* run by both */
	size_t compared;
	size_t unequal;
	size_t refused;
	unsigned long allocations;
};

struct bench {
	struct settings settings;
	struct request_maker *maker;
	struct arena arena;
	struct sample *batch;
	struct guia_pool *pool;
	struct ours *ours;
	struct theirs *theirs;
	double samples[3][SLICES_MAX]; /* ours, theirs, ratio */
};

static int make_batch(struct bench *b, const struct request_row *row, bool fresh, size_t count)
{
	arena_reset(&b->arena);
	for (size_t i = 0; i < count; i++) {
		int r = request_make(b->maker, row, fresh ? REQUEST_NEW : REQUEST_LIFE, &b->arena, &b->batch[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Nanoseconds that all of them took. */
static double time_ours(struct bench *b, size_t count, unsigned long *ret_allocations)
{
	unsigned long before = allocations_counted;
	allocations_counting = true;
	double start = cpu_ns();
	for (size_t i = 0; i < count; i++)
		ours_run(b->ours, &b->batch[i], NULL);
	double spent = cpu_ns() - start;
	allocations_counting = false;
	*ret_allocations += allocations_counted - before;
	return spent;
}

static double time_theirs(struct bench *b, size_t count)
{
	double start = cpu_ns();
	for (size_t i = 0; i < count; i++)
		theirs_run(b->theirs, &b->batch[i], NULL);
	return cpu_ns() - start;
}

static void tell_unequal(const struct request_row *row, const struct verdict *ours, const struct verdict *theirs,
			 struct slice body)
{
	fprintf(stderr, "%s: ours %d:", row->name, ours->status);
	for (size_t i = 0; i < ours->count; i++)
		fprintf(stderr, " %lld", (long long)ours->rules[i]);
	fprintf(stderr, "; libmodsecurity %d:", theirs->status);
	for (size_t i = 0; i < theirs->count; i++)
		fprintf(stderr, " %lld", (long long)theirs->rules[i]);
	fprintf(stderr, "\n  body: %.*s\n", SLICE_ARG(slice_sub(body, 0, 4096)));
}

static void compare(struct bench *b, const struct request_row *row, size_t count, struct figures *figures)
{
	struct verdict ours;
	struct verdict theirs;
	for (size_t i = 0; i < count; i++) {
		ours_run(b->ours, &b->batch[i], &ours);
		theirs_run(b->theirs, &b->batch[i], &theirs);
		figures->compared++;
		figures->refused += ours.status != 200;
		bool equal = verdict_equal(&ours, &theirs) && (ours.status != 200 || !row->attack);
		if (!equal && figures->unequal++ < 5)
			tell_unequal(row, &ours, &theirs, b->batch[i].body);
	}
}

static size_t share(double slice_ns, double one_ns, size_t least, size_t most)
{
	double count = slice_ns / one_ns;
	return count < (double)least ? least : count > (double)most ? most : (size_t)count;
}

/* How many requests there are in a batch, and how many of these are theirs in a slice. */
struct portions {
	size_t batch, theirs;
};

/*
 * Until caches, scratch and memory are as they will be: automata make their states as texts need them, and after some
 * hundred texts of 7 KB still make a few with each.
 */
static int warm_up(struct bench *b, const struct request_row *row, bool fresh, struct portions *ret_portions)
{
	unsigned long ignored = 0;
	double spent = 0;
	int r = make_batch(b, row, fresh, 1);
	if (r != 0)
		return r;
	size_t theirs = share(SLICE_NS, time_theirs(b, 1), 1, BATCH_MAX);
	time_ours(b, 1, &ignored);
	size_t count = share(BATCH_NS, time_ours(b, 1, &ignored), theirs, BATCH_MAX);
	while (spent < WARM_NS) {
		r = make_batch(b, row, fresh, count);
		if (r != 0)
			return r;
		spent += time_ours(b, count, &ignored);
	}
	*ret_portions = (struct portions){count, theirs};
	return 0;
}

/* Leaves a batch that was asked. */
static int slice_ours(struct bench *b, const struct request_row *row, bool fresh, size_t batch, struct figures *figures,
		      double *ret_one)
{
	double spent = 0;
	size_t done = 0;
	while (spent < SLICE_NS) {
		int r = make_batch(b, row, fresh, batch);
		if (r != 0)
			return r;
		spent += time_ours(b, batch, &figures->allocations);
		done += batch;
	}
	figures->requests += done;
	*ret_one = spent / (double)done;
	return 0;
}

static int measure(struct bench *b, const struct request_row *row, bool fresh, struct figures *figures)
{
	struct portions portions;
	*figures = (struct figures){0};
	int r = warm_up(b, row, fresh, &portions);
	for (size_t i = 0; r == 0 && i < b->settings.slices; i++) {
		r = slice_ours(b, row, fresh, portions.batch, figures, &b->samples[0][i]);
		if (r != 0)
			break;
		b->samples[1][i] = time_theirs(b, portions.theirs) / (double)portions.theirs;
		b->samples[2][i] = b->samples[1][i] / b->samples[0][i];
		compare(b, row, i % 4 == 0 ? portions.theirs : 1, figures);
	}
	figures->ours_ns = spread_of(b->samples[0], b->settings.slices);
	figures->theirs_ns = spread_of(b->samples[1], b->settings.slices);
	figures->ratio = spread_of(b->samples[2], b->settings.slices);
	return r;
}

static void print_head(const struct bench *b, const char *version, bool fresh)
{
	if (!b->settings.json)
		printf("\nCRS %s, %s\n%-28s %12s %14s %8s %17s %8s %9s\n", version,
		       fresh ? "every value new" : "values as in life", "", "ours ns", "theirs ns", "ratio",
		       "middle half", "mallocs", "refused");
}

static void print_row(const struct bench *b, const char *version, const struct request_row *row, bool fresh,
		      const struct figures *f)
{
	if (b->settings.json)
		printf("{\"figure\":\"request\",\"rules\":\"%s\",\"mode\":\"%s\",\"row\":\"%s\",\"ours_ns\":%.0f,"
		       "\"theirs_ns\":%.0f,\"ratio\":%.2f,\"ratio_low\":%.2f,\"ratio_high\":%.2f,\"requests\":%zu,"
		       "\"mallocs\":%lu,\"compared\":%zu,\"unequal\":%zu,\"refused\":%zu}\n",
		       version, fresh ? "new" : "life", row->name, f->ours_ns.median, f->theirs_ns.median,
		       f->ratio.median, f->ratio.low, f->ratio.high, f->requests, f->allocations, f->compared,
		       f->unequal, f->refused);
	else
		printf("%-28s %12.0f %14.0f %8.1f %8.1f %8.1f %8lu %7.0f %%%s\n", row->title, f->ours_ns.median,
		       f->theirs_ns.median, f->ratio.median, f->ratio.low, f->ratio.high, f->allocations,
		       100 * (double)f->refused / (double)f->compared, f->unequal > 0 ? "  VERDICTS DIFFER" : "");
	fflush(stdout);
}

static void print_sum(const struct bench *b, const char *version, bool fresh, double mean, double worst)
{
	if (b->settings.json)
		printf("{\"figure\":\"requests\",\"rules\":\"%s\",\"mode\":\"%s\",\"mean\":%.2f,\"worst\":%.2f}\n",
		       version, fresh ? "new" : "life", mean, worst);
	else
		printf("%-28s %12s %14s %8.1f\n%-28s %12s %14s %8.1f\n", "geometric mean", "", "", mean, "worst", "",
		       "", worst);
}

static bool chosen(const char *choice, const char *name)
{
	return choice == NULL || strcmp(choice, name) == 0;
}

/* Returns how many verdicts differed, or -errno. */
static int run_mode(struct bench *b, const char *version, bool fresh)
{
	double logs = 0;
	double worst = INFINITY;
	size_t rows = 0;
	int unequal = 0;
	print_head(b, version, fresh);
	for (size_t i = 0; i < REQUEST_ROWS; i++) {
		struct figures figures;
		if (!chosen(b->settings.row, request_rows[i].name))
			continue;
		int r = measure(b, &request_rows[i], fresh, &figures);
		if (r != 0)
			return r;
		print_row(b, version, &request_rows[i], fresh, &figures);
		logs += log(figures.ratio.median);
		worst = fmin(worst, figures.ratio.median);
		unequal += (int)figures.unequal;
		rows++;
	}
	if (rows == REQUEST_ROWS)
		print_sum(b, version, fresh, exp(logs / (double)rows), worst);
	return unequal;
}

static int run_only(struct bench *b, const char *version, bool fresh)
{
	double spent = 0;
	size_t done = 0;
	const struct request_row *row = request_row_find(b->settings.row == NULL ? "" : b->settings.row);
	if (row == NULL) {
		fprintf(stderr, "--only needs a --row\n");
		return -EINVAL;
	}
	while (done < b->settings.count) {
		size_t count = b->settings.count - done < BATCH_MAX ? b->settings.count - done : BATCH_MAX;
		unsigned long ignored = 0;
		int r = make_batch(b, row, fresh, count);
		if (r != 0)
			return r;
		spent += b->ours != NULL ? time_ours(b, count, &ignored) : time_theirs(b, count);
		done += count;
	}
	printf("CRS %s %s %s: %.0f ns a request\n", version, row->name, fresh ? "new" : "life", spent / (double)done);
	return 0;
}

static int run_set(struct bench *b, const struct rule_set *set)
{
	const char *only = b->settings.only;
	int unequal = 0;
	if (access(set->needs, R_OK) != 0) {
		fprintf(stderr, "CRS %s is skipped: %s is absent\n", set->version, set->needs);
		return 0;
	}
	if (chosen(only, "guia") && (b->ours = ours_new(b->pool, set->file)) == NULL)
		return -EINVAL;
	if (chosen(only, "modsecurity") && (b->theirs = theirs_new(set->file)) == NULL)
		return -EINVAL;
	for (int fresh = 0; fresh < 2 && unequal >= 0; fresh++) {
		if (!chosen(b->settings.mode, fresh ? "new" : "life"))
			continue;
		int r = only != NULL ? run_only(b, set->version, fresh) : run_mode(b, set->version, fresh);
		unequal = r < 0 ? r : unequal + r;
	}
	ours_free(b->ours);
	theirs_free(b->theirs);
	b->ours = NULL;
	b->theirs = NULL;
	return unequal;
}

static int run(struct bench *b)
{
	struct guia_pool_options options = {.cache_dir = b->settings.cache};
	int unequal = 0;
	b->maker = request_maker_new(BENCH_ROOT "/bench/data", b->settings.seed);
	b->batch = calloc(BATCH_MAX, sizeof(*b->batch));
	arena_init(&b->arena, ARENA_BYTES, ARENA_RETAINED_BYTES);
	if (b->maker == NULL || b->batch == NULL || guia_pool_new(&options, &b->pool) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < RULE_SETS && unequal >= 0; i++) {
		if (!chosen(b->settings.rules, rule_sets[i].version))
			continue;
		int r = run_set(b, &rule_sets[i]);
		unequal = r < 0 ? r : unequal + r;
	}
	guia_pool_free(b->pool);
	arena_destroy(&b->arena);
	request_maker_free(b->maker);
	free(b->batch);
	return unequal;
}

static const struct option choices[] = {
	{"rules", required_argument, NULL, 'r'}, {"row", required_argument, NULL, 'w'},
	{"mode", required_argument, NULL, 'm'},  {"only", required_argument, NULL, 'o'},
	{"cache", required_argument, NULL, 'c'}, {"slices", required_argument, NULL, 'n'},
	{"count", required_argument, NULL, 'k'}, {"seed", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},        {NULL, 0, NULL, 0},
};

static bool take(struct settings *s, int choice, const char *value)
{
	switch (choice) {
	case 'r':
		s->rules = value;
		return true;
	case 'w':
		s->row = value;
		return request_row_find(value) != NULL;
	case 'm':
		s->mode = value;
		return true;
	case 'o':
		s->only = value;
		return true;
	case 'c':
		s->cache = value;
		return true;
	case 'n':
		s->slices = strtoul(value, NULL, 10);
		return s->slices > 0 && s->slices <= SLICES_MAX;
	case 'k':
		s->count = strtoul(value, NULL, 10);
		return true;
	case 's':
		s->seed = strtoull(value, NULL, 10);
		return true;
	case 'j':
		s->json = true;
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static struct bench bench = {
		.settings = {.slices = 41, .count = 1000, .seed = 1, .cache = "build/bench/cache"}};
	for (int choice; (choice = getopt_long(argc, argv, "", choices, NULL)) != -1;)
		if (!take(&bench.settings, choice, optarg)) {
			fprintf(stderr, "usage: see the head of bench/inprocess.c\n");
			return 2;
		}
	int unequal = run(&bench);
	if (unequal < 0)
		fprintf(stderr, "inprocess: %s\n", strerror(-unequal));
	else if (unequal > 0)
		fprintf(stderr, "inprocess: %d verdicts differ\n", unequal);
	return unequal == 0 ? 0 : 1;
}
