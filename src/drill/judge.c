/*
 * Two tables of rows, above each the small functions that it names. First the conditions: a pair that misses one is
 * void. Then the lines; what they come to depends on the shape's kind and on whether it did harm without Guia.
 */
#include "drill/judge.h"

#include <math.h>

enum { ESTIMATE_SECONDS = 10 };

const char *const verdict_names[] = {
	[VERDICT_SURVIVED] = "survived",      [VERDICT_NOT_SURVIVED] = "not survived",
	[VERDICT_HARMLESS] = "harmless here", [VERDICT_TOLD] = "told",
	[VERDICT_NOT_TOLD] = "not told",      [VERDICT_SPARED] = "spared",
	[VERDICT_NOT_SPARED] = "not spared",  [VERDICT_VOID] = "void",
};

static bool is_calm(const struct pair *pair)
{
	return pair->plan->shape->kind == KIND_CALM;
}

static bool is_attack(const struct pair *pair)
{
	return pair->plan->shape->kind == KIND_ATTACK;
}

static bool is_whole_attack(const struct pair *pair)
{
	return is_attack(pair) && !pair->plan->brief;
}

static bool is_of_packets(const struct pair *pair)
{
	return pair->plan->shape->volley.kind != PACKET_NONE;
}

static bool is_of_syns(const struct pair *pair)
{
	return pair->plan->shape->volley.kind == PACKET_SYN;
}

static bool is_at_edge(const struct pair *pair)
{
	return is_attack(pair) && is_of_packets(pair) && pair->plan->shape->link_mbit == 0;
}

static bool has_forged(const struct pair *pair)
{
	return is_at_edge(pair) && pair->plan->shape->volley.forged_residents > 0;
}

static bool is_of_requests(const struct pair *pair)
{
	return is_attack(pair) && !is_of_packets(pair);
}

static bool is_of_link(const struct pair *pair)
{
	return is_attack(pair) && pair->plan->shape->link_mbit > 0;
}

static bool is_dark(const struct pair *pair)
{
	return pair->plan->shape->kind == KIND_DARK && pair->account != NULL;
}

static bool is_told(const struct pair *pair)
{
	return is_of_requests(pair) && pair->account != NULL;
}

static bool is_detected(const struct pair *pair)
{
	return pair->account != NULL && !is_calm(pair);
}

static bool is_told_at_edge(const struct pair *pair)
{
	return is_at_edge(pair) && pair->account != NULL;
}

/* No brief run waits for the end. */
static bool is_told_over(const struct pair *pair)
{
	return is_told_at_edge(pair) && pair->plan->shape->after_ms > 0 && !pair->plan->brief;
}

static bool is_told_whole(const struct pair *pair)
{
	return is_told(pair) && !pair->plan->brief;
}

/* What a full link loses the watch cannot count: there it says so instead. */
static bool is_estimated(const struct pair *pair)
{
	return is_told_whole(pair) || (is_told_at_edge(pair) && !pair->plan->brief);
}

static bool is_calm_told(const struct pair *pair)
{
	return is_calm(pair) && pair->account != NULL;
}

static bool has_attackers(const struct pair *pair)
{
	return pair->plan->attacks_per_second > 0;
}

static bool is_driven(const struct pair *pair)
{
	return is_calm(pair) && pair->plan->census.attackers.being == BEING_DRIVEN;
}

static bool has_guests_held(const struct pair *pair)
{
	return is_attack(pair) && pair->plan->census.guests.count > 0 &&
	       pair->plan->shape->guests.promise == PROMISE_HELD;
}

static bool has_guests_never(const struct pair *pair)
{
	return is_attack(pair) && pair->plan->census.guests.count > 0 &&
	       pair->plan->shape->guests.promise == PROMISE_NEVER;
}

static bool always(const struct pair *pair)
{
	(void)pair;
	return true;
}

#define CONSTANT(name, number)                                                                                         \
	static double name(const struct pair *pair)                                                                    \
	{                                                                                                              \
		(void)pair;                                                                                            \
		return number;                                                                                         \
	}

CONSTANT(all_bound, HELD_PERCENT)
CONSTANT(restored_bound, 10)
CONSTANT(reached_bound, 1)
CONSTANT(detected_bound, 1)
CONSTANT(mitigated_bound, 3)
CONSTANT(over_bound, 68) /* a minute of calm, before which the watch's rate of a second must have faded */
CONSTANT(estimate_bound, 2)
CONSTANT(requests_bound, 10000)
CONSTANT(late_bound, 5)
CONSTANT(busy_bound, 60)
CONSTANT(quiet_bound, 99)
CONSTANT(agreement_bound, 5)
CONSTANT(unsent_bound, 10) /* a gate that breaks down costs its attackers too */
CONSTANT(stopped_bound, 95)
CONSTANT(toll_bound, 20)
CONSTANT(none, 0)

