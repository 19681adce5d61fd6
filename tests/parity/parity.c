/*
 * Does our engine come to the same outcome as libmodsecurity? Requests of the corpus and seeded mutations of them go
 * through both, under one rule file; matches, TX and status must be equal, up to the differences that are meant. TAP.
 *
 * parity --rules FILE [--cache FOLDER] [--corpus FOLDER]... [--originals N] [--mutations N] [--seed S] [--part I/N]
 *        [--only INDEX] [--verbose] [--reference]
 */
#include "corpus.h"
#include "delta.h"
#include "gate.h"
#include "mutate.h"
#include "oracle.h"

#include <errno.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	RULES_MAX = 4096,
	NAMES_MAX = 64,
	ARENA_BYTES = 64 << 20,
	SHOWN_MAX = 200,     /* failures printed with their request */
	ACCEPTED_PERMIL = 20 /* of all requests */
};

struct settings {
	const char *rules;
	const char *cache;
	size_t originals; /* of the corpus, evenly spaced; default all */
	size_t mutations;
	uint64_t seed;
	size_t part;
	size_t parts;
	size_t only; /* SIZE_MAX: all */
	bool verbose;
	bool reference;
};

struct tally {
	const char *name;
	const char *reason;
	size_t count;
};

struct bench {
	struct settings settings;
	struct corpus corpus;
	struct donors donors;
	struct arena arena;
	struct oracle *oracle;
	struct gate *gate;
	struct outcome ours;
	struct outcome theirs;
	size_t requests;
	size_t scored;
	size_t accepted;
	size_t failed;
	struct tally tallies[NAMES_MAX];
	size_t tally_count;
	int64_t rule_ids[RULES_MAX];
	bool fired[RULES_MAX];
	size_t rule_count;
};

/* ---- printing ---- */

/* As an argument of printf(1), in single quotes. */
static void print_bytes(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == '%')
			fputs("%%", stdout);
		else if (c == '\\')
			fputs("\\\\", stdout);
		else if (c < 0x20 || c >= 0x7f || c == '\'')
			printf("\\%03o", c);
		else
			putchar(c);
	}
}

static void print_headers(const struct sample_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_bytes(headers[i].name);
		fputs(": ", stdout);
		print_bytes(headers[i].value);
		fputs("\\r\\n", stdout);
	}
	fputs("\\r\\n", stdout);
}

static void print_sample(const struct sample *sample)
{
	fputs("#   printf '", stdout);
	print_bytes(sample->method);
	putchar(' ');
	print_bytes(sample->uri);
	fputs(" HTTP/", stdout);
	print_bytes(sample->version);
	fputs("\\r\\n", stdout);
	print_headers(sample->headers, sample->header_count);
	print_bytes(sample->body);
	puts("'");
	if (sample->response_status == 200 && sample->response_header_count == 0 && sample->response_body.len == 0)
		return;
	printf("#   answered: printf 'HTTP/1.1 %u\\r\\n", sample->response_status);
	print_headers(sample->response_headers, sample->response_header_count);
	print_bytes(sample->response_body);
	puts("'");
}

static struct slice tx_value(const struct outcome *outcome, struct slice name)
{
	for (size_t i = 0; i < outcome->tx_count; i++)
		if (slice_equal(outcome->tx[i].name, name))
			return outcome->tx[i].value;
	return SLICE("(absent)");
}

static void print_delta(const struct bench *bench, const struct delta *delta)
{
	static const char *const kinds[] = {"no difference",
					    "matched in Guia only",
					    "matched in libmodsecurity only",
					    "matched at another place",
					    "another value of",
					    "another status"};
	printf("%s", kinds[delta->kind]);
	if (delta->kind == DELTA_TX) {
		printf(" TX:");
		print_bytes(delta->tx_name);
		printf(": ours '");
		print_bytes(tx_value(&bench->ours, delta->tx_name));
		printf("', theirs '");
		print_bytes(tx_value(&bench->theirs, delta->tx_name));
		printf("'");
	} else if (delta->kind == DELTA_STATUS) {
		printf(": ours %d, theirs %d", bench->ours.status, bench->theirs.status);
	} else {
		printf(": rule %" PRId64 " link %u", delta->match.rule_id, delta->match.depth);
	}
	putchar('\n');
}

