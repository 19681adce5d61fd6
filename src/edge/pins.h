/* The folder of pins, and the file system that it must lie in. */
#ifndef GUIA_EDGE_PINS_H
#define GUIA_EDGE_PINS_H

#include "base/buffer.h"

enum { PIN_PATH_BYTES = 4096 };

/*
 * Makes `directory` to pin things in. Where its parent is no BPF file system one is mounted there. 0, -EEXIST, -errno.
 */
int pins_make(const char *directory);

/* Removes all that is pinned there and the folder; takes down the file system if pins_make() mounted it and it is
 * empty. */
int pins_remove(const char *directory);

/* "directory/name" to `path`; false when that is too long. */
bool pin_path(const char *directory, const char *name, char path[PIN_PATH_BYTES]);

#endif
