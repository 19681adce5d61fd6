/* What intrusions.c and intrusions_resume.c share. */
#ifndef GUIA_CASEBOOK_INTRUSIONS_INSIDE_H
#define GUIA_CASEBOOK_INTRUSIONS_INSIDE_H

#include "casebook/actors.h"
#include "casebook/intrusions.h"
#include "casebook/missing.h"
#include "casebook/uploads.h"

struct intrusion {
	uint64_t id; /* 0: the place is free */
	uint32_t actor;
	enum case_kind kind;
	enum case_phase phase;
	uint32_t kinds;
	uint64_t onset_ms, opened_ms, held_ms, over_ms;
	uint32_t reopened;
	double peak;
	bool changed;
	size_t entry_count;
	struct case_entry entries[INTRUSION_ENTRIES];
};

struct intrusions {
	struct actors actors;
	struct missing missing;
	struct uploads uploads;
	struct intrusion list[INTRUSIONS_MOST];
	uint64_t unopened;
};

/* A free place, or NULL; of scans there are half as many, so that they do not keep graver ones out. */
struct intrusion *intrusions_place(struct intrusions *intrusions, enum case_kind kind);

#endif
