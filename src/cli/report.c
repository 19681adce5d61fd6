/* guia report: one incident as a document for people. */
#include "report/report.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/history_place.h"
#include "cli/watch_place.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_MODE = 0640 };

static int make(struct case_store *store, uint64_t id, enum language language, struct buffer *out)
{
	struct case_record *record = malloc(sizeof(*record));
	int r = record == NULL ? -ENOMEM : history_read(store, id, record);
	r = r != 0 ? r : report_add(store, record, language, clock_now_ms(), out);
	free(record);
	return r;
}

static int put(const char *file, const struct buffer *text)
{
	if (file == NULL)
		return cli_print(text, CLI_FINE);
	int r = text->error != 0 ? text->error : file_replace(file, buffer_slice(text), FILE_MODE);
	return r == 0 ? CLI_FINE : cli_fail(CLI_ENVIRONMENT, "%s: %s", file, strerror(-r));
}

static int run(const struct cli_arguments *arguments)
{
	char path[PATH_MAX];
	uint64_t id = 0;
	const char *wanted = arguments->words[0], *tag = cli_value(arguments, "lang");
	enum language language = tag != NULL ? language_find(tag) : LANGUAGE_ENGLISH;
	struct buffer out = buffer_make(NULL);
	struct case_store *store;
	if (language == LANGUAGES)
		return cli_fail(CLI_USER, "--lang %s: zh-Hant, pt or en", tag);
	int code = history_word(wanted, &id);
	code = code != CLI_FINE ? code : history_open(arguments, &store, path);
	if (code != CLI_FINE)
		return code;
	int r = make(store, id, language, &out);
	case_store_close(store);
	if (r == CASE_STORE_NONE)
		code = history_none(wanted);
	else if (r != 0)
		code = history_fail(path, r);
	else
		code = put(cli_value(arguments, "output"), &out);
	buffer_free(&out);
	return code;
}

static const struct cli_option options[] = {
	HISTORY_PLACE_OPTIONS,
	{"lang", 0, "LANGUAGE", "zh-Hant, pt or en (default: en)"},
	{"output", 'o', "FILE", "where to (default: standard output); it appears whole or not at all"},
};

const struct command report_command = {
	.name = "report",
	.summary = "writes the report of an incident, ready while it runs",
	.examples = "guia report 3 -o report.html\n"
		    "guia report latest --lang pt -o relatorio.html\n"
		    "guia report 3 --lang zh-Hant | less\n",
	.synopsis = "INCIDENT|latest [--lang zh-Hant|pt|en] [-o FILE] [--run-dir DIR | -c FILE | --history FILE]",
	.description =
		"One HTML document that needs nothing else, for a screen or A4: summary, course with plots, sites, "
		"effect on\n"
		"visitors, what the refused requests had in common, networks, operators and countries with whose "
		"data says so\n"
		"and how sure that is, what was done and by whom, what is not known, and how the figures were made. "
		"Each part\n"
		"is filled, or says that it is not yet known. It speaks of addresses, never of who used them.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
