/* What timing.c measured, for a person and for a program. */
#ifndef GUIA_CLI_TIMING_REPORT_H
#define GUIA_CLI_TIMING_REPORT_H

#include "cli/timing.h"

struct timing_total {
	uint64_t rounds; /* of all requests */
	uint64_t ns;
};

struct timing_report {
	const struct timing *timing;
	struct guia_profile *first;
	struct guia_profile *rest;
	struct timing_total first_total;
	struct timing_total rest_total;  /* with a clock around each stage and rule */
	struct timing_total plain_total; /* without: what a gate pays */
};

void timing_report_text(const struct timing_report *report, struct buffer *out);
void timing_report_json(const struct timing_report *report, struct buffer *out);

#endif
