/* guia explain: why a request was judged as it was, for a person, and what would let it pass. */
#include "cli/command.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/engines.h"
#include "cli/exclusion.h"
#include "cli/timing.h"
#include "cli/wire_file.h"
#include "codec/text.h"
#include "match/sqli.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
	ARENA_BYTES = 1 << 30,
	EXCERPT_BYTES = 160, /* of a value, on each side of the match */
	LINKS_SHOWN = 12,
};

struct explainer {
	struct engines engines;
	const struct site_engine *site; /* whose rules judge the request */
	struct arena arena;
	struct story story;
	struct guia_summary summary;
	struct request request;
	struct ftw_answer answer;
	bool has_answer;
	unsigned status;
	bool colour;
	struct buffer out;
};

static int run_request(struct explainer *e)
{
	struct guia_transaction *t = NULL;
	struct guia_connection connection = exchange_connection(e->request.host);
	int r = guia_transaction_begin(e->site->worker, e->site->engine.rules, &connection, (struct guia_slice){0},
				       clock_now_us(), &t);
	if (r != 0)
		return r;
	struct exchange exchange = {&e->request, e->has_answer ? wire_file_origin : NULL, &e->answer, &e->arena};
	guia_transaction_trace(t, story_trace, &e->story);
	r = story_secrets(&e->story, e->site->engine.rules);
	r = r != 0 ? r : exchange_run(t, &exchange, &e->status);
	guia_transaction_summary(t, &e->summary);
	story_blocked(&e->story, e->summary.verdict.rule_id);
	guia_transaction_end(t);
	return r != 0 ? r : e->story.lost ? -ENOMEM : 0;
}

static void add_bold(struct explainer *e, const char *text)
{
	buffer_printf(&e->out, e->colour ? "\033[1m%s\033[0m" : "%s", text);
}

/* The value around its match, which is marked. */
static void add_value(struct explainer *e, struct slice value, size_t at, size_t len)
{
	struct buffer *out = &e->out;
	if (at > value.len || len > value.len - at)
		len = 0;
	if (len == 0)
		at = 0;
	size_t from = at > EXCERPT_BYTES ? at - EXCERPT_BYTES : 0;
	size_t shown = len < 2 * EXCERPT_BYTES ? len : 2 * EXCERPT_BYTES;
	size_t to = at + len + EXCERPT_BYTES;
	if (from > 0)
		buffer_text(out, "...");
	text_add_terminal(out, slice_sub(value, from, at));
	if (len > 0) {
		buffer_text(out, e->colour ? "\033[7m" : ">>>");
		text_add_terminal(out, slice_sub(value, at, at + shown));
		buffer_text(out, shown < len ? "..." : "");
		buffer_text(out, e->colour ? "\033[0m" : "<<<");
	}
	text_add_terminal(out, slice_sub(value, at + len, to));
	if (to < value.len)
		buffer_printf(out, "... (%zu bytes)", value.len);
	buffer_byte(out, '\n');
}

/* "s&1c: string, logic, number, comment": an injection is found by the order of its tokens, not at a place. */
static void add_fingerprint(struct buffer *out, struct slice fingerprint)
{
	buffer_printf(out, "      %-18s ", "fingerprint");
	text_add_terminal(out, fingerprint);
	for (size_t i = 0; i < fingerprint.len; i++)
		buffer_printf(out, "%s %s", i == 0 ? ":" : ",", sqli_letter_name((char)fingerprint.ptr[i]));
	buffer_byte(out, '\n');
}

static void add_link(struct explainer *e, const struct story_link *link)
{
	struct buffer *out = &e->out;
	buffer_printf(out, "    %s ", link->depth == 0 ? "looks at" : "and at  ");
	text_add_terminal(out, link->variable.len > 0 ? link->variable : SLICE("nothing (an action)"));
	buffer_printf(out, " in phase %u", link->phase);
	if (link->operator_name != NULL && link->operator_name[0] != '\0') {
		buffer_printf(out, ": %s@%s ", link->negated ? "!" : "", link->operator_name);
		text_add_terminal(out, slice_sub(link->argument, 0, EXCERPT_BYTES));
		buffer_text(out, link->argument.len > EXCERPT_BYTES ? "..." : "");
	}
	buffer_byte(out, '\n');
	bool steps = link->step_count > 0;
	buffer_printf(out, "      %-18s ", "value");
	add_value(e, link->value, steps ? 0 : link->match_offset, steps ? 0 : link->match_len);
	for (size_t i = 0; i < link->step_count; i++) {
		bool last = i + 1 == link->step_count;
		buffer_printf(out, "      t:%-16s ", link->steps[i].transform);
		add_value(e, link->steps[i].value, last ? link->match_offset : 0, last ? link->match_len : 0);
	}
	if (link->found.len > 0)
		add_fingerprint(out, link->found);
}

