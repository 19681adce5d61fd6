/* Finding the history of incidents: the options that `incidents` and `report` share. */
#ifndef GUIA_CLI_HISTORY_PLACE_H
#define GUIA_CLI_HISTORY_PLACE_H

#include "casebook/store.h"
#include "cli/watch_place.h"

#define HISTORY_PLACE_OPTIONS                                                                                          \
	WATCH_PLACE_OPTIONS,                                                                                           \
	{                                                                                                              \
		"history", 0, "FILE", "a history that lies elsewhere, or of a watch that does not run"                 \
	}

/* For reading; `path` is where. CLI_FINE, or an exit code after a message. */
int history_open(const struct cli_arguments *arguments, struct case_store **ret_store, char path[PATH_MAX]);

/* Says what a store answered; an exit code. */
int history_fail(const char *path, int r);

/* Which incident a word names: its number, or 0 for "latest". CLI_FINE, or an exit code after a message. */
int history_word(const char *word, uint64_t *ret_id);

/* The one of that number, or the latest. Of case_store_read. */
int history_read(struct case_store *store, uint64_t id, struct case_record *ret_record);

/* Says that there is none that the word names; an exit code. */
int history_none(const char *word);

#endif
