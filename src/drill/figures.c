/*
 * Visitors' figures are of their requests by when each was meant to be sent; attackers' and the origin's are sums of
 * whole seconds; those of packets are differences of the counters at the ends of quiet and attack.
 */
#include "drill/figures.h"

#include "base/error.h"
#include "drill/origin.h"
#include "drill/percentile.h"

#include <math.h>
#include <stdlib.h>

enum {
	SETTLING_MS = 1000, /* at the start, when nothing is in any cache */
	STEP_MS = 100,
	WINDOW_STEPS = 10,
};

static int64_t ms(int64_t count)
{
	return count * 1000000;
}

static double percent_of(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

static bool is_chosen(const struct asked *asked, const struct choice *choice)
{
	/* 0: the run was over before its time came. */
	return asked->meant_ns > 0 && asked->meant_ns >= choice->from_ns && asked->meant_ns < choice->to_ns &&
	       (choice->company == COMPANY_VISITORS || (choice->company == COMPANY_GUESTS && asked->guest) ||
		(choice->company == COMPANY_FORGED && asked->forged)) &&
	       (choice->attacked == NULL || run_plan_attacks(choice->attacked, (uint32_t)(asked->meant_ns / ms(1))));
}

int span_of(const struct record *record, const struct choice *choice, struct span *ret_span)
{
	struct span span = {0};
	size_t count = 0;
	int32_t *took = malloc((record->asked_count + 1) * sizeof(*took));
	if (took == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < record->asked_count; i++) {
		const struct asked *asked = &record->asked[i];
		if (!is_chosen(asked, choice) || asked->outcome >= OUTCOMES)
			continue;
		span.asked++;
		span.outcomes[asked->outcome]++;
		if (asked->outcome == OUTCOME_ANSWERED)
			took[count++] = asked->took_us;
	}
	span.answered_percent = percent_of((double)span.outcomes[OUTCOME_ANSWERED], (double)span.asked);
	span.copies_percent = percent_of((double)span.outcomes[OUTCOME_COPY], (double)span.asked);
	span.p99_ms = percentile(took, count, 99) / 1000.0;
	span.p50_ms = percentile_sorted(took, count, 50) / 1000.0;
	free(took);
	*ret_span = span;
	return 0;
}

/* Residents' requests by steps of the attack. */
struct step {
	size_t asked;
	size_t answered;
};

static bool holds(double percent, size_t answered, size_t asked)
{
	return (double)answered * 100 >= percent * (double)asked;
}

/*
 * The first step from which on, to the end of the attack, enough are answered, and in the second that begins there too:
 * so that no long good end hides what is bad at its beginning. A tenth of the attack must be left, for a moment without
 * a loss is no restoration. -1: there is none.
 */
static long first_held(double percent, const struct step *steps, long count)
{
	long least = count / 10 > WINDOW_STEPS ? count / 10 : WINDOW_STEPS;
	long first = -1;
	size_t asked = 0, answered = 0;
	for (long i = count - 1; i >= 0; i--) {
		asked += steps[i].asked;
		answered += steps[i].answered;
		struct step window = {0};
		for (long j = i; j < count && j < i + WINDOW_STEPS; j++) {
			window.asked += steps[j].asked;
			window.answered += steps[j].answered;
		}
		if (count - i >= least && holds(percent, answered, asked) &&
		    holds(percent, window.answered, window.asked))
			first = i;
	}
	return first;
}

static int find_restoration(const struct run_plan *plan, const struct record *record, int64_t onset_ns,
			    double *ret_restored_s)
{
	int64_t end_ns = ms((int64_t)plan->quiet_ms + plan->attack_ms);
	long count = (long)((end_ns - onset_ns) / ms(STEP_MS));
	struct step *steps = count > 0 ? calloc((size_t)count, sizeof(*steps)) : NULL;
	*ret_restored_s = NAN;
	if (steps == NULL)
		return count > 0 ? -ENOMEM : 0;
	for (size_t i = 0; i < record->asked_count; i++) {
		int64_t since_ns = record->asked[i].meant_ns - onset_ns;
		if (since_ns < 0 || since_ns / ms(STEP_MS) >= count)
			continue;
		struct step *step = &steps[since_ns / ms(STEP_MS)];
		step->asked++;
		step->answered += record->asked[i].outcome == OUTCOME_ANSWERED;
	}
	long first = first_held(held_percent_of(plan), steps, count);
	if (first >= 0)
		*ret_restored_s = (double)first * STEP_MS / 1000;
	free(steps);
	return 0;
}

static int find_lateness(const struct record *record, double *ret_late_p99_ms)
{
	int32_t *late = malloc((record->asked_count + 1) * sizeof(*late));
	if (late == NULL)
		return -ENOMEM;
	size_t count = 0;
	for (size_t i = 0; i < record->asked_count; i++)
		if (record->asked[i].meant_ns > 0)
			late[count++] = record->asked[i].late_us;
	*ret_late_p99_ms = percentile(late, count, 99) / 1000.0;
	free(late);
	return 0;
}

/* Whole seconds, as the counters are. */
static void sum_attack(const struct run_plan *plan, const struct record *record, double mitigated_s,
		       struct figures *figures)
{
	double offered = 0, sent = 0, tried = 0, written = 0, reached = 0, sent_then = 0, seconds = 0;
	uint32_t busiest = 0;
	size_t last = (plan->quiet_ms + plan->attack_ms) / 1000;
	double held_s = figures->onset_s + (isnan(figures->restored_s) ? 0 : figures->restored_s);
	held_s = fmax(held_s, isnan(mitigated_s) ? 0 : mitigated_s);
	for (size_t second = plan->quiet_ms / 1000; second < last && second < RECORD_SECONDS; second++) {
		offered += record->attack[second].offered;
		sent += record->attack[second].sent;
		tried += record->attack[second].tried;
		written += record->attack[second].written;
		seconds += run_plan_attacks(plan, (uint32_t)second * 1000);
		for (size_t i = 0; i < OUTCOMES; i++)
			figures->attack_outcomes[i] += record->attack[second].outcomes[i];
		if (record->origin[second].busiest > busiest)
			busiest = record->origin[second].busiest;
		if ((double)second < held_s)
			continue;
		sent_then += record->attack[second].sent;
		reached += record->origin[second].attackers;
	}
	figures->offered_per_second = seconds > 0 ? offered / seconds : 0;
	figures->sent_per_second = seconds > 0 ? sent / seconds : 0;
	figures->connecting_per_second = seconds > 0 ? tried / seconds : 0;
	figures->written_per_second = seconds > 0 ? written / seconds : 0;
	figures->planned_per_second = plan->attacks_per_second;
	figures->reached_percent = percent_of(reached, sent_then);
	figures->origin_busy_percent = percent_of(busiest, ORIGIN_SLOTS);
}

static double share_spent(const struct toll *from, const struct toll *to)
{
	return to->at_ns > from->at_ns ? (double)(to->spent_ns - from->spent_ns) / (double)(to->at_ns - from->at_ns)
				       : NAN;
}

static double ns_per_packet(const struct record *record)
{
	const struct toll *quiet = &record->quiet_to, *attack = &record->attack_to;
	double taken = (double)(attack->received - quiet->received);
	double more = share_spent(quiet, attack) - share_spent(&record->quiet_from, quiet);
	return taken > 0 ? more * (double)(attack->at_ns - quiet->at_ns) / taken : NAN;
}

static double per_second_received(const struct record *record)
{
	const struct toll *quiet = &record->quiet_to, *attack = &record->attack_to;
	double seconds = (double)(attack->at_ns - quiet->at_ns) / 1e9;
	return seconds > 0 ? (double)(attack->received - quiet->received) / seconds : NAN;
}

static uint64_t stopped_of(const struct fence_counts *counts)
{
	return counts->dropped + counts->answered;
}

/* What the gate's card had no room for nobody could stop. What passes holds the answers of forged people's hosts too.
 */
static void sum_packets(const struct run_plan *plan, const struct record *record, struct figures *figures)
{
	double stopped = (double)(stopped_of(&record->fence_attack) - stopped_of(&record->fence_quiet)), sent = 0;
	double lost = (double)(record->attack_to.lost - record->quiet_to.lost), came;
	for (size_t second = 0; second < RECORD_SECONDS; second++)
		sent += record->attack[second].sent;
	came = sent - lost;
	figures->lost_percent = sent > 0 && plan->shape->volley.kind != PACKET_NONE ? percent_of(lost, sent) : NAN;
	figures->asked_s = record->asked_first_ns > 0 ? (double)record->asked_first_ns / 1e9 : NAN;
	figures->asked_rules = record->asked_rules;
	figures->received_per_second = per_second_received(record);
	figures->packet_ns = ns_per_packet(record);
	figures->stopped_percent = came > 0 && stopped > 0 ? percent_of(stopped, came) : NAN;
	figures->stopped_s = record->fence_first_ns > 0 ? (double)record->fence_first_ns / 1e9 : NAN;
}

static double busy_percent(const struct client_use *use)
{
	return percent_of((double)use->attack_cpu_ns, (double)use->attack_wall_ns);
}

int figures_of(const struct run_plan *plan, const struct record *record, double mitigated_s,
	       struct figures *ret_figures)
{
	struct figures f = {.onset_s = (double)record->attackers_use.first_ns / 1e9};
	int64_t quiet_ns = ms(plan->quiet_ms), attack_end_ns = quiet_ns + ms(plan->attack_ms);
	int64_t end_ns = ms(run_plan_end_ms(plan));
	int64_t onset_ns = f.onset_s > 0 ? (int64_t)record->attackers_use.first_ns : quiet_ns;
	const struct choice quiet = {.from_ns = ms(SETTLING_MS), .to_ns = quiet_ns};
	const struct choice attack = {.from_ns = onset_ns, .to_ns = attack_end_ns, .attacked = plan};
	const struct choice after = {.from_ns = attack_end_ns, .to_ns = end_ns};
	struct choice guests = {COMPANY_GUESTS, onset_ns, attack_end_ns, plan};
	int r = span_of(record, &quiet, &f.quiet);
	r = r != 0 ? r : span_of(record, &attack, &f.attack);
	r = r != 0 ? r : span_of(record, &after, &f.after);
	r = r != 0 ? r : span_of(record, &guests, &f.guests);
	guests.company = COMPANY_FORGED;
	r = r != 0 ? r : span_of(record, &guests, &f.forged);
	r = r != 0 ? r : find_restoration(plan, record, onset_ns, &f.restored_s);
	if (r == 0 && !isnan(f.restored_s)) {
		/* What a mitigation held may have been well enough before it, but by no doing of its. */
		double began_s =
			fmax(mitigated_s, record->asked_first_ns > 0 ? (double)record->asked_first_ns / 1e9 : NAN);
		double held_s = fmax((double)onset_ns / 1e9 + f.restored_s, began_s);
		struct choice held = {COMPANY_VISITORS, (int64_t)(held_s * 1e9), end_ns, NULL};
		r = span_of(record, &held, &f.held);
		held.company = COMPANY_GUESTS;
		r = r != 0 ? r : span_of(record, &held, &f.guests_held);
	}
	r = r != 0 ? r : find_lateness(record, &f.late_p99_ms);
	if (r != 0)
		return r;
	sum_attack(plan, record, mitigated_s, &f);
	sum_packets(plan, record, &f);
	f.crowd_busy_percent = busy_percent(&record->visitors_use) + busy_percent(&record->attackers_use);
	*ret_figures = f;
	return 0;
}
