/* What people read in a bag: who took it out, when and why, the reports, and how to check all of it. */
#ifndef GUIA_BUNDLE_PAPERS_H
#define GUIA_BUNDLE_PAPERS_H

#include "bundle/chunk.h"
#include "casebook/store.h"

struct papers {
	const struct export_plan *plan;
	struct case_store *store;
	const struct case_record *record;
	struct slice incident; /* as JSON */
	struct chunk_sums sums;
	uint64_t sealed_parcels;
	uint64_t unopened_parcels;
	int bag;
};

/* Each 0, -errno or what the store answers. */
int papers_reports(const struct papers *papers);
int papers_custody(const struct papers *papers);
int papers_tags(const struct papers *papers, uint64_t files, uint64_t bytes);

/* VERIFY.md: steps that are followed literally. */
void papers_instructions(const struct export_plan *plan, struct buffer *out);

#endif
