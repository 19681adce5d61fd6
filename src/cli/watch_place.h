/* Finding the watch: the options that `top` and `status` share. */
#ifndef GUIA_CLI_WATCH_PLACE_H
#define GUIA_CLI_WATCH_PLACE_H

#include "cli/command.h"

#include <jansson.h>
#include <limits.h>

#define WATCH_PLACE_OPTIONS                                                                                            \
	{"run-dir", 0, "DIR", "the run directory of `guia serve` or `guia watch` (default: the only one there is)"},   \
	{                                                                                                              \
		"config", 'c', "FILE", "the configuration that names it"                                               \
	}

/* The run directory that a configuration names; "" where it names none. CLI_FINE, or an exit code after a message. */
int watch_place_of_config(const char *file, char path[PATH_MAX]);

/* Asks the watch that the arguments mean. CLI_FINE, or an exit code after a message; free the JSON with json_decref. */
int watch_place_ask(const struct cli_arguments *arguments, const char *question, struct buffer *ret_text,
		    json_t **ret_json);

/* The same of the screen beside it. */
int watch_place_ask_screen(const struct cli_arguments *arguments, const char *question, struct buffer *ret_text,
			   json_t **ret_json);

/*
 * Asks, and prints what is answered: as `add` puts it, or the line of JSON with --json. What the watch finds wrong is
 * said of the first word.
 */
int watch_place_say(const struct cli_arguments *arguments, void (*add)(const json_t *answer, struct buffer *out),
		    const char *question);

/* Who ordered what a record tells of. */
void watch_place_add_user(const json_t *record, struct buffer *out);

/* A line of what an edge does with packets, if the answer tells of one. */
void watch_place_add_edge(const json_t *answer, struct buffer *out);

/* Of an answer's object: "" and 0 where there is no such thing. */
static inline const char *answer_string(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value != NULL ? value : "";
}

static inline double answer_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

#endif