static double held_bound(const struct pair *pair)
{
	return held_percent_of(pair->plan);
}

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

static double guests_held(const struct pair *pair)
{
	return pair->with.guests_held.asked > 0 ? pair->with.guests_held.answered_percent : NAN;
}

/* What we did to requests, not what a slow machine did. */
static size_t sent_away(const size_t outcomes[OUTCOMES])
{
	return outcomes[OUTCOME_REFUSED] + outcomes[OUTCOME_CLOSED] + outcomes[OUTCOME_COPY] +
	       outcomes[OUTCOME_FOREIGN];
}

static double guests_sent_away(const struct pair *pair)
{
	return (double)sent_away(pair->with.guests.outcomes);
}

static double visitors_sent_away(const struct pair *pair)
{
	return (double)(sent_away(pair->with.quiet.outcomes) + sent_away(pair->with.attack.outcomes) +
			sent_away(pair->with.after.outcomes));
}

static double told_kept_out(const struct pair *pair)
{
	return pair->account->kept_out;
}

static double driven_sent_away(const struct pair *pair)
{
	return (double)sent_away(pair->with.attack_outcomes);
}

static double stopped(const struct pair *pair)
{
	return pair->with.stopped_percent;
}

static double toll(const struct pair *pair)
{
	return 100 * pair->with.packet_ns / pair->without.packet_ns;
}

static double forged(const struct pair *pair)
{
	return pair->with.forged.asked > 0 ? pair->with.forged.answered_percent : NAN;
}

static double since_onset(const struct pair *pair, double at_s)
{
	return at_s - pair->with.onset_s;
}

/* Of packets what is told of their kind, of requests the incident. */
static const struct account_flood *flood_of(const struct pair *pair)
{
	const struct shape *shape = pair->plan->shape;
	return &pair->account->floods[shape->link_mbit > 0               ? ACCOUNT_LINK
				      : shape->volley.kind == PACKET_SYN ? ACCOUNT_SYN
									 : ACCOUNT_UDP];
}

static double detected(const struct pair *pair)
{
	return since_onset(pair, is_of_packets(pair) ? flood_of(pair)->detected_s : pair->account->detected_s);
}

static double flood_held(const struct pair *pair)
{
	return since_onset(pair, flood_of(pair)->held_s);
}

/* From the last of its packets; what is said to be over while they come is not. */
static double flood_over(const struct pair *pair)
{
	const struct run_plan *plan = pair->plan;
	double after_s = flood_of(pair)->over_s - (plan->quiet_ms + plan->attack_ms) / 1000.0;
	return after_s >= 0 ? after_s : NAN;
}

static double mitigated(const struct pair *pair)
{
	return since_onset(pair, pair->account->mitigated_s);
}

static double asked_after(const struct pair *pair)
{
	return since_onset(pair, pair->with.asked_s);
}

static double dark_after(const struct pair *pair)
{
	return since_onset(pair, pair->account->dark_s);
}

static double dark_rules(const struct pair *pair)
{
	return pair->with.asked_rules;
}

static double stopped_after(const struct pair *pair)
{
	return since_onset(pair, pair->with.stopped_s);
}

/* What the watch is asked is of ten seconds: those of the attack alone, where it lasts so long. */
static double estimate_off(const struct pair *pair)
{
	const struct run_plan *plan = pair->plan;
	double over_s = (plan->quiet_ms + plan->attack_ms) / 1000.0, from_s = pair->with.onset_s + ESTIMATE_SECONDS;
	double estimate = account_estimate(pair->account, from_s < over_s - 1 ? from_s : over_s - 1, over_s + 1);
	return fabs(estimate - pair->with.attack.answered_percent);
}

