/* guia top: who and what comes most often, now. */
#include "cli/command.h"

#include "cli/watch_place.h"
#include "codec/text.h"
#include "watch/ranking.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { REFRESH_MS = 1000, KEY_COLUMNS = 56, ROWS = 5, ROWS_OF_ONE = 20, ROWS_MOST = 50 };

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
	struct buffer text = buffer_make(NULL);
	if (answer_string(places, "made")[0] != '\0')
		buffer_printf(&text, "operators and countries as of %s (%s)", answer_string(places, "made"),
			      answer_string(places, "vendor"));
	else if (answer_string(places, "fault")[0] != '\0')
		buffer_printf(&text, "operators and countries are not known: %s: %s", answer_string(places, "file"),
			      answer_string(places, "fault"));
	text_add_terminal(out, buffer_slice(&text));
	buffer_text(out, text.len > 0 ? "\n" : "");
	buffer_free(&text);
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
	for (enum ranking_dimension i = 0; i < RANKING_DIMENSIONS; i++)
		if (by == NULL || strcmp(by, ranking_dimension_name(i)) == 0)
			add_dimension(top, ranking_dimension_name(i), out);
}

static int show_once(const struct cli_arguments *arguments, const char *question, bool live)
{
	struct buffer text, out = buffer_make(NULL);
	json_t *top;
	int code = watch_place_ask(arguments, question, &text, &top);
	if (code != CLI_FINE)
		return code;
	if (cli_flag(arguments, "json")) {
		code = cli_print_json(&text, CLI_FINE);
	} else {
		buffer_text(&out, live ? "\033[H\033[J" : "");
		add_top(top, cli_value(arguments, "by"), &out);
		code = cli_print(&out, CLI_FINE);
	}
	json_decref(top);
	buffer_free(&text);
	buffer_free(&out);
	return code;
}

static bool is_dimension(const char *name)
{
	for (enum ranking_dimension i = 0; i < RANKING_DIMENSIONS; i++)
		if (strcmp(ranking_dimension_name(i), name) == 0)
			return true;
	return false;
}

static int run(const struct cli_arguments *arguments)
{
	char question[32];
	const char *by = cli_value(arguments, "by"), *count = cli_value(arguments, "count");
	if (by != NULL && !is_dimension(by))
		return cli_fail(CLI_USER, "--by %s: source, network, operator, country, path, agent or rule", by);
	uint64_t rows = by != NULL ? ROWS_OF_ONE : ROWS;
	if (count != NULL && !cli_number(count, 1, ROWS_MOST, &rows))
		return cli_fail(CLI_USER, "--count %s: a number from 1 to %d", count, ROWS_MOST);
	snprintf(question, sizeof(question), "top %" PRIu64, rows);
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
