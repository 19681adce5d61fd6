/* What `guia evidence` does by itself file: each is an exit code after a message. */
#ifndef GUIA_CLI_EVIDENCE_EXPORT_H
#define GUIA_CLI_EVIDENCE_EXPORT_H

#include "cli/command.h"

/* Of the incident that its word names: a number or "latest". */
int evidence_export(const struct cli_arguments *arguments);

/* Makes the key of messages, and its certificate. */
int evidence_export_key(const struct cli_arguments *arguments);

#endif
