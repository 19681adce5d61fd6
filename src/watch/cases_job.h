/* What a thread writes down at once: copies of all that is new of incidents, its own until it is freed. */
#ifndef GUIA_WATCH_CASES_JOB_H
#define GUIA_WATCH_CASES_JOB_H

#include "casebook/intrusions.h"
#include "casebook/store.h"
#include "watch/ranking.h"

enum {
	CASES_TALLIED = 20,         /* of each dimension and second */
	CASES_INTRUSIONS_TOLD = 16, /* in each job */
};

struct cases_job {
	bool floods; /* something is new of those */
	struct case_record record;
	struct case_entry entries[CASE_ENTRIES];
	size_t entry_count;
	struct case_point points[CASE_POINTS];
	size_t point_count;
	struct ranking_item items[RANKING_DIMENSIONS][CASES_TALLIED];
	size_t item_counts[RANKING_DIMENSIONS];
	size_t intrusion_count;
	struct intrusion_news *intrusions[CASES_INTRUSIONS_TOLD];
	int result; /* -EINPROGRESS: it was not tried to be written yet */
};

/* Takes it out of the books. NULL without memory: they keep it. */
struct cases_job *cases_job_make(struct casebook *book, struct intrusions *intrusions, uint64_t now_ms);
/* NULL is allowed. */
void cases_job_free(struct cases_job *job);

/* What came most often just now, for the flood that is on. */
void cases_job_tally(struct cases_job *job, const struct ranking *ranking, uint64_t now_ns);

/* Where the addresses of intrusions are, as `places` (NULL: not known) has it; `source` is whose data that is. */
void cases_job_places(struct cases_job *job, const struct place_image *places, const char *source);

/* 0, or what the store answers. */
int cases_job_write(const struct cases_job *job, struct case_store *store);

#endif
