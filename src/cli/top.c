/* guia top: who and what comes most often, now. */
#include "cli/command.h"

#include "cli/watch_place.h"
#include "codec/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { REFRESH_MS = 1000, KEY_COLUMNS = 56 };

static const char *const dimensions[] = {"source", "network", "operator", "country", "path", "agent", "rule"};

/* A row's key on one line, cut to its column. */
static void add_key(const json_t *item, struct buffer *out)
{
	struct buffer key = buffer_make(NULL);
	text_add_terminal(&key, slice_from_string(answer_string(item, "site")));
	text_add_terminal(&key, slice_from_string(answer_string(item, "key")));
	bool cut = key.len > KEY_COLUMNS;
	int len = cut ? KEY_COLUMNS - 3 : (int)key.len;
	while (cut && (key.ptr[len] & 0xc0) == 0x80) /* no half of a character */
		len--;
	buffer_printf(out, "  %-*.*s%s", cut ? len : KEY_COLUMNS, len, key.len > 0 ? (const char *)key.ptr : "",
		      cut ? "..." : "");
	buffer_free(&key);
}

static void add_dimension(const json_t *top, const char *name, struct buffer *out)
{
	const json_t *items = json_object_get(top, name), *item;
	size_t i;
	if (json_array_size(items) == 0)
		return;
	buffer_printf(out, "\n%-*s %11s %7s\n", KEY_COLUMNS + 2, name, "a second", "share");
	json_array_foreach(items, i, item)
	{
		add_key(item, out);
		buffer_printf(out, " %11.1f %6.1f%%\n",
			      answer_number(item, "per_s") - answer_number(item, "others_per_s"),
			      answer_number(item, "percent"));
	}
}

static void add_places(const json_t *places, struct buffer *out)
{
	if (answer_string(places, "made")[0] != '\0')
		buffer_printf(out, "operators and countries as of %s (%s)\n", answer_string(places, "made"),
			      answer_string(places, "vendor"));
	else if (answer_string(places, "fault")[0] != '\0')
		buffer_printf(out, "operators and countries are not known: %s: %s\n", answer_string(places, "file"),
			      answer_string(places, "fault"));
}

/* How much each origin is asked at once, of what it takes. */
static void add_slots(const json_t *top, struct buffer *out)
{
	const json_t *site;
	size_t i, shown = 0;
	json_array_foreach(json_object_get(top, "sites"), i, site)
	{
		if (json_object_get(site, "slots_at_most") == NULL)
			continue;
		buffer_text(out, shown++ == 0 ? "origins' slots: " : ", ");
		text_add_terminal(out, slice_from_string(answer_string(site, "site")));
		buffer_printf(out, " %.0f of %.0f", answer_number(site, "slots"), answer_number(site, "slots_at_most"));
		if (answer_number(site, "slots_waited_for") > 0)
			buffer_printf(out, " (%.0f wait)", answer_number(site, "slots_waited_for"));
	}
	buffer_text(out, shown > 0 ? "\n" : "");
}

static void add_top(const json_t *top, const char *by, struct buffer *out)
{
	const json_t *watch = json_object_get(top, "watch"), *c = json_object_get(top, "connections");
	buffer_printf(out, "%s  %.1f requests a second over %.0f s; events overwritten unread: %.0f\n",
		      answer_string(top, "time"), answer_number(top, "requests_per_s"), answer_number(top, "seconds"),
		      answer_number(watch, "events_lost"));
	buffer_printf(out, "reading headers %.0f, idle %.0f, reading bodies %.0f, waiting %.0f, writing %.0f\n",
		      answer_number(c, "reading-header"), answer_number(c, "idle"), answer_number(c, "reading-body"),
		      answer_number(c, "waiting"), answer_number(c, "writing"));
	add_slots(top, out);
	watch_place_add_edge(top, out);
	add_places(json_object_get(top, "places"), out);
	for (size_t i = 0; i < sizeof(dimensions) / sizeof(dimensions[0]); i++)
		if (by == NULL || strcmp(by, dimensions[i]) == 0)
			add_dimension(top, dimensions[i], out);
}

static int show_once(const struct cli_arguments *arguments, const char *question, bool live)
{
	struct buffer text, out = buffer_make(NULL);
	json_t *top;
	int code = watch_place_ask(arguments, question, &text, &top);
	if (code != CLI_FINE)
		return code;
	if (live)
		buffer_text(&out, "\033[H\033[J");
	if (cli_flag(arguments, "json"))
		buffer_add(&out, buffer_slice(&text));
	else
		add_top(top, cli_value(arguments, "by"), &out);
	if (out.error != 0 || fwrite(out.ptr, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
		code = cli_fail(CLI_ENVIRONMENT, "cannot write");
	json_decref(top);
	buffer_free(&text);
	buffer_free(&out);
	return code;
}

static bool is_dimension(const char *name)
{
	for (size_t i = 0; i < sizeof(dimensions) / sizeof(dimensions[0]); i++)
		if (strcmp(dimensions[i], name) == 0)
			return true;
	return false;
}

static int run(const struct cli_arguments *arguments)
{
	char question[32];
	const char *by = cli_value(arguments, "by"), *count = cli_value(arguments, "count");
	if (by != NULL && !is_dimension(by))
		return cli_fail(CLI_USER, "--by %s: source, network, operator, country, path, agent or rule", by);
	long rows = count != NULL ? strtol(count, NULL, 10) : by != NULL ? 20 : 5;
	if (rows < 1 || rows > 50)
		return cli_fail(CLI_USER, "--count %s: a number from 1 to 50", count);
	snprintf(question, sizeof(question), "top %ld", rows);
	bool once = cli_flag(arguments, "once") || (!isatty(STDOUT_FILENO) && !cli_flag(arguments, "json"));
	int code = show_once(arguments, question, !once && isatty(STDOUT_FILENO) && !cli_flag(arguments, "json"));
	while (!once && code == CLI_FINE) {
		nanosleep(&(struct timespec){.tv_sec = REFRESH_MS / 1000, .tv_nsec = REFRESH_MS % 1000 * 1000000L},
			  NULL);
		code = show_once(arguments, question, isatty(STDOUT_FILENO) && !cli_flag(arguments, "json"));
	}
	return code;
}

static const struct cli_option options[] = {
	WATCH_PLACE_OPTIONS,
	{"by", 'b', "WHAT", "only source, network, operator, country, path, agent or rule"},
	{"count", 'n', "ROWS", "so many of each, at most 50 (default: 5; 20 with --by)"},
	{"once", '1', NULL, "once, instead of every second"},
	{"json", 0, NULL, "a line of JSON each time"},
};

const struct command top_command = {
	.name = "top",
	.summary = "shows who and what comes most often, live",
	.examples = "guia top\n"
		    "guia top -1 --by source -n 50\n"
		    "guia top -1 --json | jq -r '.network[0].key'\n",
	.synopsis = "[--run-dir DIR | -c FILE] [-1] [--by WHAT] [-n ROWS] [--json]",
	.description = "Ranks the requests of the last five seconds by source address, by network (/24 of IPv4, /48 of "
		       "IPv6), by\n"
		       "operator (autonomous system) and country as libloc's data has them, whose date is shown, by\n"
		       "path, by User-Agent, and by the rule that judged them, every second until Ctrl-C; once where "
		       "the output is\n"
		       "no terminal. Memory is fixed however many sources come; what is shown came at least so often. "
		       "A path or\n"
		       "agent of which no head was sampled yet is shown by its hash. --json has the share that may be "
		       "others' as\n"
		       "`others_per_s`.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
