/*
 * guia serve: prepares, starts nginx, and stays with it. HUP takes a new configuration, or keeps the old one and says
 * why; USR1 reopens the logs; TERM and INT end gracefully, a second one at once.
 */
#ifndef GUIA_SERVE_SUPERVISE_H
#define GUIA_SERVE_SUPERVISE_H

#include "serve/prepare.h"

/* Until the end. Returns an exit code. */
int serve_run(const struct serve_options *options);

/* All of it but serving; nothing is left behind. */
int serve_check(const struct serve_options *options);

#endif
