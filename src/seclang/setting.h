/* Directives that set something: one row each, from text to a place in struct settings. */
#ifndef GUIA_SECLANG_SETTING_H
#define GUIA_SECLANG_SETTING_H

#include "seclang/compiler.h"

struct setting_row;

/* A directive that was read, to be applied to the settings of every rule set that holds it. */
struct setting {
	const struct setting_row *row;
	uint64_t number;
	struct slice text;
	struct slice *list;
	size_t list_count;
	const void *pointer; /* a regex, a map */
};

/* NULL if there is no such directive. */
const struct setting_row *setting_find(struct slice name);
const char *setting_name_at(size_t index); /* NULL past the end */

/* Reads the statement's arguments; 0 also for directives that are accepted and have no effect (*ret_setting.row is
 * NULL then, and a warning may have been told). */
int setting_parse(struct compiler *compiler, const struct setting_row *row, const struct statement *statement,
		  struct setting *ret_setting);

/* Applies a list in order, later ones over earlier; lists of names are joined in `arena`. 0 or -ENOMEM. */
int settings_apply(struct settings *settings, const struct setting *list, size_t count, struct arena *arena);

/* ModSecurity's defaults, where nothing is said. */
void settings_default(struct settings *settings);

#endif
