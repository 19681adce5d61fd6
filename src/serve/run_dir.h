/*
 * The private folder of a run: 0700, ours, no link, locked by one guia at a time. Configuration, pid and logs lie in
 * it; copies and temporary files, which nginx's workers write, in a folder of their own: within it, or beside it and
 * owned by the workers' user when root starts nginx, so that a worker can change nothing that root reads. So is the
 * folder of bans, which is the watch's, and which workers may read.
 */
#ifndef GUIA_SERVE_RUN_DIR_H
#define GUIA_SERVE_RUN_DIR_H

#include "serve/events_dir.h"

#include <limits.h>
#include <pwd.h>
#include <stdbool.h>

struct run_dir {
	char path[PATH_MAX - 64];
	char workers[PATH_MAX - 32];
	char user[64]; /* of the workers; "" if not root */
	struct events_dir events;
	uint64_t events_bytes;    /* that are needed there */
	int events_error;         /* why there is none; 0 if there is */
	int key_error;            /* of events_key_lay() */
	char bans[PATH_MAX - 32]; /* what the watch publishes for the workers; "": none */
	int bans_error;           /* why not */
	bool made;                /* a fresh folder of ours */
	int lock;
};

/* `wanted` is NULL for a fresh folder; `events_bytes` of events_room_needed_bytes(). 0; -EBUSY: another guia runs
   there; -EPERM: not ours or not private; -EACCES: the workers' user may not pass through a folder above it; -errno. */
int run_dir_open(const char *wanted, uint64_t events_bytes, struct run_dir *ret_dir);
void run_dir_close(struct run_dir *dir);

/* For a reload: the folders of events and of bans are made again, should somebody have removed them. */
void run_dir_mend(struct run_dir *dir);

/* What run_dir_open() would say for this user, but for -EBUSY and a full disk; nothing is made. */
int run_dir_check(const char *wanted);

/* Where events would be told; nothing is made. 0 or -ENAMETOOLONG. */
int run_dir_events_place(const char *wanted, uint64_t events_bytes, struct events_dir *ret_dir);

/* The name that fresh folders have; of six bytes that tell them apart `last` is written. */
void run_dir_fresh(char path[PATH_MAX], const char *last);

/* Whom the watch becomes: a user of its own where there is one, or the workers'. NULL: nobody else. */
const char *run_dir_watch_user(const struct run_dir *dir);
/* The same of a `guia serve` that root starts, as long as it tells events; NULL: we are not root. As of getpwnam(). */
const struct passwd *run_dir_usual_watch_user(void);

#endif
