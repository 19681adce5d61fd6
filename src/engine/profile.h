/*
 * What transactions cost, stage by stage and rule by rule, for a worker that was given one of these: a clock is read
 * around each. A worker without (worker->profile is NULL) pays one branch a stage.
 */
#ifndef GUIA_ENGINE_PROFILE_H
#define GUIA_ENGINE_PROFILE_H

#include "engine/plan.h"

enum profile_stage {
	PROFILE_REQUEST_LINE,
	PROFILE_REQUEST_HEADERS,
	PROFILE_BODY_NONE, /* by enum body_processor from here on */
	PROFILE_BODY_FORM,
	PROFILE_BODY_MULTIPART,
	PROFILE_BODY_JSON,
	PROFILE_BODY_XML,
	PROFILE_RESPONSE_HEADERS,
	PROFILE_RESPONSE_BODY,
	PROFILE_RULES, /* by phase from here on; candidates are counted apart */
	PROFILE_LOG = PROFILE_RULES + PHASE_LAST + 1,
	PROFILE_STAGES
};

struct profile_cost {
	uint64_t count;
	uint64_t ns;
};

/* What was asked of the values of a variable, and of the names that come with them. */
struct profile_family {
	struct profile_cost cost; /* its count is of values */
	uint64_t known;           /* values remembered */
	uint64_t scans;
	uint64_t questions;
};

struct profile_rule {
	const struct rule *head;
	struct profile_cost evaluated;
	uint64_t matched;
	struct profile_cost asked; /* its operators by themselves, ahead of evaluation */
};

struct profile {
	const struct plan *plan;
	uint64_t overhead_ns; /* of a measurement: taken off each */
	uint64_t transactions;
	struct profile_cost stages[PROFILE_STAGES];
	struct profile_family families[VARIABLE_COUNT];
	enum variable family;       /* whose values are being asked */
	struct profile_rule *rules; /* heads, by place in the rule set */
	size_t rule_count;
	struct profile_place *table; /* open-addressed: from a head or a link to its head's place */
	size_t table_size;
};

/* `plan` must outlive it. 0 or -ENOMEM. */
int profile_create(const struct plan *plan, struct profile **ret_profile);
/* NULL is allowed. */
void profile_free(struct profile *profile);
/* Forgets what was counted. */
void profile_clear(struct profile *profile);

uint64_t profile_clock_ns(void);

/* A measurement that has begun. */
struct profile_timer {
	struct profile *profile; /* NULL: nothing is measured */
	uint64_t begun_ns;
};

static inline struct profile_timer profile_begin(struct profile *profile)
{
	struct profile_timer timer = {.profile = profile};
	if (__builtin_expect(profile != NULL, 0))
		timer.begun_ns = profile_clock_ns();
	return timer;
}

static inline struct profile_timer profile_begin_family(struct profile *profile, enum variable variable)
{
	if (__builtin_expect(profile != NULL, 0))
		profile->family = variable;
	return profile_begin(profile);
}

/* Each adds what has passed since the timer began to its line. */
void profile_count_stage(struct profile_timer timer, enum profile_stage stage);
void profile_count_family(struct profile_timer timer);
void profile_count_rule(struct profile_timer timer, const struct rule *head, bool matched);
void profile_count_question(struct profile_timer timer, const struct rule *link);

static inline void profile_end_stage(struct profile_timer timer, enum profile_stage stage)
{
	if (__builtin_expect(timer.profile != NULL, 0))
		profile_count_stage(timer, stage);
}

static inline void profile_end_family(struct profile_timer timer)
{
	if (__builtin_expect(timer.profile != NULL, 0))
		profile_count_family(timer);
}

static inline void profile_end_rule(struct profile_timer timer, const struct rule *head, bool matched)
{
	if (__builtin_expect(timer.profile != NULL, 0))
		profile_count_rule(timer, head, matched);
}

static inline void profile_end_question(struct profile_timer timer, const struct rule *link)
{
	if (__builtin_expect(timer.profile != NULL, 0))
		profile_count_question(timer, link);
}

/* The family at hand: a value was looked at. */
static inline void profile_note_value(struct profile *profile, bool known)
{
	if (__builtin_expect(profile != NULL, 0)) {
		profile->families[profile->family].cost.count++;
		profile->families[profile->family].known += known;
	}
}

static inline void profile_note_scan(struct profile *profile)
{
	if (__builtin_expect(profile != NULL, 0))
		profile->families[profile->family].scans++;
}

#endif
