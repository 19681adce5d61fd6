/* What is in force now, of Guia's and of people's, each with a button that undoes it. */
#ifndef GUIA_SCREEN_IN_FORCE_H
#define GUIA_SCREEN_IN_FORCE_H

#include "screen/page.h"

void in_force_add(const struct page *page);

/* The page that shows nothing else, whether an incident is on or not. */
extern const struct page_part in_force_parts[];
extern const size_t in_force_part_count;

#endif