const struct judge_line judge_lines[] = {
	{"held_percent", "visitors answered once restored", "%", held_percent, held_bound, true, is_attack},
	{"held_p99_ms", "their p99 latency", "ms", held_p99, held_p99_bound, false, is_attack},
	{"detected_s", "onset to detection", "s", detected, detected_bound, false, is_detected},
	{"mitigated_s", "onset to a mitigation in force", "s", mitigated, mitigated_bound, false, is_told},
	{"restored_s", "onset to restoration", "s", restored, restored_bound, false, is_attack},
	{"reached_percent", "attack requests that reach the origin", "%", reached, reached_bound, false,
	 is_of_requests},
	{"stopped_s", "onset to the first packet stopped at the edge", "s", stopped_after, mitigated_bound, false,
	 is_at_edge},
	{"flood_held_s", "onset to being told that the packets are held", "s", flood_held, mitigated_bound, false,
	 is_told_at_edge},
	{"flood_over_s", "end of the packets to being told that they are over", "s", flood_over, over_bound, false,
	 is_told_over},
	{"stopped_percent", "of packets stopped at the edge, by its counters", "%", stopped, stopped_bound, true,
	 is_at_edge},
	{"asked_s", "onset to what was asked in the operator's table", "s", asked_after, mitigated_bound, false,
	 is_of_link},
	{"told_s", "onset to a person's being told that nobody can be asked", "s", dark_after, restored_bound, false,
	 is_dark},
	{"claimed_rules", "routes in the operator's table, which nobody could have brought there", "", dark_rules, none,
	 false, is_dark},
	{"toll_percent", "of the gate's processor for a packet, against without Guia", "%", toll, toll_bound, false,
	 is_of_syns},
	{"forged_percent", "answered of residents whose addresses are forged, in the attack", "%", forged, all_bound,
	 true, has_forged},
	{"held_requests", "visitors' requests that this rests on", "", requests, requests_bound, true, is_whole_attack},
	{"estimate_off", "between what Guia says of visitors' success and the truth", "points", estimate_off,
	 estimate_bound, false, is_estimated},
	{"guests_percent", "of the guests answered once restored", "%", guests_held, all_bound, true, has_guests_held},
	{"guests_sent_away", "guests' requests refused, closed or shown a copy", "", guests_sent_away, none, false,
	 has_guests_never},
	{"sent_away", "visitors' requests refused, closed or shown a copy", "", visitors_sent_away, none, false,
	 is_calm},
	{"told_kept_out", "requests that the gate kept from the origin, by its own count", "", told_kept_out, none,
	 false, is_calm_told},
	{"driven_sent_away", "requests that the page makes browsers send, refused or closed", "", driven_sent_away,
	 none, false, is_driven},
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

static double unsent(const struct figures *figures)
{
	double planned = figures->planned_per_second;
	return planned > 0 ? 100 * (planned - figures->sent_per_second) / planned : NAN;
}

static double unsent_with(const struct pair *pair)
{
	return unsent(&pair->with);
}

static double unsent_without(const struct pair *pair)
{
	return unsent(&pair->without);
}

static double capacity(const struct pair *pair)
{
	return pair->without.attack.answered_percent;
}

const struct judge_line judge_conditions[] = {
	{"quiet_percent", "visitors answered in quiet", "%", quiet, quiet_bound, true, always},
	{"late_p99_ms", "p99 by which the visitors' client was late itself", "ms", late, late_bound, false, always},
	{"crowd_busy_percent", "of the crowd's processor was used", "%", busy, busy_bound, false, always},
	{"offered_apart_percent", "between the rates offered in both runs", "%", agreement, agreement_bound, false,
	 has_attackers},
	{"lighter_percent", "less was sent with Guia than without", "%", lighter, agreement_bound, false,
	 has_attackers},
	{"planned_apart_percent", "between the rate planned and the one offered", "%", planned, agreement_bound, false,
	 has_attackers},
	{"unsent_percent", "of the attack planned was not sent, with Guia", "%", unsent_with, agreement_bound, false,
	 has_attackers},
	{"unsent_without_percent", "of the attack planned was not sent, without Guia", "%", unsent_without,
	 unsent_bound, false, has_attackers},
	{"capacity_percent", "visitors answered without Guia, where nothing does harm", "%", capacity, quiet_bound,
	 true, is_calm},
};

const size_t judge_condition_count = sizeof(judge_conditions) / sizeof(judge_conditions[0]);

bool judge_meets(const struct judge_line *line, const struct pair *pair)
{
	double value = line->value(pair), bound = line->bound(pair);
	return line->at_least ? value >= bound : value <= bound;
}

static bool all_meet(const struct judge_line *lines, size_t count, const struct pair *pair)
{
	for (size_t i = 0; i < count; i++)
		if (lines[i].asked(pair) && !judge_meets(&lines[i], pair))
			return false;
	return true;
}

enum verdict judge(const struct pair *pair)
{
	if (!all_meet(judge_conditions, judge_condition_count, pair))
		return VERDICT_VOID;
	bool met = all_meet(judge_lines, judge_line_count, pair);
	if (pair->plan->shape->kind == KIND_DARK && pair->without.attack.answered_percent < HARM_PERCENT)
		return met ? VERDICT_TOLD : VERDICT_NOT_TOLD;
	if (is_calm(pair))
		return met ? VERDICT_SPARED : VERDICT_NOT_SPARED;
	if (pair->without.attack.answered_percent >= HARM_PERCENT)
		return VERDICT_HARMLESS;
	return met ? VERDICT_SURVIVED : VERDICT_NOT_SURVIVED;
}
