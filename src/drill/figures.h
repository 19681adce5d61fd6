/* What a run's record comes to. Pure: a record and a plan in, numbers out. */
#ifndef GUIA_DRILL_FIGURES_H
#define GUIA_DRILL_FIGURES_H

#include "drill/record.h"
#include "drill/shape.h"

/* Of whom figures are. */
enum company { COMPANY_VISITORS, COMPANY_GUESTS, COMPANY_FORGED };

/* What became of visitors' requests that were meant to be sent within a span of time. */
struct span {
	size_t asked;
	size_t outcomes[OUTCOMES];
	double answered_percent; /* by the origin's page, in time; 0 of none */
	double copies_percent;   /* by a last good copy, where one may be */
	double p50_ms;           /* of those answered */
	double p99_ms;
};

struct figures {
	struct span quiet;
	struct span attack; /* while it is on */
	struct span held;   /* from the restoration to the end of the run; empty if there was none */
	struct span after;  /* once the attack is over */
	struct span guests; /* in the attack, or when it would be */
	struct span guests_held;
	double onset_s;    /* the attackers' first packet, from the start; 0: none was sent */
	double restored_s; /* from onset to when residents are served again to the end of the attack; NAN: never */
	double planned_per_second;
	double offered_per_second; /* of the attack, while it was on */
	double sent_per_second;    /* requests and pieces written, or new connections tried for them; packets */
	double connecting_per_second;
	double written_per_second;
	double reached_percent; /* of what was sent, what came to the origin, once restored and mitigated, if it was */
	double late_p99_ms;     /* how late the residents' client was itself */
	double crowd_busy_percent;  /* of their processor, both clients' together, during the attack */
	double origin_busy_percent; /* of its slots, the busiest second of the attack */
	size_t attack_outcomes[OUTCOMES];
	/* Of an attack of packets: NAN where there is none. */
	double received_per_second; /* by the gate */
	double packet_ns;           /* of the gate's processor, for each that it received, above what it did in quiet */
	double lost_percent;        /* of those sent, for which the gate's card had no room */
	double stopped_percent;     /* of the others, dropped or answered at the edge, by its own counters */
	double stopped_s;           /* from the start: when the first was */
	double asked_s;             /* from the start: when the operator's table first had what was asked; NAN: never */
	int asked_rules;
	struct span forged; /* of residents whose addresses are forged, in the attack */
};

/* Which requests: of whom, meant in [from_ns, to_ns); with a plan, only while its attack is on. */
struct choice {
	enum company company;
	int64_t from_ns;
	int64_t to_ns;
	const struct run_plan *attacked;
};

/* 0 or -ENOMEM. */
int span_of(const struct record *record, const struct choice *choice, struct span *ret_span);

/* `mitigated_s`: when, from the start, a mitigation was in force; NAN: none was. */
int figures_of(const struct run_plan *plan, const struct record *record, double mitigated_s,
	       struct figures *ret_figures);

/* The percentage that a success must reach to be one. */
#define HELD_PERCENT      99.9
#define LINK_HELD_PERCENT 99.0 /* where the link is full */

static inline double held_percent_of(const struct run_plan *plan)
{
	return plan->shape->link_mbit > 0 ? LINK_HELD_PERCENT : HELD_PERCENT;
}

#endif
