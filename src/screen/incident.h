/* The list of incidents, and the page of one: who is affected, what holds it, what was done, and how to undo it. */
#ifndef GUIA_SCREEN_INCIDENT_H
#define GUIA_SCREEN_INCIDENT_H

#include "screen/page.h"

/* Of a page that has a record. */
extern const struct page_part incident_parts[];
extern const size_t incident_part_count;

extern const struct page_part incident_list_parts[];
extern const size_t incident_list_part_count;

#endif
