/*
 * Requests of rule tests, read as nginx reads them, each with the answer its origin gives; and those of *.visits.
 */
#ifndef PARITY_CORPUS_H
#define PARITY_CORPUS_H

#include "base/arena.h"
#include "sample.h"

struct corpus {
	struct arena arena;
	struct sample *items;
	const char **names; /* "942100-7", or the file's name */
	size_t count;
	size_t capacity;
};

void corpus_init(struct corpus *corpus);
void corpus_destroy(struct corpus *corpus);

/* Adds every stage of the *.yaml and every line of the *.visits below a folder, by name. 0 or a negative error; an
 * absent folder is -ENOENT. */
int corpus_load(struct corpus *corpus, const char *folder);

#endif
