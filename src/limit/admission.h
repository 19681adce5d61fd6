/*
 * How many requests an origin is asked at once: learned from how long it takes to answer.
 *
 * An origin that is asked for more than it can do answers all of it late. What it can do shows in its latency: while it
 * keeps pace a request takes as long as it does in quiet, whatever else is in flight; beyond that each further request
 * only waits inside. So the limit grows while it is reached and answers come as quickly as in quiet, and shrinks by the
 * share by which they are late. Pages differ a thousandfold, so a request is compared with the quiet latency of its own
 * kind (its path, say), and the mean of these ratios decides. A limit never shrinks below what Little's law says of the
 * best throughput seen lately (requests a second times quiet latency): where the processor is what is short, latency
 * rises without a queue at the origin, and fewer requests would only mean fewer answers. An origin that has become
 * slower must not be taken for one that is asked too much: under lasting pressure the limit is halved for a moment
 * every ADMISSION_PROBE_US, and what requests take then is the new quiet latency. After: TCP Vegas (Brakmo and
 * Peterson, 1995), BBR (Cardwell et al., 2016), and adaptive concurrency limits of RPC servers.
 *
 * A struct admission lies in memory that the caller shares between processes. No call waits: counts are atomic, and
 * whoever first finds a window over judges it. A process counts in a place of its own, so that what a killed one had in
 * flight is forgotten by admission_forget. Times are of one monotonic clock, in microseconds; latency is from the
 * sending of a request to the first byte of the answer, so that answers streamed for hours hold no slot.
 */
#ifndef GUIA_LIMIT_ADMISSION_H
#define GUIA_LIMIT_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ADMISSION_PROCESSES = 64,
	ADMISSION_KINDS = 1024,
	ADMISSION_WINDOW_US = 100000,
	ADMISSION_RATES = 64, /* windows over which the best throughput is remembered */
	ADMISSION_PROBE_US = 10000000,
	ADMISSION_FIRST = 16, /* the limit before anything is known */
	ADMISSION_LEAST = 4,
	ADMISSION_MOST = 65536,
};

enum admission_outcome {
	ADMISSION_ANSWERED,
	ADMISSION_OVERLOADED, /* no answer, or one that says so: a refused connection, a timeout, 502, 503, 504 */
	ADMISSION_ABANDONED,  /* by the client, or never sent: tells nothing of the origin */
};

struct admission_window {
	_Atomic uint64_t ends_us;
	_Atomic uint64_t late_sum;  /* of latency over quiet latency, in 1/1024 */
	_Atomic uint64_t quiet_sum; /* of quiet latency, microseconds */
	_Atomic uint32_t count;
	_Atomic uint32_t overloaded;
	_Atomic uint32_t reached; /* some request found the limit reached */
};

/* All zero is a fresh one. */
struct admission {
	_Atomic uint32_t limit; /* 0: ADMISSION_FIRST */
	_Atomic uint32_t was_late;
	_Atomic uint32_t in_time; /* windows in a row in which the limit was reached and answers were in time */
	struct admission_window window;
	_Atomic uint64_t quiet_seen_us; /* when a quiet latency was last measured */
	_Atomic uint64_t probe_us;      /* when the last probe began */
	_Atomic uint64_t probe_ends_us;
	_Atomic uint32_t rate_at;
	_Atomic uint32_t needed[ADMISSION_RATES]; /* in flight by Little's law, of the windows before */
	_Atomic uint32_t late;                    /* of the last window, in 1/1024; 0: none yet */
	_Atomic uint32_t quiet_us;                /* of all kinds together */
	_Atomic uint32_t kind_us[ADMISSION_KINDS];
	_Atomic uint32_t in_flight[ADMISSION_PROCESSES];
};

/* Takes a slot for process `process`, or says that none is free. */
bool admission_enter(struct admission *a, size_t process, uint64_t now_us);

/* Gives the slot back and learns from what became of the request. `kind`: a hash of what requests of like cost share.
 */
void admission_leave(struct admission *a, size_t process, uint64_t kind, enum admission_outcome outcome,
		     uint64_t latency_us, uint64_t now_us);

/* At present, a probe's included. */
uint32_t admission_limit(const struct admission *a, uint64_t now_us);
uint32_t admission_in_flight(const struct admission *a);

/* What a process that no longer runs had in flight. */
void admission_forget(struct admission *a, size_t process);

/* Whether requests found no slot in this window or the one before: the origin is asked for more than it can do. */
bool admission_pressed(const struct admission *a, uint64_t now_us);

#endif
