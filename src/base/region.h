/*
 * Memory for one large thing of which parts may be given back: an anonymous mapping. Pages cost nothing until they are
 * written, and what is given back reads as zeros. Not thread-safe.
 */
#ifndef GUIA_BASE_REGION_H
#define GUIA_BASE_REGION_H

#include "base/slice.h"

struct region {
	uint8_t *ptr; /* NULL: none */
	size_t len;
};

/* 0 or -ENOMEM; `bytes` must not be 0. */
int region_map(size_t bytes, struct region *ret_region) __attribute__((warn_unused_result));

/* The same at the beginning of a large page, and of such pages where the system has them. */
int region_map_large(size_t bytes, struct region *ret_region) __attribute__((warn_unused_result));

/* Gives back the pages that lie wholly inside `part`, which must lie inside the region. */
void region_give_back(const struct region *region, struct slice part);

/* One that is none is allowed; it is none afterwards. */
void region_unmap(struct region *region);

#endif
