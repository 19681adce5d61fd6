/* The part of an intrusion's report that says what was grouped together, and by which rules it was found. */
#ifndef GUIA_REPORT_ACTOR_PART_H
#define GUIA_REPORT_ACTOR_PART_H

#include "report/writer.h"

/* What was counted of it, as a table; and that it was grouped, which is no person. 0, or what the store answers. */
int actor_facts_add(const struct writer *w);

/* Those under a heading, and the rules. 0, or what the store answers. */
int actor_part_add(const struct writer *w);

#endif
