/*
 * The engine's fast path against its reference path, which asks PCRE2 for every rule and every value and remembers
 * nothing: matched rules and links with their variables, TX with its captures, and verdicts must be equal. A third
 * worker keeps verdicts only, as the gate does: its verdicts, scores and log lines must be the reference's. Inputs are
 * the requests of rule tests and seeded mutations of them (pieces of other requests put in, bytes changed).
 *
 *   collide RULES MUTATIONS PATH...    PATH: a test file, or a folder of them
 *
 * Prints TAP. With GUIA_TIMES=N in the environment each request is run N times and the mean of the fast path is told.
 */
#include "base/test.h"
#include "base/vector.h"
#include "ftw/exchange.h"
#include "ftw/suite.h"
#include "ftw/wire.h"

#include <fts.h>
#include <time.h>

struct corpus {
	struct slice *items;
	size_t count;
	size_t capacity;
	struct arena arena;
};

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

static void add_path(struct corpus *corpus, char *path)
{
	char *paths[] = {path, NULL};
	FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;)
		if (entry->fts_info == FTS_F && strstr(entry->fts_name, ".yaml") != NULL)
			add_suite(corpus, entry->fts_path);
	if (walk != NULL)
		fts_close(walk);
}

/* SplitMix64. */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static struct slice piece_of(struct slice s, uint64_t *state)
{
	size_t from = random_next(state) % (s.len + 1);
	return slice_sub(s, from, from + random_next(state) % 60);
}

/* A copy with one piece replaced by a piece of another request, or with one byte changed. */
static struct slice mutate(const struct corpus *corpus, struct slice wire, uint64_t *state, struct arena *arena)
{
	struct buffer out = buffer_make(arena);
	size_t at = random_next(state) % (wire.len + 1);
	size_t cut = random_next(state) % 8;
	struct slice other = corpus->items[random_next(state) % corpus->count];
	buffer_add(&out, slice_sub(wire, 0, at));
	if (random_next(state) % 3 == 0)
		buffer_byte(&out, (uint8_t)random_next(state));
	else
		buffer_add(&out, piece_of(other, state));
	buffer_add(&out, slice_after(wire, at + cut));
	return buffer_slice(&out);
}

/* ---- both paths ---- */

static int answer(void *context, const struct request *request, struct arena *arena, struct ftw_answer *ret_answer)
{
	(void)context;
	return ftw_origin_answer(request->method, request->uri, request->body, arena, ret_answer);
}

static struct guia_transaction *run(struct guia_worker *worker, struct guia_rules *rules, const struct request *request,
				    struct arena *arena)
{
	struct guia_transaction *t;
	struct guia_connection connection = exchange_connection(request->host);
	struct guia_slice id = exchange_out(SLICE("collide"));
	unsigned status;
	if (guia_transaction_begin(worker, rules, &connection, id, 1700000000000000, &t) != 0)
		abort();
	struct exchange exchange = {request, answer, NULL, arena};
	if (exchange_run(t, &exchange, &status) != 0)
		abort();
	return t;
}

/* Everything that must be equal, as text. */
static void describe(struct guia_transaction *t, struct buffer *out)
{
	struct guia_summary summary;
	struct guia_slice name;
	struct guia_slice value;
	guia_transaction_summary(t, &summary);
	buffer_printf(out, "%d %u %lld %d\n", summary.verdict.action, summary.verdict.status,
		      (long long)summary.verdict.rule_id, summary.verdict.would_block);
	for (size_t i = 0; i < guia_match_count(t); i++) {
		struct guia_match match;
		guia_match_at(t, i, &match);
		buffer_printf(out, "%lld/%u ", (long long)match.rule_id, match.chain_depth);
		buffer_add(out, exchange_in(match.variable));
		buffer_byte(out, '\n');
	}
	for (size_t i = 0; guia_tx_at(t, i, &name, &value); i++) {
		buffer_add(out, exchange_in(name));
		buffer_byte(out, '=');
		buffer_add(out, exchange_in(value));
		buffer_byte(out, '\n');
	}
}

/* What a gate tells. */
static void describe_verdict(struct guia_transaction *t, struct buffer *out)
{
	struct guia_summary summary;
	guia_transaction_summary(t, &summary);
	buffer_printf(out, "%d %u %lld %d %lld %lld\n", summary.verdict.action, summary.verdict.status,
		      (long long)summary.verdict.rule_id, summary.verdict.would_block, (long long)summary.inbound_score,
		      (long long)summary.outbound_score);
	for (size_t i = 0; i < guia_log_line_count(t); i++) {
		/* What a rule without captures of its own quotes of another's is left out: a gate may not have it. */
		struct slice line = exchange_in(guia_log_line_at(t, i));
		size_t data = slice_find(line, SLICE("[data \""), 0);
		buffer_add(out, slice_sub(line, 0, data));
		buffer_add(out, slice_after(line, slice_find(line, SLICE("[severity"), data)));
		buffer_byte(out, '\n');
	}
}

