/*
 * The last quarter of an hour, second by second: requests of all sites by what became of them, from sums that only
 * grow; and when measures came into force.
 */
#ifndef GUIA_SCREEN_COURSE_H
#define GUIA_SCREEN_COURSE_H

#include <stddef.h>
#include <stdint.h>

/* What became of a request, as in a report. */
enum course_kind {
	COURSE_PASSED,
	COURSE_BLOCKED,
	COURSE_LIMITED,
	COURSE_SIGNATURE,
	COURSE_CROWDED_OUT,
	COURSE_OTHER,
	COURSE_KINDS,
};

enum {
	COURSE_SECONDS = 900,
	COURSE_MARKS = 24,
	COURSE_MARK_BYTES = 320,
	COURSE_SITE_BYTES = 258,
};

struct course_mark {
	uint64_t id;
	uint64_t at_ms;
	unsigned number;
	char site[COURSE_SITE_BYTES];
	char text[COURSE_MARK_BYTES]; /* what is refused, in the words of the watch; "": addresses */
};

struct course {
	uint64_t at_ms[COURSE_SECONDS];
	double per_s[COURSE_SECONDS][COURSE_KINDS];
	size_t first; /* the oldest */
	size_t count;
	uint64_t sums[COURSE_KINDS];
	uint64_t sums_at_ms; /* 0: none yet */
	struct course_mark marks[COURSE_MARKS];
	size_t mark_count;
	unsigned last_number;
};

/* Sums at a time; nothing becomes of it before a second has passed since the last. */
void course_sums(struct course *course, const uint64_t sums[COURSE_KINDS], uint64_t now_ms);

/* A measure is in force; known ones are told again each time. */
void course_mark(struct course *course, uint64_t id, const char *site, const char *text, uint64_t at_ms,
		 uint64_t now_ms);

/* Up to `room` steps of *ret_step_ms each; values are rows of COURSE_KINDS. Returns how many. */
size_t course_steps(const struct course *course, size_t room, uint64_t *at_ms, double *values, uint64_t *ret_step_ms);

#endif
