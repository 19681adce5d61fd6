/* What is re-enacted, attacks and days on which nobody may be refused: a row each, all of it data. */
#ifndef GUIA_DRILL_SHAPE_H
#define GUIA_DRILL_SHAPE_H

#include "base/nearest.h"
#include "drill/packet.h"
#include "drill/people.h"

/* What is asked for. */
enum target {
	TARGET_RESIDENT,     /* what residents ask for: half of it public pages, half their own */
	TARGET_ONE_PAGE,     /* one URL, with a session, so that no copy answers it */
	TARGET_RANDOM_QUERY, /* public pages with a query that no cache has seen */
	TARGET_FORMS,        /* POST to search and login */
	TARGET_PRIVATE,      /* what residents ask for with their sessions */
};

/* How a request goes over the wire. */
enum manner {
	MANNER_WHOLE,     /* at once */
	MANNER_SLOW_HEAD, /* a header line now and then, without end */
	MANNER_SLOW_BODY, /* a body announced, a few bytes of it now and then */
};

enum kind {
	KIND_ATTACK, /* which must be survived */
	KIND_DARK,   /* which cannot be survived: a person must be told so */
	KIND_CALM,   /* nothing does harm: no visitor may be refused, closed out, or shown a copy */
};

/* What is promised to guests, besides what visitors are. */
enum promise {
	PROMISE_HELD,  /* served once the mitigation holds */
	PROMISE_NEVER, /* never refused, closed out, or shown a copy */
};

/* Visitors who are looked at by themselves. */
struct guests {
	const char *title; /* "people in the neighbouring /48"; NULL: there are none */
	struct group group;
	uint32_t per_second;
	bool late;    /* they come when the attack does, or would */
	bool allowed; /* `guia allow` is said of their address */
	enum promise promise;
};

/* An attack of packets rather than requests. */
struct volley_shape {
	enum packet_kind kind; /* PACKET_NONE: it is one of requests */
	uint32_t bytes;        /* of an IP packet */
	uint16_t from_port;    /* 0: any */
	bool only_v4;
	bool tracked;              /* the gate's host tracks connections, and has NAT (drill/tracking.h) */
	uint32_t forged_residents; /* so many residents' addresses are among the forged ones */
};

struct shape {
	const char *name;
	const char *title;
	enum kind kind;
	enum target target;
	enum manner manner;
	struct volley_shape volley;
	uint32_t link_mbit; /* of the link to the gate, which the attack fills; 0: it has no bound */
	bool dark;          /* the session with the operator goes last there, and begins after the attack */
	struct group attackers;
	uint32_t per_second; /* packets, as many as may be; requests; of slow manners pieces: each source sends one or
				opens its connection anew */
	uint32_t burst;      /* requests that a source sends one after another, then it rests; 0: it never does */
	uint32_t burst_gap_ms;
	uint32_t on_ms; /* of a pulse; 0: all the time */
	uint32_t off_ms;
	uint32_t attack_ms;            /* 0: what is usual */
	uint32_t after_ms;             /* watched afterwards, where not brief; 0: what is usual */
	uint32_t control_ms;           /* of it without Guia, until the harm is plain; 0: what is usual */
	uint32_t residents_per_second; /* 0: what is usual */
	struct guests guests;
};

extern const struct shape shapes[];
extern const size_t shape_count;

/* The row of that name, or NULL, with what may have been meant in `*nearest`. */
const struct shape *shape_find(const char *name, struct nearest *nearest);

/* A run of a shape: its phases, in milliseconds from the start, and how many there are. */
struct run_plan {
	const struct shape *shape;
	uint32_t quiet_ms;  /* where the attack begins */
	uint32_t attack_ms; /* how long it lasts */
	uint32_t after_ms;  /* how long it is watched afterwards */
	uint32_t on_ms;
	uint32_t off_ms;
	struct census census;
	uint32_t residents_per_second;
	uint32_t guests_per_second;
	uint32_t attacks_per_second; /* of the shape's per_second */
	uint32_t gate_takes;         /* packets a second, as it is; 0: nobody has looked */
	bool lightened;              /* to what this machine can send */
	bool brief;
	bool everyone; /* comes, as far as there is time */
};

/* `brief`: a few seconds at a third of the rate. */
struct run_plan run_plan_of(const struct shape *shape, uint64_t city, uint64_t day, bool brief);

/*
 * How many packets a second a gate can take in that nobody protects differs with the machine. To find out, as many as
 * there may be are sent for a moment; whether that is to be done.
 */
bool run_plan_needs_look(const struct run_plan *plan);
struct run_plan run_plan_look(const struct run_plan *plan);

/* So many are sent that such a gate loses most of them, visitors' too, and no more than the shape has. */
void run_plan_overwhelm(struct run_plan *plan, uint32_t gate_takes);

/*
 * Fewer whole requests or packets a second than the shape has, where this machine's crowd cannot send more (0: nobody
 * has seen that). A full link stays full.
 */
void run_plan_lighten(struct run_plan *plan, uint32_t sends);

/* The same without Guia: it begins alike, and is over sooner. */
struct run_plan run_plan_control(const struct run_plan *plan);

/* The days before all runs of a drill: residents, as they come in quiet, from whom the watch learns who they are. */
struct run_plan run_plan_past(uint64_t city, bool brief);

/* What comes before the run with Guia begins: the same people as in its quiet, each of whom asks the gate once. */
struct run_plan run_plan_morning(const struct run_plan *plan);

static inline uint32_t run_plan_end_ms(const struct run_plan *plan)
{
	return plan->quiet_ms + plan->attack_ms + plan->after_ms;
}

/* Whether the attack is on: between its pulses it is not. */
bool run_plan_attacks(const struct run_plan *plan, uint32_t at_ms);

#endif
