/*
 * Requests in a short form, one a line:
 *
 *   SETUP METHOD URI [~ COOKIES] [< BODY] [> ANSWER]
 *
 * SETUP is "name=number,..." for the rules of setup.conf, or "-"; a body is a form, an answer is HTML with status 200;
 * \\n, \\r and \\\\ are escapes of both. Empty lines and those that begin with # are passed over.
 */
#ifndef PARITY_VISITS_H
#define PARITY_VISITS_H

#include "base/arena.h"
#include "sample.h"

typedef int visit_sink(void *context, const char *name, const struct sample *sample);

/* Calls `sink` for each line; names are "FILE:LINE". Everything lies in the arena. 0, a negative error, or sink's. */
int visits_read(const char *path, struct arena *arena, visit_sink *sink, void *context);

#endif
