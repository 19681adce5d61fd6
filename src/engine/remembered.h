/*
 * Which candidates short values made, remembered by their exact bytes: browsers send the same headers, cookies and
 * names again and again. A table of fixed size per worker; values seen again stay, and a flood of new ones goes through
 * the places in between.
 */
#ifndef GUIA_ENGINE_REMEMBERED_H
#define GUIA_ENGINE_REMEMBERED_H

#include "base/hash.h"

enum {
	REMEMBERED_STEPS = 6,   /* of a value with more nothing is kept */
	REMEMBERED_BYTES = 480, /* nor of a longer value */
};

struct remembered_entry {
	uint32_t set; /* under which number; 0: empty */
	uint16_t len;
	uint8_t step_count;
	uint8_t seen_again;
	uint16_t steps[REMEMBERED_STEPS];
	uint8_t bytes[];
};

struct remembered;

/* 0 or -ENOMEM. */
int remembered_create(struct remembered **ret_remembered);
void remembered_free(struct remembered *remembered);

/* A number under which values are remembered that no other part of the process uses. */
uint32_t remembered_new_key(void);

/* NULL if the value is not known. */
const struct remembered_entry *remembered_find(struct remembered *remembered, uint32_t set, struct slice value,
					       uint64_t *ret_hash);

/* Keeps a value that was not found; `hash` as told then. */
void remembered_add(struct remembered *remembered, uint32_t set, struct slice value, uint64_t hash,
		    const uint16_t *steps, size_t step_count);

#endif
