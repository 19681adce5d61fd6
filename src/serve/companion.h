/*
 * What runs beside the gate: a process of this program's own, started with what the configuration says and started
 * again when it ends; after ever longer pauses where it ends at once. The gate serves on whatever becomes of it.
 *
 * One that hangs is killed, and so started again. It tells that it lives as often as we look, and hangs where nothing
 * came at COMPANION_SILENT_LOOKS in a row: soon enough for the next watch to go on with what the gate was lent
 * (mitigate/rule_register.h). It is given COMPANION_PATIENT_LOOKS in its first turn, for it reads what nobody read
 * meanwhile, and once it was asked to end, for it writes what is left; and all the time until it says that it is ready.
 * A look that comes late does not count: the machine stood still, or we did.
 */
#ifndef GUIA_SERVE_COMPANION_H
#define GUIA_SERVE_COMPANION_H

#include "serve/notice.h"
#include "serve/prepare.h"
#include "serve/run_dir.h"

#include <stdint.h>
#include <sys/types.h>

enum {
	COMPANION_LOOK_MS = 2000,
	COMPANION_LATE_MS = 1000,
	COMPANION_SILENT_LOOKS = 6,
	COMPANION_PATIENT_LOOKS = 30,
};

struct companion_kind {
	const char *name;
	/* In the run directory, by which it is reached; NULL: none. One who may not make it again is started anew where
	 * somebody removed it. */
	const char *socket;
	bool (*is_wanted)(const struct serve_config *config, const struct run_dir *dir);
	/* By process_start_telling, within COMPANION_LOOK_MS. 0 or -errno. */
	int (*start)(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		     pid_t *ret_pid, int *ret_words);
};

extern const struct companion_kind companion_watch;
extern const struct companion_kind companion_screen;

struct companion {
	const struct companion_kind *kind;
	pid_t pid;        /* 0: none is running */
	int64_t start_ms; /* when it was last started, or is to be; CLOCK_MONOTONIC */
	int64_t pause_ms; /* the last one; -1: it was asked to end */
	/* Of the one that is running: */
	int words;       /* where it tells */
	int64_t look_ms; /* when it is to be looked at */
	unsigned heard;  /* words so far: the first says that it is ready, the second that it made a turn */
	unsigned silent; /* looks since the last */
};

/* Starts it if it is time to, and it is wanted; ends one that cannot be reached or hangs, to be started again. */
void companion_tend(struct companion *companion, const struct serve_config *config, const struct serve_parts *parts,
		    const struct run_dir *dir, const struct notice *notice);

/* Of one that is running: hears what it told, if it is time to, and kills it if it hangs. Whether it was killed. */
bool companion_look(struct companion *companion, int64_t now_ms, const struct notice *notice);

/* It ended; `status` is of waitpid. */
void companion_ended(struct companion *companion, int status, const struct notice *notice);

/* For a new configuration: it ends, and is started again soon; at once where it pauses. */
void companion_renew(struct companion *companion);

/* How long until companion_tend has something to do, at most `most_ms`. */
long companion_wait_ms(const struct companion *companion, const struct serve_config *config, const struct run_dir *dir,
		       long most_ms);

#endif
