/*
 * The watch beside the gate: a process of this program's own, `guia watch`, started with what the configuration says
 * and started again when it ends; after ever longer pauses where it ends at once. The gate serves on whatever becomes
 * of it.
 */
#ifndef GUIA_SERVE_WATCHER_H
#define GUIA_SERVE_WATCHER_H

#include "serve/prepare.h"
#include "serve/notice.h"
#include "serve/run_dir.h"

#include <stdint.h>
#include <sys/types.h>

struct watcher {
	pid_t pid;        /* 0: none is running */
	int64_t start_ms; /* when it was last started, or is to be; CLOCK_MONOTONIC */
	int64_t pause_ms; /* the last one */
};

/* Starts it if it is time to. Without a folder for events there is none. */
void watcher_tend(struct watcher *watcher, const struct serve_config *config, const struct serve_parts *parts,
		  const struct run_dir *dir, const struct notice *notice);

/* It ended; `status` is of waitpid. */
void watcher_ended(struct watcher *watcher, int status, const struct notice *notice);

/* For a new configuration: it ends, and is started again soon. */
void watcher_renew(struct watcher *watcher);

/* How long until watcher_tend has something to do, at most `most_ms`. */
long watcher_wait_ms(const struct watcher *watcher, const struct serve_config *config, const struct run_dir *dir,
		     long most_ms);

#endif
