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
#include <stdint.h>

struct events_dir {
	char path[PATH_MAX - 32]; /* "": none */
	const char *group;        /* that may read; NULL: none */
	bool apart;               /* not in the run directory: removed at the end */
	bool memory_short;        /* it is not, for memory has too little room */
	int lock;                 /* of one that is apart: whose lock is free belongs to nobody any more */
};

/* `user` is the workers', NULL where they are us; `needed_bytes` of events_room_needed_bytes(). 0 or -errno. */
int events_dir_open(const char *run_dir, const struct passwd *user, uint64_t needed_bytes, struct events_dir *ret_dir);
/* Where it would be opened, without a name of its own if apart; nothing is made. 0 or -ENAMETOOLONG. */
int events_dir_place(const char *run_dir, const struct passwd *user, uint64_t needed_bytes, struct events_dir *ret_dir);
/* What gates have in memory that run now. */
uint64_t events_dir_held_bytes(void);

void events_dir_close(struct events_dir *dir, const struct passwd *user);

/* Removes a folder as the user whose it is (NULL: us): root does not follow paths that somebody else may change. */
void events_dir_remove(const char *path, const struct passwd *user);

#endif
