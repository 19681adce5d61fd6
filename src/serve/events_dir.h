/*
 * The folder in which the gate tells the watch of requests (docs/events.md): in memory where there is room, since
 * workers touch it with every request; else in the run directory. It belongs to the workers' user; the group `guia` may
 * read, if there is one, so that the watch can be somebody else.
 */
#ifndef GUIA_SERVE_EVENTS_DIR_H
#define GUIA_SERVE_EVENTS_DIR_H

#include <limits.h>
#include <pwd.h>
#include <stdbool.h>

struct events_dir {
	char path[PATH_MAX - 32]; /* "": none */
	const char *group;        /* that may read; NULL: none */
	bool apart;               /* not in the run directory: removed at the end */
	int lock;                 /* of one that is apart: whose lock is free belongs to nobody any more */
};

/* `user` is the workers', NULL where they are us. 0 or -errno. */
int events_dir_open(const char *run_dir, const struct passwd *user, struct events_dir *ret_dir);
void events_dir_close(struct events_dir *dir, const struct passwd *user);

/* Removes a folder as the user whose it is (NULL: us): root does not follow paths that somebody else may change. */
void events_dir_remove(const char *path, const struct passwd *user);

#endif