static void add_rule(struct explainer *e, const struct story_rule *rule)
{
	char title[96];
	snprintf(title, sizeof(title), "  %" PRId64, rule->id);
	add_bold(e, title);
	if (rule->inbound != 0)
		buffer_printf(&e->out, "  %+" PRId64, rule->inbound);
	if (rule->outbound != 0)
		buffer_printf(&e->out, "  %+" PRId64 " outbound", rule->outbound);
	if (rule->blocked)
		buffer_text(&e->out, "  blocked by itself");
	if (rule->paranoia_level > 0)
		buffer_printf(&e->out, ", paranoia level %u", rule->paranoia_level);
	buffer_text(&e->out, ": ");
	text_add_terminal(&e->out, rule->message);
	buffer_text(&e->out, "\n    ");
	text_add_terminal(&e->out, slice_from_string(rule->file));
	buffer_printf(&e->out, ":%u\n", rule->line);
	size_t count = 0;
	for (const struct story_link *link = rule->links; link != NULL; link = link->next)
		if (++count <= LINKS_SHOWN)
			add_link(e, link);
	if (count > LINKS_SHOWN)
		buffer_printf(&e->out, "    and %zu more matches\n", count - LINKS_SHOWN);
}

static void add_score(struct buffer *out, const char *name, int64_t score, int64_t threshold)
{
	buffer_printf(out, "%s score %" PRId64, name, score);
	if (threshold > 0)
		buffer_printf(out, " (blocked from %" PRId64 " on)", threshold);
}

static void add_verdict(struct explainer *e)
{
	const struct guia_summary *s = &e->summary;
	bool blocked = s->verdict.action != GUIA_PASS;
	char line[160];
	if (blocked && s->verdict.rule_id != 0)
		snprintf(line, sizeof(line), "Blocked with status %u by rule %" PRId64, e->status, s->verdict.rule_id);
	else if (blocked)
		snprintf(line, sizeof(line), "Blocked with status %u%s", e->status,
			 s->verdict.failed ? ": the inspection failed" : " by a limit");
	else
		snprintf(line, sizeof(line), "%s",
			 s->verdict.would_block ? "Passed, but would be blocked if rules could (DetectionOnly)"
						: "Passed");
	add_bold(e, line);
	buffer_byte(&e->out, '\n');
	add_score(&e->out, "Inbound", s->inbound_score, s->inbound_threshold);
	add_score(&e->out, ", outbound", s->outbound_score, s->outbound_threshold);
	buffer_byte(&e->out, '\n');
}

static void add_exclusions(struct explainer *e)
{
	struct exclusion exclusions[EXCLUSIONS_MAX];
	struct slice path = slice_sub(e->request.unparsed_uri, 0, slice_find_byte(e->request.unparsed_uri, '?', 0));
	size_t count = exclusions_suggest(&e->story, path, exclusions);
	if (count > 0) {
		buffer_byte(&e->out, '\n');
		add_bold(e, "If this was a legitimate request");
		buffer_text(&e->out, ": one of these, the first that does, gives up the least\n");
	}
	for (size_t i = 0; i < count; i++) {
		buffer_printf(&e->out, "\n%zu. %s; paste it %s:\n%.*s", i + 1, exclusions[i].what, exclusions[i].where,
			      SLICE_ARG(buffer_slice(&exclusions[i].text)));
		buffer_free(&exclusions[i].text);
	}
}

static void tell(struct explainer *e)
{
	size_t scored = 0, others = 0;
	add_verdict(e);
	for (const struct story_rule *rule = e->story.rules; rule != NULL; rule = rule->next) {
		if (!story_rule_counts(rule))
			continue;
		if (scored++ == 0) {
			buffer_byte(&e->out, '\n');
			add_bold(e, "Rules that scored, or blocked by themselves\n");
		}
		add_rule(e, rule);
	}
	for (const struct story_rule *rule = e->story.rules; rule != NULL; rule = rule->next) {
		if (story_rule_counts(rule))
			continue;
		if (others++ == 0) {
			buffer_byte(&e->out, '\n');
			add_bold(e, "Rules that only keep books");
			buffer_byte(&e->out, ':');
		}
		buffer_printf(&e->out, " %" PRId64, rule->id);
	}
	if (others > 0)
		buffer_byte(&e->out, '\n');
	if (scored > 0)
		add_exclusions(e);
}

