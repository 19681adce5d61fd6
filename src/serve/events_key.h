/*
 * The key of the events' hashes over restarts: it is kept in the run directory, ours alone, and laid into the folder of
 * events before a worker comes, who would else make one. What the watch has learned is under that key and lies in the
 * folder of bans: neither says anything without the other.
 */
#ifndef GUIA_SERVE_EVENTS_KEY_H
#define GUIA_SERVE_EVENTS_KEY_H

#include <pwd.h>

enum { EVENTS_KEY_REPLACED = 1 /* what was kept is no key, and a new one stands in its place */ };

/* `user` is the workers', NULL where they are us. 0, EVENTS_KEY_REPLACED or -errno: a worker makes a key then. */
int events_key_lay(const char *run_dir, const char *events_dir, const struct passwd *user);

#endif
