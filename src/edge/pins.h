/*
 * The folder of pins, and the file system that it must lie in. A folder is made beside its place and appears there by
 * rename, and goes by rename before it is taken apart: whenever a process is killed, it is there whole or not at all.
 */
#ifndef GUIA_EDGE_PINS_H
#define GUIA_EDGE_PINS_H

#include <stdbool.h>

enum { PIN_PATH_BYTES = 4096 };

struct pins {
	char directory[PIN_PATH_BYTES];  /* where the pins are to be */
	char unfinished[PIN_PATH_BYTES]; /* where they are made and taken apart */
	char parent[PIN_PATH_BYTES];     /* of both, in a BPF file system */
	int lock;                        /* on the parent: one process at a time changes what is in there */
};

/*
 * Waits for the lock. Where the parent is no BPF file system one is mounted there if `make`, on a folder that is made
 * if there is none. 0; -ENOENT: there is none; -errno.
 */
int pins_lock(const char *directory, bool make, struct pins *ret_pins);
/* Takes down the file system, and the folder, if pins_lock(), of whichever process, mounted it and it is empty. */
void pins_unlock(struct pins *pins);

/* An empty folder of that is not there yet; what a killed process left of one is removed. 0 or -errno. */
int pins_stage(const struct pins *pins);
/* Puts it in its place. 0 or -errno. */
int pins_publish(const struct pins *pins);
/* Removes both, with all that is pinned in them. 0 or -errno. */
int pins_remove(const struct pins *pins);

/* "directory/name" to `path`; false when that is too long. */
bool pin_path(const char *directory, const char *name, char path[PIN_PATH_BYTES]);

#endif