static void print_matches(const char *whose, const struct outcome *outcome)
{
	printf("#   %s %d:", whose, outcome->status);
	for (size_t i = 0; i < outcome->match_count; i++) {
		printf(" %" PRId64, outcome->matches[i].rule_id);
		if (outcome->matches[i].depth > 0)
			printf("/%u", outcome->matches[i].depth);
	}
	putchar('\n');
}

/* ---- comparing ---- */

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void load_rule_ids(struct bench *bench)
{
	bench->rule_count = oracle_rule_ids(bench->oracle, bench->rule_ids, RULES_MAX);
	if (bench->rule_count > RULES_MAX)
		bench->rule_count = RULES_MAX;
	qsort(bench->rule_ids, bench->rule_count, sizeof(bench->rule_ids[0]), by_number);
}

static void note_fired(struct bench *bench)
{
	for (size_t i = 0; i < bench->ours.match_count; i++) {
		const int64_t *found = bsearch(&bench->ours.matches[i].rule_id, bench->rule_ids, bench->rule_count,
					       sizeof(bench->rule_ids[0]), by_number);
		if (found != NULL)
			bench->fired[found - bench->rule_ids] = true;
	}
}

static void count_accepted(struct bench *bench, const struct accepted *row)
{
	bench->accepted++;
	for (size_t i = 0; i < bench->tally_count; i++) {
		if (bench->tallies[i].name == row->name) {
			bench->tallies[i].count++;
			return;
		}
	}
	if (bench->tally_count < NAMES_MAX)
		bench->tallies[bench->tally_count++] = (struct tally){row->name, row->reason, 1};
}

static void compare(struct bench *bench, size_t index, const char *name, const struct sample *sample)
{
	oracle_run(bench->oracle, sample, &bench->theirs);
	gate_run(bench->gate, sample, &bench->ours);
	bench->requests++;
	bench->scored += gate_scored(bench->gate);
	note_fired(bench);
	struct delta delta = delta_find(&bench->ours, &bench->theirs);
	const struct accepted *row = delta.kind == DELTA_NONE ? NULL : delta_accepted(sample, &delta);
	if (row != NULL)
		count_accepted(bench, row);
	else if (delta.kind != DELTA_NONE)
		bench->failed++;
	bool failed = row == NULL && delta.kind != DELTA_NONE;
	if (!bench->settings.verbose && (!failed || bench->failed > SHOWN_MAX))
		return;
	if (bench->settings.verbose && !failed && bench->settings.only == SIZE_MAX)
		return;
	printf("# request %zu (%s): ", index, name);
	print_delta(bench, &delta);
	print_sample(sample);
	if (bench->settings.verbose) {
		print_matches("ours  ", &bench->ours);
		print_matches("theirs", &bench->theirs);
	}
}

static int run_one(struct bench *bench, size_t index, size_t originals)
{
	struct random random = {bench->settings.seed << 32 ^ index};
	size_t count = bench->corpus.count;
	size_t at = index < originals ? index * count / originals : random_below(&random, count);
	struct sample sample = bench->corpus.items[at];
	int r = 0;
	if (index >= originals)
		r = sample_mutate(&sample, &bench->donors, &random, &bench->arena);
	if (r == 0)
		compare(bench, index, bench->corpus.names[at], &sample);
	arena_reset(&bench->arena);
	return r;
}

static int run_all(struct bench *bench)
{
	const struct settings *s = &bench->settings;
	size_t originals = s->originals < bench->corpus.count ? s->originals : bench->corpus.count;
	int r = 0;
	for (size_t i = 0; i < originals + s->mutations && r == 0; i++)
		if (s->only == SIZE_MAX ? i % s->parts == s->part : i == s->only)
			r = run_one(bench, i, originals);
	return r;
}

/* ---- the report ---- */

