#include "drill/judge.h"

#include <math.h>

const char *const verdict_names[] = {
	[VERDICT_SURVIVED] = "survived",
	[VERDICT_NOT_SURVIVED] = "not survived",
	[VERDICT_HARMLESS] = "harmless here",
	[VERDICT_VOID] = "void",
};

#define CONSTANT(name, number)                                                                                         \
	static double name(const struct pair *pair)                                                                    \
	{                                                                                                              \
		(void)pair;                                                                                            \
		return number;                                                                                         \
	}

CONSTANT(held_bound, HELD_PERCENT)
CONSTANT(restored_bound, 10)
CONSTANT(reached_bound, 1)
CONSTANT(requests_bound, 10000)
CONSTANT(late_bound, 5)
CONSTANT(busy_bound, 60)
CONSTANT(quiet_bound, 99)
CONSTANT(agreement_bound, 5)

static double held_percent(const struct pair *pair)
{
	return pair->with.held.asked > 0 ? pair->with.held.answered_percent : NAN;
}

static double held_p99(const struct pair *pair)
{
	return pair->with.held.asked > 0 ? pair->with.held.p99_ms : NAN;
}

static double held_p99_bound(const struct pair *pair)
{
	double quiet_ms = pair->with.quiet.p99_ms;
	return quiet_ms > 50 ? 2 * quiet_ms : quiet_ms + 50;
}

static double restored(const struct pair *pair)
{
	return pair->with.restored_s;
}

static double reached(const struct pair *pair)
{
	return pair->with.reached_percent;
}

static double requests(const struct pair *pair)
{
	return (double)pair->with.held.asked;
}

const struct judge_line judge_lines[] = {
	{"held_percent", "residents answered once restored", "%", held_percent, held_bound, true, false},
	{"held_p99_ms", "their p99 latency", "ms", held_p99, held_p99_bound, false, false},
	{"restored_s", "onset to restoration", "s", restored, restored_bound, false, false},
	{"reached_percent", "attack requests that reach the origin", "%", reached, reached_bound, false, false},
	{"held_requests", "residents' requests that this rests on", "", requests, requests_bound, true, true},
};

const size_t judge_line_count = sizeof(judge_lines) / sizeof(judge_lines[0]);

static double worse(double a, double b)
{
	return a > b ? a : b;
}

static double late(const struct pair *pair)
{
	return worse(pair->without.late_p99_ms, pair->with.late_p99_ms);
}

static double busy(const struct pair *pair)
{
	return worse(pair->without.crowd_busy_percent, pair->with.crowd_busy_percent);
}

static double quiet(const struct pair *pair)
{
	return -worse(-pair->without.quiet.answered_percent, -pair->with.quiet.answered_percent);
}

static double apart(double a, double b)
{
	return b > 0 ? 100 * fabs(a - b) / b : NAN;
}

static double agreement(const struct pair *pair)
{
	return apart(pair->with.offered_per_second, pair->without.offered_per_second);
}

/* A gate that is slow is sent less: with Guia it must not be. */
static double lighter(const struct pair *pair)
{
	double without = pair->without.sent_per_second;
	return without > 0 ? 100 * (without - pair->with.sent_per_second) / without : NAN;
}

static double planned(const struct pair *pair)
{
	return worse(apart(pair->without.offered_per_second, pair->without.planned_per_second),
		     apart(pair->with.offered_per_second, pair->with.planned_per_second));
}

const struct judge_line judge_conditions[] = {
	{"quiet_percent", "residents answered in quiet", "%", quiet, quiet_bound, true, false},
	{"late_p99_ms", "p99 by which the residents' client was late itself", "ms", late, late_bound, false, false},
	{"crowd_busy_percent", "of the crowd's processor was used", "%", busy, busy_bound, false, false},
	{"offered_apart_percent", "between the rates offered in both runs", "%", agreement, agreement_bound, false,
	 false},
	{"lighter_percent", "less was sent with Guia than without", "%", lighter, agreement_bound, false, false},
	{"planned_apart_percent", "between the rate planned and the one offered", "%", planned, agreement_bound, false,
	 false},
};

const size_t judge_condition_count = sizeof(judge_conditions) / sizeof(judge_conditions[0]);

bool judge_asks(const struct judge_line *line, const struct pair *pair)
{
	return !line->whole || !pair->plan->brief;
}

bool judge_meets(const struct judge_line *line, const struct pair *pair)
{
	double value = line->value(pair), bound = line->bound(pair);
	return line->at_least ? value >= bound : value <= bound;
}

static bool all_meet(const struct judge_line *lines, size_t count, const struct pair *pair)
{
	for (size_t i = 0; i < count; i++)
		if (judge_asks(&lines[i], pair) && !judge_meets(&lines[i], pair))
			return false;
	return true;
}

enum verdict judge(const struct pair *pair)
{
	if (!all_meet(judge_conditions, judge_condition_count, pair))
		return VERDICT_VOID;
	if (pair->without.attack.answered_percent >= HARM_PERCENT)
		return VERDICT_HARMLESS;
	return all_meet(judge_lines, judge_line_count, pair) ? VERDICT_SURVIVED : VERDICT_NOT_SURVIVED;
}
