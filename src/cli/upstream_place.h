/* Where the keeper is, and the operators of the configuration. */
#ifndef GUIA_CLI_UPSTREAM_PLACE_H
#define GUIA_CLI_UPSTREAM_PLACE_H

#include "base/arena.h"
#include "cli/command.h"
#include "serve/operators.h"

#include <jansson.h>
#include <limits.h>

#define UPSTREAM_PLACE_OPTIONS                                                                                         \
	{"upstream-dir", 0, "DIR", "the keeper's directory (default: the configuration's, or /run/guia-upstream)"},    \
	{                                                                                                              \
		"config", 'c', "FILE", "the configuration"                                                             \
	}

struct upstream_place {
	char folder[PATH_MAX - 64];
	struct operator_list operators;
	struct arena arena;
};

/* Folder and operators of the configuration that must be named. The same. */
int upstream_place_load(const struct cli_arguments *arguments, struct upstream_place *ret_place);
void upstream_place_free(struct upstream_place *place);

/* Asks the keeper; what is only tried, where there is none, the configuration. CLI_FINE with both set (free them), or
 * an exit code after a message. */
int upstream_place_ask(const struct cli_arguments *arguments, const char *question, struct buffer *ret_text,
		       json_t **ret_json);

/* `guia upstream configure`. */
int upstream_place_configure(const struct cli_arguments *arguments);

#endif
