/*
 * What is remembered of long values, such as a page that is asked for again and again: as remembered.h does, of which
 * this is a part. Bytes are kept when a value comes for the second time, so that a flood of new ones costs no copies.
 * All memory is address space until then: 10 MB a worker at the most.
 */
#ifndef GUIA_ENGINE_REMEMBERED_LONG_H
#define GUIA_ENGINE_REMEMBERED_LONG_H

#include "engine/remembered.h"

enum { REMEMBERED_LONG_BYTES = 256 * 1024 };

struct remembered_long;

/* 0 or -ENOMEM. */
int remembered_long_create(struct remembered_long **ret_values);
void remembered_long_free(struct remembered_long *values); /* NULL is allowed */

/* NULL if it is not known. */
const struct remembered_answer *remembered_long_find(struct remembered_long *values, uint32_t number,
						     struct slice value);

/* Keeps what was not found, or that it came. */
void remembered_long_add(struct remembered_long *values, uint32_t number, struct slice value,
			 const struct remembered_answer *answer);

#endif
