/* How an incident went, as two plots over time: requests by what became of them, and how visitors fared. */
#ifndef GUIA_REPORT_COURSE_H
#define GUIA_REPORT_COURSE_H

#include "casebook/store.h"
#include "report/phrases.h"

struct plot_tools;

/* With `tools` (plot.h), or NULL for paper. Says that it is not yet known where there is nothing to be plotted. 0, or
 * what the store answers. */
int report_course_add(struct case_store *store, const struct case_record *record, enum language language,
		      const struct plot_tools *tools, struct buffer *out);

#endif
