/* What the two runs of a shape came to: for people to read, and as JSON (docs/drill.md). */
#ifndef GUIA_DRILL_REPORT_H
#define GUIA_DRILL_REPORT_H

#include "base/buffer.h"
#include "drill/judge.h"
#include "drill/tell.h"

#include <jansson.h>

struct report {
	const struct pair *pair;
	const struct tells *tells;
	const struct record *without;
	const struct record *with;
	enum verdict verdict;
};

void report_text(const struct report *report, struct buffer *out);

/* An object, for json_decref; NULL if there is no memory. */
json_t *report_json(const struct report *report);

#endif
