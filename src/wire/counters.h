/*
 * What one worker counts. Every number has one writer, who adds with plain loads and stores; readers may look at any
 * time and see each number whole. Sums only grow, over the lives of all workers that used the block one after another,
 * so that nothing is lost with a worker; gauges are of the living one.
 */
#ifndef GUIA_WIRE_COUNTERS_H
#define GUIA_WIRE_COUNTERS_H

#include "wire/event.h"

#include <stdatomic.h>

typedef _Atomic uint64_t counter;

static inline void counter_add(counter *c, uint64_t amount)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + amount, memory_order_relaxed);
}

static inline void counter_set(counter *c, uint64_t value)
{
	atomic_store_explicit(c, value, memory_order_relaxed);
}

static inline uint64_t counter_get(const counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

enum { STATUS_CLASSES = 6 }; /* 0: no answer; 1: 1xx; ... */

/*
 * arrived = ended, all verdicts and reasons, + abandoned + those in flight. findings = those written to the ring +
 * findings_shed, so that what a reader took and missed of the ring, and what was shed, are all there were.
 */
struct site_counters {
	counter arrived;
	counter abandoned; /* were in flight when their worker died */
	counter ended[EVENT_VERDICTS][EVENT_REASONS];
	counter status[STATUS_CLASSES];
	counter bytes_in;
	counter bytes_out;
	counter origin_requests;
	counter origin_us;
	counter copies; /* answered with a kept copy */
	counter findings;
	counter findings_shed; /* not told: they passed the rate of findings */
	counter bodies_shed;   /* told without their bodies: those passed the rate of bytes */
};

/* A connection is in one of the first two states while no request of it is being served; a request in one of the
 * others. */
enum connection_state {
	STATE_READING_HEADER, /* from accept on: TLS handshake, silence, an unfinished head */
	STATE_IDLE,           /* kept alive between requests */
	STATE_READING_BODY,
	STATE_WAITING, /* for the origin */
	STATE_WRITING,
	STATE_WORKING, /* anything else: inspection, a queue, access control */
	CONNECTION_STATES,
};

const char *connection_state_name(unsigned state);

/* Why the gate closed a connection that brought nothing, or gave up a request whose body did not come. */
enum shed_kind {
	SHED_HEAD,        /* connections ran short: no whole head was there yet */
	SHED_BODY,        /* connections ran short: its body came slowly */
	SHED_BELOW_RATE,  /* its body was below guia_body_rate */
	SHED_CROWDED,     /* its source had too many */
	SHED_REFUSED,     /* its source had twice as many: it was not let in */
	SHED_TURNED_AWAY, /* more came than could be begun with, and nobody knew its source */
	SHED_KINDS,
};

const char *shed_kind_name(unsigned kind);

/* An origin as a worker's admission sees it; gauges. */
struct origin_gauges {
	counter in_use;  /* requests that it works at, of all workers */
	counter at_most; /* that it takes at once, as learned */
	counter waiting; /* for a slot, of this worker */
};

enum { LOAD_ORIGINS = 64 }; /* of more nothing is told */

/* accepted = closed + abandoned + those that are open. */
struct connection_counters {
	counter accepted;
	counter closed;
	counter abandoned;
	counter silent;                 /* closed without any request, the banned ones among them */
	counter banned;                 /* closed because of a ban */
	counter now[CONNECTION_STATES]; /* gauges */
	counter now_at_ns;              /* when they were taken, CLOCK_BOOTTIME */
	counter at_most;                /* a gauge: connections that the worker may have */
	counter shed[SHED_KINDS];
	counter kept_waiting; /* by the door, for long enough that visitors wait too; begun with or not */
};

#endif