static void json_link(struct buffer *out, const struct story_link *link)
{
	buffer_printf(out, "{\"depth\":%u,\"phase\":%u,\"variable\":", link->depth, link->phase);
	text_add_json(out, link->variable);
	buffer_text(out, ",\"operator\":");
	text_add_json(out, slice_from_string(link->operator_name));
	buffer_printf(out, ",\"negated\":%s,\"argument\":", link->negated ? "true" : "false");
	text_add_json(out, link->argument);
	buffer_text(out, ",\"value\":");
	text_add_json(out, link->value);
	buffer_text(out, ",\"steps\":[");
	for (size_t i = 0; i < link->step_count; i++) {
		buffer_printf(out, "%s{\"transform\":\"%s\",\"value\":", i > 0 ? "," : "", link->steps[i].transform);
		text_add_json(out, link->steps[i].value);
		buffer_byte(out, '}');
	}
	buffer_printf(out, "],\"match_offset\":%zu,\"match_length\":%zu,\"found\":", link->match_offset,
		      link->match_len);
	text_add_json(out, link->found);
	buffer_byte(out, '}');
}

static void json_rule(struct buffer *out, const struct story_rule *rule)
{
	buffer_printf(out,
		      "{\"id\":%" PRId64 ",\"paranoia_level\":%u,\"inbound\":%" PRId64 ",\"outbound\":%" PRId64
		      ",\"blocked\":%s,\"line\":%u,\"file\":",
		      rule->id, rule->paranoia_level, rule->inbound, rule->outbound, rule->blocked ? "true" : "false",
		      rule->line);
	text_add_json(out, slice_from_string(rule->file));
	buffer_text(out, ",\"message\":");
	text_add_json(out, rule->message);
	buffer_text(out, ",\"links\":[");
	for (const struct story_link *link = rule->links; link != NULL; link = link->next) {
		json_link(out, link);
		buffer_text(out, link->next != NULL ? "," : "");
	}
	buffer_text(out, "]}");
}

static void json_rules(struct explainer *e, bool scored, const char *name)
{
	const char *separator = "";
	buffer_printf(&e->out, ",\"%s\":[", name);
	for (const struct story_rule *rule = e->story.rules; rule != NULL; rule = rule->next) {
		if (story_rule_counts(rule) != scored)
			continue;
		buffer_text(&e->out, separator);
		separator = ",";
		if (scored)
			json_rule(&e->out, rule);
		else
			buffer_printf(&e->out, "%" PRId64, rule->id);
	}
	buffer_byte(&e->out, ']');
}

static void tell_json(struct explainer *e)
{
	struct exclusion exclusions[EXCLUSIONS_MAX];
	const struct guia_summary *s = &e->summary;
	struct slice path = slice_sub(e->request.unparsed_uri, 0, slice_find_byte(e->request.unparsed_uri, '?', 0));
	size_t count = exclusions_suggest(&e->story, path, exclusions);
	buffer_printf(&e->out,
		      "{\"verdict\":\"%s\",\"status\":%u,\"rule_id\":%" PRId64 ",\"inbound_score\":%" PRId64
		      ",\"inbound_threshold\":%" PRId64 ",\"outbound_score\":%" PRId64
		      ",\"outbound_threshold\":%" PRId64,
		      s->verdict.action != GUIA_PASS ? "block" : "pass", e->status, s->verdict.rule_id,
		      s->inbound_score, s->inbound_threshold, s->outbound_score, s->outbound_threshold);
	json_rules(e, true, "rules");
	json_rules(e, false, "bookkeeping");
	buffer_text(&e->out, ",\"exclusions\":[");
	for (size_t i = 0; i < count; i++) {
		buffer_printf(&e->out, "%s{\"place\":\"%s\",\"text\":", i > 0 ? "," : "",
			      exclusions[i].before ? "before" : "after");
		text_add_json(&e->out, buffer_slice(&exclusions[i].text));
		buffer_byte(&e->out, '}');
		buffer_free(&exclusions[i].text);
	}
	buffer_text(&e->out, "]}\n");
}

