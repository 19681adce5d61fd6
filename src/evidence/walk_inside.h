/* What a walk's files share: only walk.c and walk_records.c see it. */
#ifndef GUIA_EVIDENCE_WALK_INSIDE_H
#define GUIA_EVIDENCE_WALK_INSIDE_H

#include "evidence/walk.h"

/* The first finding counts. */
__attribute__((format(printf, 4, 5))) void walk_find(struct walk *walk, enum finding finding, uint64_t record,
						     const char *format, ...);

/* The next record, whose hash is right. */
void walk_look_at(struct walk *walk, struct slice record);

#endif
