/*
 * Does our engine come to the same outcome as libmodsecurity? Requests of the corpus and seeded mutations of them go
 * through both, under each of the rule files in turn; matches, TX and status must be equal, up to the differences that
 * are meant. TAP.
 *
 * parity --rules FILE... [--cache FOLDER] [--corpus FOLDER]... [--originals N] [--mutations N] [--seed S] [--part I/N]
 *        [--only INDEX] [--silent FILE] [--verbose] [--reference]
 *
 * --originals takes N of the corpus, evenly spaced (default all); --silent asks that rules have matched, except those
 * of the file; --reference takes the engine's reference path.
 */
#include "corpus.h"
#include "coverage.h"
#include "delta.h"
#include "gate.h"
#include "mutate.h"
#include "oracle.h"
#include "show.h"
#include "substitute.h"

#include <errno.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	RULE_FILES_MAX = 8,
	ACCEPTED_MAX = 16,
	ARENA_BYTES = 64 << 20,
	SHOWN_MAX = 200,     /* failures printed with their request */
	ACCEPTED_PERMIL = 20 /* of all requests */
};

struct settings {
	const char *rules[RULE_FILES_MAX];
	size_t rules_count;
	const char *cache;
	const char *silent;
	size_t originals;
	size_t mutations;
	uint64_t seed;
	size_t part;
	size_t parts;
	size_t only; /* SIZE_MAX: all */
	bool verbose;
	bool reference;
};

struct bench {
	struct settings settings;
	struct corpus corpus;
	struct donors donors;
	struct arena arena;
	struct guia_pool *pool;
	struct coverage coverage;
	/* of the rule file in turn */
	struct oracle *oracle;
	struct gate *gate;
	struct gate *taught; /* runs with substitutions */
	struct outcome ours;
	struct outcome theirs;
	struct outcome taught_ours;
	unsigned taught_with; /* for the request in turn; 0: it was not asked */
	/* sums */
	size_t requests;
	size_t scored;
	size_t failed;
	size_t accepted[ACCEPTED_MAX]; /* by row */
};

/* ---- comparing ---- */

static void run_taught(struct bench *bench, const struct sample *sample, unsigned substitutions)
{
	bench->taught_with = substitutions;
	substitute(substitutions);
	if (gate_forget(bench->taught))
		gate_run(bench->taught, sample, &bench->taught_ours);
	substitute(0);
}

static bool gone_with(struct bench *bench, const struct sample *sample, unsigned substitutions)
{
	run_taught(bench, sample, substitutions);
	return delta_find(&bench->taught_ours, &bench->theirs).kind == DELTA_NONE;
}

static bool reached_a_limit(const struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->tx_count; i++)
		if (slice_equal(outcome->tx[i].name, SLICE("msc_pcre_limits_exceeded")))
			return true;
	return false;
}

/*
 * The gate that is taught takes the reference path: without a lesson it must say what the other says, unless it reaches
 * a limit of PCRE, which the scan does not know.
 */
static bool paths_agree(struct bench *bench, const struct sample *sample)
{
	run_taught(bench, sample, 0);
	return delta_find(&bench->ours, &bench->taught_ours).kind == DELTA_NONE || reached_a_limit(&bench->taught_ours);
}

/* The row that accepts the difference: by itself, or where several meet in one request. NULL if none does. */
static const struct accepted *explain(struct bench *bench, const struct sample *sample, const struct delta *delta)
{
	const struct accepted *first = NULL;
	unsigned all = 0;
	if (!paths_agree(bench, sample)) {
		printf("# the scan and the reference path part:\n");
		return NULL;
	}
	for (size_t i = 0; i < accepted_count; i++) {
		if (!accepted[i].concerns(sample))
			continue;
		all |= accepted[i].substitution;
		if (!accepted[i].begins(delta))
			continue;
		if (gone_with(bench, sample, accepted[i].substitution))
			return &accepted[i];
		first = first == NULL ? &accepted[i] : first;
	}
	return first != NULL && gone_with(bench, sample, all) ? first : NULL;
}

static void show(const struct bench *bench, size_t index, const char *name, const struct sample *sample,
		 const struct delta *delta, const struct accepted *row)
{
	printf("# request %zu (%s): ", index, name);
	show_delta(delta, &bench->ours, &bench->theirs);
	show_sample(sample);
	if (row != NULL)
		printf("#   meant: %s\n", row->name);
	if (bench->taught_with != 0 && row == NULL) {
		struct delta left = delta_find(&bench->taught_ours, &bench->theirs);
		printf("#   left when taught: ");
		show_delta(&left, &bench->taught_ours, &bench->theirs);
	}
	if (bench->settings.verbose) {
		show_matches("ours  ", &bench->ours);
		show_matches("theirs", &bench->theirs);
	}
}

