/* guia test: rule tests in the go-ftw format, in process on two threads or over the network. */
#include "cli/command.h"

#include "base/error.h"
#include "base/vector.h"
#include "cli/engine.h"
#include "codec/text.h"
#include "ftw/overrides.h"
#include "ftw/remote.h"
#include "ftw/run.h"

#include <fts.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	ARENA_BYTES = 512 << 20,
	THREADS = 2,
};

struct loaded {
	struct ftw_suite suite;
	struct ftw_result *results;
};

struct session {
	struct arena arena;
	struct loaded *items;
	size_t count;
	size_t capacity;
	struct ftw_overrides overrides;
	struct diagnostics diagnostics;
};

static void print_diagnostics(const struct diagnostics *list)
{
	for (const struct diagnostic *d = list->first; d != NULL; d = d->next) {
		struct buffer text = buffer_make(NULL);
		diagnostic_format(d, &text);
		fprintf(stderr, "%.*s", SLICE_ARG(buffer_slice(&text)));
		buffer_free(&text);
	}
}

static int file_fault(const char *path, int error)
{
	if (error > 0)
		return CLI_USER; /* told by a diagnostic */
	return cli_unreadable(path, error);
}

static int load_suite(struct session *s, const char *path)
{
	struct loaded item = {0};
	char *name = arena_string(&s->arena, slice_from_string(path));
	int r = name == NULL ? -ENOMEM : ftw_suite_load(name, &s->arena, &s->diagnostics, &item.suite);
	r = r != 0 ? r : ftw_overrides_apply(&s->overrides, &s->arena, &item.suite);
	if (r != 0)
		return file_fault(path, r);
	item.results = arena_zalloc(&s->arena, item.suite.test_count + 1, sizeof(*item.results));
	if (item.results == NULL || vector_grow((void **)&s->items, &s->capacity, s->count, sizeof(*s->items)) != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	s->items[s->count++] = item;
	return CLI_FINE;
}

static bool is_yaml(const char *path)
{
	struct slice name = slice_from_string(path);
	return slice_ends_with(name, SLICE(".yaml")) || slice_ends_with(name, SLICE(".yml"));
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* A file, or every *.yaml below a folder, by name. */
static int load_path(struct session *s, const char *path)
{
	char *paths[] = {(char *)path, NULL};
	FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	if (walk == NULL)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(errno));
	int code = CLI_FINE;
	for (FTSENT *entry; code == CLI_FINE && (entry = fts_read(walk)) != NULL;) {
		if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
			code = file_fault(entry->fts_path, -entry->fts_errno);
		else if (entry->fts_info == FTS_F && (entry->fts_level == 0 || is_yaml(entry->fts_path)))
			code = load_suite(s, entry->fts_path);
	}
	fts_close(walk);
	return code;
}

static int load_all(struct session *s, const struct cli_arguments *arguments)
{
	const char *path;
	int code = CLI_FINE;
	for (size_t i = 0; code == CLI_FINE && (path = cli_value_at(arguments, "overrides", i)) != NULL; i++) {
		int r = ftw_overrides_load(path, &s->diagnostics, &s->overrides);
		code = r != 0 ? file_fault(path, r) : CLI_FINE;
	}
	for (size_t i = 0; code == CLI_FINE && i < arguments->word_count; i++) {
		size_t before = s->count;
		code = load_path(s, arguments->words[i]);
		if (code == CLI_FINE && s->count == before)
			code = cli_fail(CLI_USER, "%s: no tests here (files named *.yaml)", arguments->words[i]);
	}
	print_diagnostics(&s->diagnostics);
	return code;
}

/* One thread's share: suites are taken in turn. */
struct lane {
	struct session *session;
	atomic_size_t *next;
	ftw_stage_fn *run;
	void *context;
	struct arena arena;
	int error;
};

static void *run_lane(void *argument)
{
	struct lane *lane = argument;
	for (size_t i; lane->error == 0 && (i = atomic_fetch_add(lane->next, 1)) < lane->session->count;) {
		struct loaded *item = &lane->session->items[i];
		lane->error = ftw_run_suite(&item->suite, lane->run, lane->context, &lane->arena, item->results);
	}
	return NULL;
}

static void add_text(const struct loaded *item, const struct ftw_result *result, struct buffer *out)
{
	if (result->outcome != FTW_FAILED)
		return;
	buffer_text(out, "not ok ");
	text_add_terminal(out, slice_from_string(result->test->id));
	buffer_text(out, " (");
	text_add_terminal(out, slice_from_string(item->suite.file));
	buffer_printf(out, ":%u): ", result->line);
	text_add_terminal(out, slice_from_string(result->why));
	buffer_byte(out, '\n');
}

static void add_json(const struct loaded *item, const struct ftw_result *result, struct buffer *out)
{
	static const char *const names[] = {
		[FTW_PASSED] = "passed", [FTW_FAILED] = "failed", [FTW_SKIPPED] = "skipped"};
	buffer_text(out, "{\"test\":");
	text_add_json(out, slice_from_string(result->test->id));
	buffer_text(out, ",\"file\":");
	text_add_json(out, slice_from_string(item->suite.file));
	buffer_printf(out, ",\"line\":%u,\"outcome\":\"%s\",\"why\":", result->line, names[result->outcome]);
	text_add_json(out, slice_from_string(result->why));
	buffer_text(out, "}\n");
}

static int report(const struct session *s, bool json)
{
	size_t counts[3] = {0};
	struct buffer out = buffer_make(NULL);
	for (size_t i = 0; i < s->count; i++)
		for (size_t j = 0; j < s->items[i].suite.test_count; j++) {
			const struct ftw_result *result = &s->items[i].results[j];
			counts[result->outcome]++;
			(json ? add_json : add_text)(&s->items[i], result, &out);
		}
	buffer_printf(&out,
		      json ? "{\"passed\":%zu,\"failed\":%zu,\"skipped\":%zu}\n"
			   : "%zu passed, %zu failed, %zu skipped\n",
		      counts[FTW_PASSED], counts[FTW_FAILED], counts[FTW_SKIPPED]);
	int code = (json ? cli_print_json : cli_print)(&out, counts[FTW_FAILED] > 0 ? CLI_FINDINGS : CLI_FINE);
	buffer_free(&out);
	return code;
}

static int run_lanes(struct lane *lanes, size_t count)
{
	pthread_t threads[THREADS];
	size_t started = 1;
	for (; started < count; started++)
		if (pthread_create(&threads[started], NULL, run_lane, &lanes[started]) != 0)
			break;
	run_lane(&lanes[0]);
	int error = lanes[0].error;
	for (size_t i = 1; i < started; i++) {
		pthread_join(threads[i], NULL);
		error = error != 0 ? error : lanes[i].error;
	}
	return error;
}

static int run_here(struct session *s, const struct cli_arguments *arguments)
{
	struct engine engine;
	struct guia_worker *workers[THREADS] = {0};
	struct ftw_local locals[THREADS];
	struct lane lanes[THREADS] = {0};
	atomic_size_t next = 0;
	int code = engine_open(arguments, &engine);
	if (code != CLI_FINE)
		return code;
	for (size_t i = 0; i < THREADS && code == CLI_FINE; i++) {
		code = engine_worker(&engine, &workers[i]);
		locals[i] = (struct ftw_local){workers[i], engine.rules};
		lanes[i] = (struct lane){s, &next, ftw_stage_local, &locals[i], {0}, 0};
		arena_init(&lanes[i].arena, ARENA_BYTES, 0);
	}
	if (code == CLI_FINE) {
		int error = run_lanes(lanes, THREADS);
		code = error != 0 ? cli_fail(CLI_ENVIRONMENT, "%s", strerror(-error))
				  : report(s, cli_flag(arguments, "json"));
	}
	for (size_t i = 0; i < THREADS; i++) {
		arena_destroy(&lanes[i].arena);
		guia_worker_free(workers[i]);
	}
	engine_close(&engine);
	return code;
}

static int run_there(struct session *s, const struct cli_arguments *arguments)
{
	struct ftw_remote *remote = NULL;
	atomic_size_t next = 0;
	const char *server = cli_value(arguments, "server");
	const char *log = cli_value(arguments, "log");
	if (log == NULL)
		return cli_fail(CLI_USER, "--server needs --log FILE, the gate's error log");
	int r = ftw_remote_open(server, log, &remote);
	if (r == FTW_INVALID)
		return cli_fail(CLI_USER, "--server %s: write http://ADDRESS:PORT", server);
	if (r != 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", log, strerror(-r));
	struct lane lane = {s, &next, ftw_stage_remote, remote, {0}, 0};
	arena_init(&lane.arena, ARENA_BYTES, 0);
	r = run_lanes(&lane, 1);
	int code = r != 0 ? cli_fail(CLI_ENVIRONMENT, "%s: %s", server,
				     r == -ENODATA ? "the marker does not come up in the log: is it this server's?"
						   : strerror(-r))
			  : report(s, cli_flag(arguments, "json"));
	arena_destroy(&lane.arena);
	ftw_remote_close(remote);
	return code;
}

static int run(const struct cli_arguments *arguments)
{
	struct session s = {0};
	arena_init(&s.arena, ARENA_BYTES, 0);
	s.overrides.arena = &s.arena;
	diagnostics_init(&s.diagnostics);
	int code = load_all(&s, arguments);
	if (code == CLI_FINE)
		code = cli_value(arguments, "server") != NULL ? run_there(&s, arguments) : run_here(&s, arguments);
	free(s.items);
	free(s.overrides.items);
	diagnostics_destroy(&s.diagnostics);
	arena_destroy(&s.arena);
	return code;
}

static const struct cli_option options[] = {
	ENGINE_OPTIONS,
	{"overrides", 0, "FILE", "what is expected otherwise, and why; may be given several times"},
	{"server", 0, "URL", "run over the network against this gate, as go-ftw does"},
	{"log", 0, "FILE", "with --server: the gate's error log"},
	{"json", 0, NULL, "one JSON line a test, and one for the sums"},
};

const struct command test_command = {
	.name = "test",
	.summary = "runs rule tests in the go-ftw format",
	.examples = "guia test --rules tests/crs/v3.conf TESTS/\n"
		    "guia test --rules my.conf --overrides mine.yaml 942100.yaml\n"
		    "guia test --server http://127.0.0.1:8080 --log error.log TESTS/\n",
	.synopsis = "[--rules FILE] [--overrides FILE] PATH...",
	.description =
		"Runs the tests of files, or of every *.yaml below folders: version 4's schema and 3.3.4's. Without\n"
		"--server no server is needed: requests go through nginx's rules of reading, the engine and an\n"
		"origin that answers 200, or what a POST to /reflect asks for. A request that nginx would refuse\n"
		"has the refusal's status; the rules are asked nonetheless.\n\n"
		"Failures are told with what was expected and what came. The closing line is\n"
		"\"N passed, N failed, N skipped\".",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 1,
	.words_max = SIZE_MAX,
	.run = run,
};
