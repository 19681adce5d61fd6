/* How an incident went, as two plots over time: requests by what became of them, and how visitors fared. */
#ifndef GUIA_REPORT_COURSE_H
#define GUIA_REPORT_COURSE_H

#include "casebook/store.h"
#include "report/phrases.h"

/* Says that it is not yet known where there is nothing to be plotted. 0, or what the store answers. */
int report_course_add(struct case_store *store, const struct case_record *record, enum language language,
		      struct buffer *out);

#endif
