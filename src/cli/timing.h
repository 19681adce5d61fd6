/*
 * Where the time of an inspection goes: requests are run again and again by a worker as the gate has it, and what the
 * engine counted is told per stage and per rule. What a first run cost, with nothing remembered, is told apart.
 */
#ifndef GUIA_CLI_TIMING_H
#define GUIA_CLI_TIMING_H

#include "cli/engine.h"
#include "ftw/exchange.h"

struct timing {
	const struct engine *engine;
	const struct request *requests;
	size_t request_count;
	const struct ftw_answer *answer; /* the origin's, to all; NULL: an empty 200 */
	bool all;                        /* every rule, not only the dearest */
	bool json;
};

/* Runs and tells on stdout. CLI_FINE, or an exit code. */
int timing_tell(const struct timing *timing);

/* `guia check --timing REQUESTS`: raw requests in files; "-" reads names of files from stdin. */
int timing_check(const struct engine *engine, const struct cli_arguments *arguments);

#define TIMING_OPTIONS                                                                                                 \
	{"timing", 't', NULL, "where the time goes: per stage and per rule"},                                          \
	{                                                                                                              \
		"all", 'a', NULL, "with --timing: every rule, not the twenty dearest only"                             \
	}

#endif
