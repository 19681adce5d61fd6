/*
 * What runs beside the gate: a process of this program's own, started with what the configuration says and started
 * again when it ends; after ever longer pauses where it ends at once. The gate serves on whatever becomes of it.
 */
#ifndef GUIA_SERVE_COMPANION_H
#define GUIA_SERVE_COMPANION_H

#include "serve/notice.h"
#include "serve/prepare.h"
#include "serve/run_dir.h"

#include <stdint.h>
#include <sys/types.h>

struct companion_kind {
	const char *name;
	/* In the run directory, by which it is reached; NULL: none. One who may not make it again is started anew where
	 * somebody removed it. */
	const char *socket;
	bool (*is_wanted)(const struct serve_config *config, const struct run_dir *dir);
	/* 0 or -errno. */
	int (*start)(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		     pid_t *ret_pid);
};

extern const struct companion_kind companion_watch;
extern const struct companion_kind companion_screen;

struct companion {
	const struct companion_kind *kind;
	pid_t pid;        /* 0: none is running */
	int64_t start_ms; /* when it was last started, or is to be; CLOCK_MONOTONIC */
	int64_t pause_ms; /* the last one */
};

/* Starts it if it is time to, and it is wanted; ends one that cannot be reached, to be started again. */
void companion_tend(struct companion *companion, const struct serve_config *config, const struct serve_parts *parts,
		    const struct run_dir *dir, const struct notice *notice);

/* It ended; `status` is of waitpid. */
void companion_ended(struct companion *companion, int status, const struct notice *notice);

/* For a new configuration: it ends, and is started again soon. */
void companion_renew(struct companion *companion);

/* How long until companion_tend has something to do, at most `most_ms`. */
long companion_wait_ms(const struct companion *companion, const struct serve_config *config, const struct run_dir *dir,
		       long most_ms);

#endif
