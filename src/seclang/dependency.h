/*
 * What a unit was made from besides its own text: files it read, and what its patterns of paths matched. A unit in the
 * pool is used again only while all of it is as it was.
 */
#ifndef GUIA_SECLANG_DEPENDENCY_H
#define GUIA_SECLANG_DEPENDENCY_H

#include "base/arena.h"

#include <glob.h>

/* The most that a file of rules, or one that they name, may hold: more is a mistake. */
enum { DEPENDENCY_FILE_BYTES = 64 * 1024 * 1024 };

struct dependency {
	struct dependency *next;
	const char *path;
	bool is_pattern; /* of glob(3) */
	uint8_t sha256[32];
};

/* Newest first; memory is the arena's. */
struct dependencies {
	struct dependency *first;
};

/* 0 or -ENOMEM. */
int dependencies_add_file(struct dependencies *list, struct arena *arena, const char *path, struct slice content);
int dependencies_add_pattern(struct dependencies *list, struct arena *arena, const char *pattern, const glob_t *found);

/* Reads all of it again. False also where something cannot be read. */
bool dependencies_unchanged(const struct dependencies *list);

#endif
