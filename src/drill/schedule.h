/*
 * Who sends what when, fixed before a run begins: the load is open-loop, so that a slow answer delays nobody. Arrivals
 * are a Poisson process whose count is given: uniform times, sorted.
 */
#ifndef GUIA_DRILL_SCHEDULE_H
#define GUIA_DRILL_SCHEDULE_H

#include "drill/people.h"
#include "drill/shape.h"
#include "drill/tell.h"

struct sending {
	int64_t at_ns; /* from the start */
	uint32_t who;  /* index among the visitors or attackers */
	uint32_t word; /* seeds what is asked */
};

struct schedule {
	struct sending *items; /* by time */
	size_t count;
};

/* Visitors, residents and guests, come in visits of a few requests, with pauses as people make them. 0 or -ENOMEM. */
int schedule_visitors(const struct run_plan *plan, struct schedule *ret_schedule);

/* 0 or -ENOMEM. */
int schedule_attack(const struct run_plan *plan, const struct tells *tells, struct schedule *ret_schedule);

void schedule_free(struct schedule *schedule);

#endif
