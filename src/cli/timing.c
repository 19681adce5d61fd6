/*
 * Three times over with one worker: once with nothing remembered, then with the engine's clocks on, then without them,
 * for the figure that a gate pays. Below that, requests from files for `guia check --timing`.
 */
#include "cli/timing.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/vector.h"
#include "cli/timing_report.h"
#include "cli/wire_file.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	ARENA_BYTES = 1 << 30,
	ARENA_RETAIN_BYTES = 1 << 20,
	PROFILED_NS = 300 * 1000 * 1000,
	PLAIN_NS = 100 * 1000 * 1000,
	ROUNDS_MAX = 100000,
};

struct runner {
	const struct timing *timing;
	struct guia_worker *worker;
	struct arena arena; /* of one request */
};

/* One request as the gate does it: the logs are made, and written nowhere. */
static int run_request(struct runner *run, const struct request *request)
{
	struct guia_transaction *t;
	struct guia_connection connection = exchange_connection(request->host);
	struct ftw_answer answer = run->timing->answer != NULL ? *run->timing->answer : (struct ftw_answer){0};
	struct exchange exchange = {request, run->timing->answer != NULL ? wire_file_origin : NULL, &answer,
				    &run->arena};
	unsigned status;
	int r = guia_transaction_begin(run->worker, run->timing->engine->rules, &connection, (struct guia_slice){0},
				       clock_now_us(), &t);
	if (r != 0)
		return r;
	r = exchange_run(t, &exchange, &status);
	for (size_t i = 0; r == 0 && i < guia_log_line_count(t); i++)
		(void)guia_log_line_at(t, i);
	if (r == 0)
		(void)guia_audit_record(t);
	guia_transaction_end(t);
	arena_reset(&run->arena);
	return r;
}

static int run_round(struct runner *run)
{
	int r = 0;
	for (size_t i = 0; i < run->timing->request_count && r == 0; i++)
		r = run_request(run, &run->timing->requests[i]);
	return r;
}

/* Whole rounds, one at least, until the time is over. */
static int run_rounds(struct runner *run, uint64_t limit_ns, struct timing_total *ret_total)
{
	uint64_t begun = clock_monotonic_ns();
	*ret_total = (struct timing_total){0};
	do {
		int r = run_round(run);
		if (r != 0)
			return r;
		ret_total->rounds++;
		ret_total->ns = clock_monotonic_ns() - begun;
	} while (ret_total->ns < limit_ns && ret_total->rounds < ROUNDS_MAX);
	return 0;
}

static int run_all(struct runner *run, struct timing_report *report)
{
	guia_worker_profile(run->worker, report->first);
	int r = run_rounds(run, 0, &report->first_total);
	guia_worker_profile(run->worker, report->rest);
	if (r == 0)
		r = run_rounds(run, PROFILED_NS, &report->rest_total);
	guia_worker_profile(run->worker, NULL);
	return r != 0 ? r : run_rounds(run, PLAIN_NS, &report->plain_total);
}

static int open_worker(const struct engine *engine, struct guia_worker **ret_worker)
{
	struct guia_collection_store *store = NULL;
	int r = engine_store(engine, &store);
	struct guia_worker_options options = {.store = store, .verdicts_only = true};
	r = r != 0 ? r : guia_worker_new(&options, ret_worker);
	return r != 0 ? r : guia_worker_prepare(*ret_worker, engine->rules);
}

static int write_out(struct timing_report *report)
{
	struct buffer out = buffer_make(NULL);
	(report->timing->json ? timing_report_json : timing_report_text)(report, &out);
	int code = (report->timing->json ? cli_print_json : cli_print)(&out, CLI_FINE);
	buffer_free(&out);
	return code;
}

int timing_tell(const struct timing *timing)
{
	struct runner run = {.timing = timing};
	struct timing_report report = {.timing = timing};
	arena_init(&run.arena, ARENA_BYTES, ARENA_RETAIN_BYTES);
	int r = open_worker(timing->engine, &run.worker);
	if (r == 0)
		r = guia_profile_new(timing->engine->rules, &report.first);
	if (r == 0)
		r = guia_profile_new(timing->engine->rules, &report.rest);
	if (r == 0)
		r = run_all(&run, &report);
	int code = r != 0 ? cli_fail(CLI_ENVIRONMENT, "cannot run the requests: %s", strerror(-r)) : write_out(&report);
	guia_worker_free(run.worker);
	guia_profile_free(report.first);
	guia_profile_free(report.rest);
	arena_destroy(&run.arena);
	return code;
}

/* ---- requests from files ---- */

struct loader {
	struct arena arena;
	struct request *requests;
	size_t count;
	size_t capacity;
};

static int load(struct loader *loader, const char *path)
{
	struct request_parser_options options = request_parser_defaults();
	struct slice bytes;
	int code = wire_file_read(path, &loader->arena, &bytes);
	if (code != CLI_FINE)
		return code;
	int r = vector_grow((void **)&loader->requests, &loader->capacity, loader->count, sizeof(*loader->requests));
	options.body_limit_bytes = 0;
	struct request *request = &loader->requests[loader->count];
	if (r == 0)
		r = request_parse(bytes, &options, &loader->arena, request);
	if (r < 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(-r));
	if (r == REQUEST_REFUSED)
		fprintf(stderr, "guia: %s: left out, nginx refuses it by itself: %s\n", path, request->refused_reason);
	else
		loader->count++;
	return CLI_FINE;
}

static int load_list(struct loader *loader)
{
	char *line = NULL;
	size_t capacity = 0;
	int code = CLI_FINE;
	for (ssize_t len; code == CLI_FINE && (len = getline(&line, &capacity, stdin)) > 0;) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (line[0] != '\0')
			code = load(loader, line);
	}
	free(line);
	return code;
}

int timing_check(const struct engine *engine, const struct cli_arguments *arguments)
{
	struct loader loader = {0};
	int code = CLI_FINE;
	arena_init(&loader.arena, ARENA_BYTES, 0);
	for (size_t i = 0; i < arguments->word_count && code == CLI_FINE; i++)
		code = strcmp(arguments->words[i], "-") == 0 ? load_list(&loader) : load(&loader, arguments->words[i]);
	if (code == CLI_FINE && loader.count == 0)
		code = cli_fail(CLI_USER, "check --timing needs requests");
	struct timing timing = {
		.engine = engine,
		.requests = loader.requests,
		.request_count = loader.count,
		.all = cli_flag(arguments, "all"),
		.json = cli_flag(arguments, "json"),
	};
	if (code == CLI_FINE)
		code = timing_tell(&timing);
	free(loader.requests);
	arena_destroy(&loader.arena);
	return code;
}