static void compare(struct bench *bench, size_t index, const char *name, const struct sample *sample)
{
	oracle_run(bench->oracle, sample, &bench->theirs);
	gate_run(bench->gate, sample, &bench->ours);
	bench->requests++;
	bench->scored += gate_scored(bench->gate);
	coverage_note(&bench->coverage, &bench->ours);
	bench->taught_with = 0;
	struct delta delta = delta_find(&bench->ours, &bench->theirs);
	const struct accepted *row = delta.kind == DELTA_NONE ? NULL : explain(bench, sample, &delta);
	bool failed = delta.kind != DELTA_NONE && row == NULL;
	bench->failed += failed;
	if (row != NULL)
		bench->accepted[row - accepted]++;
	bool asked = bench->settings.verbose && (delta.kind != DELTA_NONE || bench->settings.only != SIZE_MAX);
	if (asked || (failed && bench->failed <= SHOWN_MAX))
		show(bench, index, name, sample, &delta, row);
}

static int run_one(struct bench *bench, uint64_t seed, size_t index, size_t originals)
{
	uint64_t random = seed << 32 ^ index;
	size_t count = bench->corpus.count;
	size_t at = index < originals ? index * count / originals : random_below(&random, count);
	struct sample sample = bench->corpus.items[at];
	int r = 0;
	char client[16];
	int length = snprintf(client, sizeof(client), "10.%u.%u.%u", (unsigned)(index >> 16 & 255),
			      (unsigned)(index >> 8 & 255), (unsigned)(index & 255));
	sample.client = slice_make(client, (size_t)length);
	if (index >= originals)
		r = sample_mutate(&sample, &bench->donors, &random, &bench->arena);
	if (r == 0)
		compare(bench, index, bench->corpus.names[at], &sample);
	arena_reset(&bench->arena);
	return r;
}

static int run_all(struct bench *bench, uint64_t seed)
{
	const struct settings *s = &bench->settings;
	size_t originals = s->originals < bench->corpus.count ? s->originals : bench->corpus.count;
	int r = 0;
	for (size_t i = 0; i < originals + s->mutations && r == 0; i++)
		if (s->only == SIZE_MAX ? i % s->parts == s->part : i == s->only)
			r = run_one(bench, seed, i, originals);
	return r;
}

/* ---- the report ---- */

