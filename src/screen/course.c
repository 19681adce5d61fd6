/*
 * A ring of rates, made from differences of sums, and marks that are forgotten when they are as old as its oldest may
 * be. A plot's steps are means of the rates within equal spans of the clock.
 */
#include "screen/course.h"

#include <stdio.h>
#include <string.h>

static size_t place(const struct course *course, size_t number)
{
	return (course->first + number) % COURSE_SECONDS;
}

static void append(struct course *course, const double per_s[COURSE_KINDS], uint64_t at_ms)
{
	if (course->count == COURSE_SECONDS) {
		course->first = place(course, 1);
		course->count--;
	}
	size_t at = place(course, course->count++);
	course->at_ms[at] = at_ms;
	memcpy(course->per_s[at], per_s, sizeof(course->per_s[at]));
}

/* Sums that shrank are of a watch, or a gate, that began anew. A clock that was set back begins the course anew. */
void course_sums(struct course *course, const uint64_t sums[COURSE_KINDS], uint64_t now_ms)
{
	double per_s[COURSE_KINDS];
	if (course->sums_at_ms != 0 && now_ms >= course->sums_at_ms && now_ms - course->sums_at_ms < 1000)
		return;
	if (now_ms < course->sums_at_ms)
		course->count = course->sums_at_ms = 0;
	for (size_t i = 0; i < COURSE_KINDS; i++)
		per_s[i] = sums[i] > course->sums[i]
				   ? (double)(sums[i] - course->sums[i]) * 1000 / (double)(now_ms - course->sums_at_ms)
				   : 0;
	if (course->sums_at_ms != 0)
		append(course, per_s, course->sums_at_ms);
	memcpy(course->sums, sums, sizeof(course->sums));
	course->sums_at_ms = now_ms;
}

static void forget(struct course *course, uint64_t now_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < course->mark_count; i++)
		if (now_ms - course->marks[i].at_ms <= (uint64_t)COURSE_SECONDS * 1000)
			course->marks[kept++] = course->marks[i];
	course->mark_count = kept;
	if (kept == 0)
		course->last_number = 0;
}

void course_mark(struct course *course, uint64_t id, const char *site, const char *text, uint64_t at_ms,
		 uint64_t now_ms)
{
	forget(course, now_ms);
	for (size_t i = 0; i < course->mark_count; i++)
		if (course->marks[i].id == id)
			return;
	if (now_ms - at_ms > (uint64_t)COURSE_SECONDS * 1000)
		return;
	if (course->mark_count == COURSE_MARKS)
		memmove(course->marks, course->marks + 1, --course->mark_count * sizeof(course->marks[0]));
	struct course_mark *mark = &course->marks[course->mark_count++];
	*mark = (struct course_mark){.id = id, .at_ms = at_ms, .number = ++course->last_number};
	snprintf(mark->site, sizeof(mark->site), "%s", site);
	snprintf(mark->text, sizeof(mark->text), "%s", text);
}

size_t course_steps(const struct course *course, size_t room, uint64_t *at_ms, double *values, uint64_t *ret_step_ms)
{
	if (course->count == 0 || room == 0)
		return 0;
	uint64_t begin = course->at_ms[place(course, 0)], end = course->at_ms[place(course, course->count - 1)];
	uint64_t step_ms = ((end - begin) / 1000 / room + 1) * 1000;
	/* Steps are of the clock: those at both ends may be parts. */
	while (room > 1 && end / step_ms - begin / step_ms >= room)
		step_ms += 1000;
	size_t steps = 0, members = 0;
	for (size_t i = 0; i < course->count; i++) {
		size_t at = place(course, i);
		uint64_t step = course->at_ms[at] / step_ms * step_ms;
		if (steps == 0 || at_ms[steps - 1] != step) {
			if (steps == room)
				break;
			at_ms[steps++] = step;
			members = 0;
			memset(values + (steps - 1) * COURSE_KINDS, 0, COURSE_KINDS * sizeof(*values));
		}
		members++;
		for (size_t kind = 0; kind < COURSE_KINDS; kind++) {
			double *value = &values[(steps - 1) * COURSE_KINDS + kind];
			*value += (course->per_s[at][kind] - *value) / (double)members;
		}
	}
	*ret_step_ms = step_ms;
	return steps;
}
