/* guia evidence hold, release, rotate and key: each is an exit code after a message. */
#ifndef GUIA_CLI_EVIDENCE_KEEP_H
#define GUIA_CLI_EVIDENCE_KEEP_H

#include "cli/command.h"

int evidence_hold(const struct cli_arguments *arguments);
int evidence_release(const struct cli_arguments *arguments);
int evidence_rotate(const struct cli_arguments *arguments);
int evidence_key(const struct cli_arguments *arguments);

#endif
