/* The first page: how the sites are, what comes, and what of it is unusual. */
#ifndef GUIA_SCREEN_OVERVIEW_H
#define GUIA_SCREEN_OVERVIEW_H

#include "screen/page.h"

extern const struct page_part overview_parts[];
extern const size_t overview_part_count;

#endif
