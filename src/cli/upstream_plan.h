/* `guia upstream plan` without a destination, and how outcomes are shown. */
#ifndef GUIA_CLI_UPSTREAM_PLAN_H
#define GUIA_CLI_UPSTREAM_PLAN_H

#include "cli/command.h"

#include <jansson.h>

/* What the watch would ask if the link were full, and what the guard says of each. An exit code. */
int upstream_plan_run(const struct cli_arguments *arguments);

/* The keeper's answer to try and ask, a line an operator. CLI_FINE, or CLI_FINDINGS where one refuses. */
int upstream_add_outcomes(const json_t *answer, bool dry, struct buffer *out);

#endif
