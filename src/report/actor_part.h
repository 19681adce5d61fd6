/* The part of an intrusion's report that says what was grouped together, and by which rules it was found. */
#ifndef GUIA_REPORT_ACTOR_PART_H
#define GUIA_REPORT_ACTOR_PART_H

#include "report/writer.h"

/* 0, or what the store answers. */
int actor_part_add(const struct writer *w);

#endif
