/*
 * The file is the one that was named, else the watch is asked for its path. What is said of a history that cannot be
 * read is said here, for all commands alike.
 */
#include "cli/history_place.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the watch keeps it, as it says. */
static int ask_path(const struct cli_arguments *arguments, char path[PATH_MAX])
{
	struct buffer text;
	json_t *answer;
	int code = watch_place_ask(arguments, "history", &text, &answer);
	if (code != CLI_FINE) {
		fprintf(stderr, "guia: where no watch runs, name the file: --history FILE\n");
		return code;
	}
	snprintf(path, PATH_MAX, "%s", answer_string(answer, "path"));
	json_decref(answer);
	buffer_free(&text);
	return path[0] != '\0' ? CLI_FINE
			       : cli_fail(CLI_ENVIRONMENT, "this watch keeps nothing: it was started without --bans");
}

int history_fail(const char *path, int r)
{
	switch (r) {
	case CASE_STORE_NEWER:
		return cli_fail(CLI_ENVIRONMENT, "%s: a later version of Guia wrote it", path);
	case CASE_STORE_DAMAGED:
		return cli_fail(CLI_ENVIRONMENT, "%s: it is damaged, or no history of Guia's", path);
	case CASE_STORE_NONE:
		return cli_fail(CLI_ENVIRONMENT, "%s: there is none", path);
	default:
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(-r));
	}
}

int history_word(const char *word, uint64_t *ret_id)
{
	*ret_id = 0;
	if (strcmp(word, "latest") == 0 || cli_number(word, 1, INT64_MAX, ret_id))
		return CLI_FINE;
	return cli_fail(CLI_USER, "%s: incidents have numbers, or it is `latest`: `guia incidents` lists them", word);
}

int history_read(struct case_store *store, uint64_t id, struct case_record *ret_record)
{
	return id == 0 ? case_store_latest(store, ret_record) : case_store_read(store, id, ret_record);
}

int history_none(const char *word)
{
	if (strcmp(word, "latest") == 0)
		return cli_fail(CLI_USER, "no incident is on record");
	return cli_fail(CLI_USER, "there is no incident %s: `guia incidents` lists them", word);
}

int history_open(const struct cli_arguments *arguments, struct case_store **ret_store, char path[PATH_MAX])
{
	const char *file = cli_value(arguments, "history");
	snprintf(path, PATH_MAX, "%s", file != NULL ? file : "");
	int code = file != NULL ? CLI_FINE : ask_path(arguments, path);
	if (code != CLI_FINE)
		return code;
	int r = case_store_look(path, ret_store);
	return r == 0 ? CLI_FINE : history_fail(path, r);
}
