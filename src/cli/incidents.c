/* guia incidents: what happened, from the casebook on disk. */
#include "cli/command.h"

#include "base/error.h"
#include "cli/history_place.h"
#include "cli/incident_json.h"
#include "cli/incident_text.h"

#include <stdio.h>
#include <stdlib.h>

enum { LISTED = 20, LISTED_MOST = 10000 };

static int list(struct case_store *store, size_t count, bool json, struct buffer *out)
{
	struct incident_list rows = {out, json, 0};
	incident_list_begin(&rows);
	int r = case_store_records(store, 0, count, incident_list_row, &rows);
	incident_list_end(&rows);
	return r;
}

static int show(struct case_store *store, uint64_t id, bool json, struct buffer *out)
{
	struct case_record *record = malloc(sizeof(*record));
	int r = record == NULL ? -ENOMEM : history_read(store, id, record);
	if (r == 0)
		r = json ? incident_add_json(store, record, out) : incident_add_text(store, record, out);
	free(record);
	return r;
}

static int run(const struct cli_arguments *arguments)
{
	char path[PATH_MAX];
	const char *rows = cli_value(arguments, "count");
	const char *wanted = arguments->word_count > 0 ? arguments->words[0] : NULL;
	uint64_t id = 0, count = LISTED;
	struct buffer out = buffer_make(NULL);
	struct case_store *store;
	int code = wanted != NULL ? history_word(wanted, &id) : CLI_FINE;
	if (code != CLI_FINE)
		return code;
	if (rows != NULL && !cli_number(rows, 1, LISTED_MOST, &count))
		return cli_fail(CLI_USER, "--count %s: a number from 1 to %d", rows, LISTED_MOST);
	code = history_open(arguments, &store, path);
	if (code != CLI_FINE)
		return code;
	bool json = cli_flag(arguments, "json");
	int r = wanted != NULL ? show(store, id, json, &out) : list(store, count, json, &out);
	case_store_close(store);
	if (r == CASE_STORE_NONE)
		code = history_none(wanted);
	else if (r != 0)
		code = history_fail(path, r);
	else
		code = (json ? cli_print_json : cli_print)(&out, CLI_FINE);
	buffer_free(&out);
	return code;
}

static const struct cli_option options[] = {
	HISTORY_PLACE_OPTIONS,
	{"count", 'n', "ROWS", "so many, the latest first (default: 20)"},
	{"json", 0, NULL, "JSON: an array, or an object with all that is kept of the one"},
};

const struct command incidents_command = {
	.name = "incidents",
	.summary = "lists what happened, or tells one incident from onset to its end",
	.examples = "guia incidents\n"
		    "guia incidents 3\n"
		    "guia incidents --json | jq '.[] | select(.phase != \"over\")'\n",
	.synopsis = "[INCIDENT|latest] [--run-dir DIR | -c FILE | --history FILE] [-n ROWS] [--json]",
	.description =
		"A flood begins with the first site that is under attack and takes in every other that is while it "
		"lasts; an\n"
		"intrusion is one for each group of addresses whose requests are of one doing as far as can be seen, "
		"and a scan,\n"
		"an injection, a leak or a shell by the gravest that they came to. What comes back within an hour is "
		"the same one.\n"
		"Phases are onset, rising, held, subsiding and over. The watch writes it down each second, in an "
		"SQLite database\n"
		"beside the bans, and keeps it for years.\n"
		"\n"
		"Told INCIDENT, its number: when it was detected, held and restored, counted from the onset; each "
		"site with\n"
		"what became of its requests; the timeline of what Guia did and what people ordered (of one of more "
		"than 400\n"
		"lines the first and the last 200); and the networks,\n"
		"countries, paths and agents that came most often during it, visitors' among them. Visitors' "
		"success is an\n"
		"estimate: requests that nothing refused, and how many of them were answered in time. Times are "
		"UTC.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 0,
	.words_max = 1,
	.run = run,
};