static double share(size_t part, size_t whole)
{
	return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

static size_t print_accepted(const struct bench *bench)
{
	size_t sum = 0;
	for (size_t i = 0; i < accepted_count; i++) {
		if (bench->accepted[i] > 0)
			printf("# meant: %zu (%.2f %%) %s: %s\n", bench->accepted[i],
			       share(bench->accepted[i], bench->requests), accepted[i].name, accepted[i].reason);
		sum += bench->accepted[i];
	}
	return sum;
}

static int report(const struct bench *bench)
{
	const char *silent = bench->settings.silent;
	printf("# %zu requests, %zu (%.1f %%) matched a scoring rule\n", bench->requests, bench->scored,
	       share(bench->scored, bench->requests));
	size_t meant = print_accepted(bench);
	bool covered = silent == NULL || coverage_report(&bench->coverage, silent);
	bool bounded = meant * 1000 <= bench->requests * ACCEPTED_PERMIL;
	bool half = bench->scored * 2 >= bench->requests;
	printf("1..%d\n", silent == NULL ? 3 : 4);
	printf("%s 1 - %zu requests have the outcome of libmodsecurity, %zu differ\n",
	       bench->failed == 0 ? "ok" : "not ok", bench->requests - bench->failed - meant, bench->failed);
	printf("%s 2 - differences that are meant: %zu, at most 2 %%\n", bounded ? "ok" : "not ok", meant);
	printf("%s 3 - at least half of the requests match a scoring rule\n", half ? "ok" : "not ok");
	if (silent != NULL)
		printf("%s 4 - at least 95 %% of the rules that can match did\n", covered ? "ok" : "not ok");
	return bench->failed == 0 && bounded && half && covered ? 0 : 1;
}

/* ---- starting ---- */

static int fault(const char *what, const char *why)
{
	printf("Bail out! %s: %s\n", what, why);
	return 1;
}

static void drop_rules(struct bench *bench)
{
	gate_free(bench->gate);
	gate_free(bench->taught);
	oracle_free(bench->oracle);
	bench->gate = bench->taught = NULL;
	bench->oracle = NULL;
}

static int take_rules(struct bench *bench, const char *rules)
{
	const char *error;
	bench->oracle = oracle_new(rules, &error);
	if (bench->oracle == NULL)
		return fault("libmodsecurity", error);
	bench->gate = gate_new(bench->pool, rules, bench->settings.reference);
	bench->taught = gate_new(bench->pool, rules, true);
	if (bench->gate == NULL || bench->taught == NULL)
		return fault(rules, "not compiled");
	coverage_add_rules(&bench->coverage, bench->oracle);
	return 0;
}

static int prepare(struct bench *bench)
{
	struct guia_pool_options options = {.cache_dir = bench->settings.cache};
	arena_init(&bench->arena, ARENA_BYTES, ARENA_BYTES);
	if (guia_pool_new(&options, &bench->pool) != 0)
		return fault("pool", "no memory");
	if (donors_take(&bench->donors, bench->corpus.items, bench->corpus.count, &bench->corpus.arena) != 0)
		return fault("corpus", "no memory");
	return 0;
}

/* Each rule file has mutations of its own. */
static int run(struct bench *bench)
{
	int code = prepare(bench);
	for (size_t i = 0; i < bench->settings.rules_count && code == 0; i++) {
		code = take_rules(bench, bench->settings.rules[i]);
		if (code == 0 && run_all(bench, bench->settings.seed + i) != 0)
			code = fault("mutation", "no memory");
		drop_rules(bench);
	}
	code = code != 0 ? code : report(bench);
	guia_pool_free(bench->pool);
	donors_free(&bench->donors);
	arena_destroy(&bench->arena);
	return code;
}

static const struct option choices[] = {
	{"rules", required_argument, NULL, 'r'},     {"cache", required_argument, NULL, 'c'},
	{"corpus", required_argument, NULL, 'd'},    {"originals", required_argument, NULL, 'n'},
	{"mutations", required_argument, NULL, 'm'}, {"seed", required_argument, NULL, 's'},
	{"part", required_argument, NULL, 'p'},      {"only", required_argument, NULL, 'o'},
	{"silent", required_argument, NULL, 'q'},    {"verbose", no_argument, NULL, 'v'},
	{"reference", no_argument, NULL, 'R'},       {NULL, 0, NULL, 0},
};

static int take(struct bench *bench, int choice, const char *value)
{
	struct settings *s = &bench->settings;
	switch (choice) {
	case 'r':
		if (s->rules_count == RULE_FILES_MAX)
			return -EINVAL;
		s->rules[s->rules_count++] = value;
		return 0;
	case 'c':
		s->cache = value;
		return 0;
	case 'd':;
		int r = corpus_load(&bench->corpus, value);
		if (r == -ENOENT)
			printf("# %s is absent\n", value);
		return r == -ENOENT ? 0 : r;
	case 'n':
		s->originals = strtoull(value, NULL, 10);
		return 0;
	case 'm':
		s->mutations = strtoull(value, NULL, 10);
		return 0;
	case 's':
		s->seed = strtoull(value, NULL, 10);
		return 0;
	case 'p':
		return sscanf(value, "%zu/%zu", &s->part, &s->parts) == 2 && s->part < s->parts ? 0 : -EINVAL;
	case 'o':
		s->only = strtoull(value, NULL, 10);
		return 0;
	case 'q':
		s->silent = value;
		return 0;
	case 'v':
		s->verbose = true;
		return 0;
	case 'R':
		s->reference = true;
		return 0;
	default:
		return -EINVAL;
	}
}

int main(int argc, char **argv)
{
	static struct bench bench = {.settings = {.originals = SIZE_MAX, .parts = 1, .only = SIZE_MAX, .seed = 1}};
	corpus_init(&bench.corpus);
	int code = 0;
	for (int choice; code == 0 && (choice = getopt_long(argc, argv, "", choices, NULL)) != -1;) {
		int r = take(&bench, choice, optarg);
		if (r != 0)
			code = fault(optarg == NULL ? "usage" : optarg, strerror(-r));
	}
	if (code == 0 && (bench.settings.rules_count == 0 || bench.corpus.count == 0))
		code = fault("usage", "--rules and a --corpus that exists are needed");
	code = code != 0 ? code : run(&bench);
	corpus_destroy(&bench.corpus);
	return code;
}
