/* guia inspect: raw requests to verdicts, one JSON line each. */
#include "cli/command.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/engines.h"
#include "cli/wire_file.h"
#include "codec/text.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	ARENA_BYTES = 1 << 30,
	ARENA_RETAIN_BYTES = 4 << 20,
};

struct inspector {
	struct engines engines;
	struct arena arena; /* of one file */
	struct arena response_arena;
	struct ftw_answer answer;
	struct request_parser_options parser;
	bool has_answer;
	bool all;
	int code; /* the worst so far */
};

static int worst(int a, int b)
{
	return a > b ? a : b;
}

static void add_rules(struct buffer *out, const struct inspector *in, const struct guia_transaction *t)
{
	const char *separator = "";
	buffer_text(out, ",\"rules\":[");
	for (size_t i = 0; i < guia_match_count(t); i++) {
		struct guia_match match;
		guia_match_at(t, i, &match);
		if (!match.completed || (!match.logged && !in->all) || match.rule_id == 0)
			continue;
		buffer_printf(out, "%s%lld", separator, (long long)match.rule_id);
		separator = ",";
	}
	buffer_text(out, "]");
}

static void add_verdict(struct buffer *out, const struct inspector *in, const struct guia_transaction *t,
			unsigned status)
{
	struct guia_summary summary;
	guia_transaction_summary(t, &summary);
	bool blocked = summary.verdict.action != GUIA_PASS;
	buffer_printf(out, ",\"verdict\":\"%s\",\"status\":%u,\"inbound_score\":%lld,\"outbound_score\":%lld",
		      blocked ? "block" : "pass", status, (long long)summary.inbound_score,
		      (long long)summary.outbound_score);
	add_rules(out, in, t);
	if (summary.verdict.would_block)
		buffer_text(out, ",\"would_block\":true");
	if (summary.verdict.failed)
		buffer_text(out, ",\"failed\":true");
}

static void add_refusal(struct buffer *out, unsigned status, const char *reason)
{
	buffer_printf(out, ",\"verdict\":\"refused\",\"status\":%u,\"reason\":", status);
	text_add_json(out, slice_from_string(reason));
}

static int inspect_request(struct inspector *in, const struct site_engine *site, const struct request *request,
			   struct buffer *out)
{
	struct guia_transaction *t = NULL;
	struct guia_connection connection = exchange_connection(request->host);
	int r = guia_transaction_begin(site->worker, site->engine.rules, &connection, (struct guia_slice){0},
				       clock_now_us(), &t);
	if (r != 0)
		return r;
	unsigned status = 0;
	struct exchange exchange = {request, in->has_answer ? wire_file_origin : NULL, &in->answer, &in->arena};
	r = exchange_run(t, &exchange, &status);
	if (r == 0)
		add_verdict(out, in, t, status);
	guia_transaction_end(t);
	return r;
}

/* CLI_FINE, or an exit code after saying why. */
static int inspect_bytes(struct inspector *in, const char *path, struct slice wire, struct buffer *out)
{
	struct request request;
	struct site_engine *site = NULL;
	int r = request_parse(wire, &in->parser, &in->arena, &request);
	int code = r == 0 ? engines_of_host(&in->engines, request.host, &site) : CLI_FINE;
	if (code != CLI_FINE)
		return code;
	buffer_text(out, "{\"file\":");
	text_add_json(out, slice_from_string(path));
	if (r == REQUEST_REFUSED)
		add_refusal(out, request.refused_status, request.refused_reason);
	else if (r == 0 && site == NULL)
		add_refusal(out, STATUS_CLOSED, "no site answers to this Host");
	else if (r == 0)
		r = inspect_request(in, site, &request, out);
	buffer_text(out, "}\n");
	r = r < 0 ? r : out->error;
	return r == 0 ? CLI_FINE : cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(-r));
}

static int inspect_file(struct inspector *in, const char *path)
{
	struct slice bytes;
	struct buffer out = buffer_make(&in->arena);
	int code = wire_file_read(path, &in->arena, &bytes);
	code = code != CLI_FINE ? code : inspect_bytes(in, path, bytes, &out);
	code = code != CLI_FINE ? code : cli_print_json(&out, CLI_FINE);
	arena_reset(&in->arena);
	return code;
}

/* A file a line; each answer is flushed, so that a program can talk to us. */
static int inspect_list(struct inspector *in)
{
	char *line = NULL;
	size_t capacity = 0;
	int code = CLI_FINE;
	for (ssize_t len; (len = getline(&line, &capacity, stdin)) > 0;) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (line[0] != '\0')
			code = worst(code, inspect_file(in, line));
		fflush(stdout);
	}
	free(line);
	return code;
}

static int inspect_all(struct inspector *in, const struct cli_arguments *arguments)
{
	const char *response = cli_value(arguments, "response");
	int code = response != NULL ? wire_file_answer(response, &in->response_arena, &in->answer) : CLI_FINE;
	in->has_answer = response != NULL;
	if (code != CLI_FINE)
		return code;
	for (size_t i = 0; i < arguments->word_count; i++)
		code = worst(code, strcmp(arguments->words[i], "-") == 0 ? inspect_list(in)
									 : inspect_file(in, arguments->words[i]));
	if (fflush(stdout) != 0)
		return cli_fail(CLI_ENVIRONMENT, "cannot write: %s", strerror(errno));
	return code;
}

static int run(const struct cli_arguments *arguments)
{
	struct inspector in = {.all = cli_flag(arguments, "all")};
	int code = engines_open(arguments, &in.engines);
	if (code != CLI_FINE)
		return code;
	in.parser = engines_parser_options(&in.engines);
	in.parser.underscores_in_headers = cli_flag(arguments, "underscores");
	arena_init(&in.arena, ARENA_BYTES, ARENA_RETAIN_BYTES);
	arena_init(&in.response_arena, ARENA_BYTES, 0);
	code = inspect_all(&in, arguments);
	arena_destroy(&in.arena);
	arena_destroy(&in.response_arena);
	engines_close(&in.engines);
	return code;
}

static const struct cli_option options[] = {
	ENGINES_OPTIONS,
	{"response", 0, "FILE", "the origin's answer, raw, to every request (default: an empty 200)"},
	{"all", 'a', NULL, "list rules that only keep books too"},
	{"underscores", 0, NULL, "keep headers whose names hold underscores, as with underscores_in_headers on"},
	{"json", 0, NULL, "the output is always JSON; accepted for symmetry"},
};

const struct command inspect_command = {
	.name = "inspect",
	.summary = "gives the verdict on raw requests, one JSON line each",
	.examples = "guia inspect --rules rules/guia-crs.conf request.txt\n"
		    "guia inspect -c guia.yaml request.txt\n"
		    "guia inspect --response page.txt request.txt\n"
		    "find requests -type f | guia inspect -\n",
	.synopsis = "[-c FILE | --rules FILE] [--response FILE] REQUEST...",
	.description =
		"Reads requests as bytes on the wire, as nginx reads them, and says what the rules make of them:\n"
		"file, verdict (pass, block, refused), status, inbound_score, outbound_score, rules (ids of the\n"
		"logged rules in the order in which they matched). With -c the rules are those of the site that the\n"
		"request's Host names.\n\n"
		"A request that nginx itself would refuse has the verdict \"refused\", the status nginx answers\n"
		"and a reason. \"-\" reads names of files from standard input, one a line.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 1,
	.words_max = SIZE_MAX,
	.run = run,
};