static double share(size_t part, size_t whole)
{
	return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

static void print_rules(const struct bench *bench)
{
	size_t fired = 0;
	for (size_t i = 0; i < bench->rule_count; i++)
		fired += bench->fired[i];
	printf("# %zu of %zu rules matched at least once (%.1f %%); never:", fired, bench->rule_count,
	       share(fired, bench->rule_count));
	for (size_t i = 0; i < bench->rule_count; i++)
		if (!bench->fired[i])
			printf(" %" PRId64, bench->rule_ids[i]);
	putchar('\n');
}

static int report(const struct bench *bench)
{
	printf("# %zu requests, %zu (%.1f %%) matched a scoring rule\n", bench->requests, bench->scored,
	       share(bench->scored, bench->requests));
	print_rules(bench);
	for (size_t i = 0; i < bench->tally_count; i++)
		printf("# meant: %zu %s (%s)\n", bench->tallies[i].count, bench->tallies[i].name,
		       bench->tallies[i].reason);
	bool bounded = bench->accepted * 1000 <= bench->requests * ACCEPTED_PERMIL;
	bool half = bench->scored * 2 >= bench->requests;
	printf("1..3\n");
	printf("%s 1 - %zu requests have the outcome of libmodsecurity, %zu differ\n",
	       bench->failed == 0 ? "ok" : "not ok", bench->requests - bench->failed - bench->accepted, bench->failed);
	printf("%s 2 - differences that are meant: %zu, at most 2 %%\n", bounded ? "ok" : "not ok", bench->accepted);
	printf("%s 3 - at least half of the requests match a scoring rule\n", half ? "ok" : "not ok");
	return bench->failed == 0 && bounded && half ? 0 : 1;
}

/* ---- starting ---- */

static int fault(const char *what, const char *why)
{
	printf("Bail out! %s: %s\n", what, why);
	return 1;
}

static int prepare(struct bench *bench, struct guia_pool **ret_pool)
{
	struct guia_pool_options options = {.cache_dir = bench->settings.cache};
	const char *error;
	bench->oracle = oracle_new(bench->settings.rules, &error);
	if (bench->oracle == NULL)
		return fault("libmodsecurity", error);
	if (guia_pool_new(&options, ret_pool) != 0)
		return fault("pool", "no memory");
	bench->gate = gate_new(*ret_pool, bench->settings.rules, bench->settings.reference);
	if (bench->gate == NULL)
		return fault(bench->settings.rules, "not compiled");
	load_rule_ids(bench);
	for (size_t i = 0; i < bench->corpus.count; i++)
		if (donors_add(&bench->donors, &bench->corpus.items[i], &bench->corpus.arena) != 0)
			return fault("corpus", "no memory");
	return 0;
}

static int run(struct bench *bench)
{
	struct guia_pool *pool = NULL;
	arena_init(&bench->arena, ARENA_BYTES, ARENA_BYTES);
	int code = prepare(bench, &pool);
	if (code == 0)
		code = run_all(bench) == 0 ? report(bench) : fault("mutation", "no memory");
	gate_free(bench->gate);
	guia_pool_free(pool);
	oracle_free(bench->oracle);
	donors_free(&bench->donors);
	arena_destroy(&bench->arena);
	return code;
}

static const struct option choices[] = {
	{"rules", required_argument, NULL, 'r'},
	{"cache", required_argument, NULL, 'c'},
	{"corpus", required_argument, NULL, 'd'},
	{"originals", required_argument, NULL, 'n'},
	{"mutations", required_argument, NULL, 'm'},
	{"seed", required_argument, NULL, 's'},
	{"part", required_argument, NULL, 'p'},
	{"only", required_argument, NULL, 'o'},
	{"verbose", no_argument, NULL, 'v'},
	{"reference", no_argument, NULL, 'R'},
	{NULL, 0, NULL, 0},
};

static int take(struct bench *bench, int choice, const char *value)
{
	struct settings *s = &bench->settings;
	switch (choice) {
	case 'r':
		s->rules = value;
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
	if (code == 0 && (bench.settings.rules == NULL || bench.corpus.count == 0))
		code = fault("usage", "--rules and a --corpus that exists are needed");
	code = code != 0 ? code : run(&bench);
	corpus_destroy(&bench.corpus);
	return code;
}