static int tell_timing(const struct explainer *e, const struct cli_arguments *arguments)
{
	struct timing timing = {
		.engine = &e->site->engine,
		.requests = &e->request,
		.request_count = 1,
		.answer = e->has_answer ? &e->answer : NULL,
		.all = cli_flag(arguments, "all"),
		.json = cli_flag(arguments, "json"),
	};
	return timing_tell(&timing);
}

/* What nginx answers before any rule is asked. A saved request most often lacks its end. */
static int tell_refused(const struct request *q, bool json)
{
	if (json) {
		printf("{\"verdict\":\"refused\",\"status\":%u,\"reason\":\"%s\"}\n", q->refused_status,
		       q->refused_reason);
		return CLI_FINE;
	}
	printf("nginx refuses this request by itself with status %u: %s\n", q->refused_status, q->refused_reason);
	if (q->truncated)
		puts("  hint: an empty line ends the headers; then come as many bytes as Content-Length says");
	return CLI_FINE;
}

/* CLI_FINE and e->site set where there are rules to ask; else what nginx answers by itself has been told. */
static int find_site(struct explainer *e, const char *path, bool json)
{
	struct request_parser_options options = engines_parser_options(&e->engines);
	struct site_engine *site = NULL;
	struct slice wire;
	int code = wire_file_read(path, &e->arena, &wire);
	if (code != CLI_FINE)
		return code;
	int r = request_parse(wire, &options, &e->arena, &e->request);
	if (r < 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(-r));
	if (r == REQUEST_REFUSED)
		return tell_refused(&e->request, json);
	code = engines_of_host(&e->engines, e->request.host, &site);
	if (code != CLI_FINE)
		return code;
	e->site = site;
	e->request.refused_status = STATUS_CLOSED;
	e->request.refused_reason = "no site answers to its Host, so the connection is closed";
	return site == NULL ? tell_refused(&e->request, json) : CLI_FINE;
}

static int explain(struct explainer *e, const struct cli_arguments *arguments)
{
	const char *response = cli_value(arguments, "response");
	int code = response != NULL ? wire_file_answer(response, &e->arena, &e->answer) : CLI_FINE;
	e->has_answer = response != NULL;
	if (code == CLI_FINE)
		code = find_site(e, arguments->words[0], cli_flag(arguments, "json"));
	if (code != CLI_FINE || e->site == NULL)
		return code;
	if (cli_flag(arguments, "timing"))
		return tell_timing(e, arguments);
	int r = run_request(e);
	if (r != 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", arguments->words[0], strerror(-r));
	(cli_flag(arguments, "json") ? tell_json : tell)(e);
	return (cli_flag(arguments, "json") ? cli_print_json : cli_print)(&e->out, CLI_FINE);
}

static int run(const struct cli_arguments *arguments)
{
	struct explainer e = {.colour = cli_colour(STDOUT_FILENO)};
	int code = engines_open(arguments, &e.engines);
	if (code != CLI_FINE)
		return code;
	arena_init(&e.arena, ARENA_BYTES, 0);
	e.story.arena = &e.arena;
	code = explain(&e, arguments);
	buffer_free(&e.out);
	arena_destroy(&e.arena);
	engines_close(&e.engines);
	return code;
}

static const struct cli_option options[] = {
	ENGINES_OPTIONS,
	{"response", 0, "FILE", "the origin's answer, raw (default: an empty 200)"},
	TIMING_OPTIONS,
	{"json", 0, NULL, "the same for a program"},
};

const struct command explain_command = {
	.name = "explain",
	.summary = "tells why a request was judged as it was, and what would let it pass",
	.examples = "guia explain request.txt\n"
		    "guia explain -c guia.yaml request.txt\n"
		    "guia explain --rules rules/guia-crs.conf request.txt\n"
		    "guia explain --response page.txt --json request.txt\n"
		    "guia explain --timing request.txt\n",
	.synopsis = "[-c FILE | --rules FILE] [--response FILE] [--timing] REQUEST",
	.description =
		"Takes one raw request and tells the verdict, the scores against their thresholds, and for each rule\n"
		"that scored, or blocked by itself, every link of its chain: the variable, the value with the match\n"
		"marked, the value after each transformation that changed it. Rules that only keep books are listed\n"
		"apart. With -c the rules are those of the site that the request's Host names.\n\n"
		"Then up to three exclusions, the narrowest first, each with where to paste it; to try one, give it "
		"as\n"
		"--rules ahead of the rules or after them, as it says. Secrets are replaced by [redacted], and "
		"control\n"
		"characters never come out raw.\n\n"
		"With --timing it tells instead what the request costs, per stage and per rule: see guia check.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