static void tell_difference(struct slice wire, struct slice fast, struct slice reference)
{
	for (size_t i = 0; fast.len > 0 || reference.len > 0; i++) {
		struct slice a;
		struct slice b;
		fast = slice_cut(fast, '\n', &a);
		reference = slice_cut(reference, '\n', &b);
		if (slice_equal(a, b))
			continue;
		printf("# fast [%.*s] reference [%.*s]\n", SLICE_ARG(a), SLICE_ARG(b));
		break;
	}
	printf("# ");
	for (size_t i = 0; i < wire.len && i < 2000; i++)
		printf(wire.ptr[i] >= ' ' && wire.ptr[i] <= '~' ? "%c" : "\\x%02x", wire.ptr[i]);
	printf("\n");
}

struct collision {
	struct guia_rules *rules;
	struct guia_worker *fast;
	struct guia_worker *gate;
	struct guia_worker *reference;
	size_t requests;
	size_t differences;
};

typedef void describe_fn(struct guia_transaction *t, struct buffer *out);

/* Runs the request by a worker; the caller frees the text. */
static struct buffer described(struct collision *c, struct guia_worker *worker, const struct request *request,
			       struct arena *arena, describe_fn *how)
{
	struct buffer text = buffer_make(NULL);
	struct guia_transaction *t = run(worker, c->rules, request, arena);
	how(t, &text);
	guia_transaction_end(t);
	return text;
}

static void compare(struct collision *c, struct guia_worker *worker, const struct request *request, struct slice wire,
		    struct arena *arena, describe_fn *how)
{
	struct buffer fast = described(c, worker, request, arena, how);
	struct buffer reference = described(c, c->reference, request, arena, how);
	if (!slice_equal(buffer_slice(&fast), buffer_slice(&reference)) && c->differences++ < 20)
		tell_difference(wire, buffer_slice(&fast), buffer_slice(&reference));
	buffer_free(&fast);
	buffer_free(&reference);
}

static void collide(struct collision *c, struct slice wire)
{
	struct arena arena;
	struct request request;
	arena_init(&arena, 64 << 20, 0);
	if (exchange_read_leniently(wire, &arena, &request) == 0) {
		compare(c, c->fast, &request, wire, &arena, describe);
		compare(c, c->gate, &request, wire, &arena, describe_verdict);
		c->requests++;
	}
	arena_destroy(&arena);
}

static void measure(struct collision *c, const struct corpus *corpus, size_t times)
{
	struct timespec begun;
	struct timespec ended;
	struct arena arena;
	arena_init(&arena, 1 << 30, 1 << 20);
	double total = 0;
	for (size_t i = 0; i < corpus->count; i++) {
		struct request request;
		arena_reset(&arena);
		if (exchange_read_leniently(corpus->items[i], &arena, &request) != 0)
			continue;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
		for (size_t n = 0; n < times; n++)
			guia_transaction_end(run(c->fast, c->rules, &request, &arena));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
		total += (double)(ended.tv_sec - begun.tv_sec) * 1e6 + (double)(ended.tv_nsec - begun.tv_nsec) / 1e3;
	}
	printf("# %.1f us a request\n", total / (double)times / (double)corpus->count);
	arena_destroy(&arena);
}

static void on_diagnostic(void *context, const struct guia_diagnostic *diagnostic)
{
	(void)context;
	if (diagnostic->severity == GUIA_ERROR)
		printf("# %s", diagnostic->text);
}

static int prepare(struct collision *c, struct guia_pool *pool, const char *path)
{
	struct guia_source source = {GUIA_SOURCE_FILE, path, path, 1};
	struct guia_worker_options options = {0};
	if (guia_rules_compile(pool, &source, 1, on_diagnostic, NULL, &c->rules, NULL) != 0 ||
	    guia_worker_new(&options, &c->fast) != 0 || guia_worker_prepare(c->fast, c->rules) != 0)
		return -1;
	options.verdicts_only = true;
	if (guia_worker_new(&options, &c->gate) != 0 || guia_worker_prepare(c->gate, c->rules) != 0)
		return -1;
	options = (struct guia_worker_options){.reference_path = true};
	return guia_worker_new(&options, &c->reference);
}

int main(int argc, char **argv)
{
	struct collision c = {0};
	struct corpus corpus = {0};
	struct guia_pool *pool;
	struct guia_pool_options options = {.cache_dir = getenv("GUIA_CACHE")};
	uint64_t state = 1;
	if (argc < 4 || guia_pool_new(&options, &pool) != 0)
		return 2;
	arena_init(&corpus.arena, SIZE_MAX, 0);
	for (int i = 3; i < argc; i++)
		add_path(&corpus, argv[i]);
	if (corpus.count == 0 || prepare(&c, pool, argv[1]) != 0)
		return 2;
	size_t mutations = strtoul(argv[2], NULL, 10);
	for (size_t i = 0; i < corpus.count; i++) {
		collide(&c, corpus.items[i]);
		for (size_t m = 0; m < mutations; m++)
			collide(&c, mutate(&corpus, corpus.items[i], &state, &corpus.arena));
	}
	printf("1..1\n%sok 1 - %zu requests by both paths, %zu differ\n", c.differences > 0 ? "not " : "", c.requests,
	       c.differences);
	if (getenv("GUIA_TIMES") != NULL)
		measure(&c, &corpus, strtoul(getenv("GUIA_TIMES"), NULL, 10));
	guia_worker_free(c.fast);
	guia_worker_free(c.gate);
	guia_worker_free(c.reference);
	guia_rules_unref(c.rules);
	guia_pool_free(pool);
	arena_destroy(&corpus.arena);
	free(corpus.items);
	return c.differences > 0;
}
