/* A lease: a route that somebody asked an operator for, with its end and a reason, and what becomes of it. */
#ifndef GUIA_UPSTREAM_LEASE_H
#define GUIA_UPSTREAM_LEASE_H

#include "base/buffer.h"
#include "upstream/guard.h"

#include <sys/types.h>

enum {
	LEASE_WHY_BYTES = 160,
	LEASE_RENEW_MS = 2000,    /* so often whoever holds leases says so; ... */
	LEASE_PATIENCE_MS = 5000, /* and so long it may wait before that for an answer to something else */
	LEASE_SILENT_MS = LEASE_RENEW_MS + LEASE_PATIENCE_MS,
	LEASE_HOLD_MS = 25000,
	LEASE_RETRY_MS = 1000, /* from a withdrawal that ExaBGP did not take to the next */

	/* Beside the guard's verdicts: */
	LEASE_UNHELD = GUARD_VERDICTS, /* nobody holds leases: it would be withdrawn at once */
	LEASE_UNWRITABLE,
	LEASE_UNKNOWN, /* there is no such lease */
};

enum lease_state {
	LEASE_ANNOUNCED,
	LEASE_LIFTED, /* withdrawn for a look at what comes without it */
	LEASE_ENDING, /* withdrawn; ExaBGP has not said that it did */
	LEASE_STATES,
};

/* "announced" */
const char *lease_state_name(enum lease_state state);

struct lease {
	uint32_t id;
	uint32_t operator_; /* its place among the book's */
	enum lease_state state;
	struct route route;
	uint64_t since_ms;
	uint64_t until_ms;
	uint64_t retry_ms; /* of LEASE_ENDING: when it is withdrawn again; 0: an answer is awaited */
	bool yes;
	bool taken;                /* the last line about it, announcement or withdrawal: ExaBGP said so */
	bool may_be_there;         /* ExaBGP took an announcement of the route, and no withdrawal since */
	uint64_t there_rate_bytes; /* in that announcement */
	uid_t by;
	char why[LEASE_WHY_BYTES + 1];
};

struct lease_ask {
	uint32_t operator_;
	const struct route *route;
	uint64_t until_ms;
	bool yes;
	uid_t by;
	struct slice
		why; /* cut to LEASE_WHY_BYTES, controls replaced; empty: the one it has, where it is asked again */
};

/* What becomes of a lease. */
enum lease_change {
	LEASE_KEEPER_BEGAN, /* of none */
	LEASE_ASKED,        /* it goes to ExaBGP */
	LEASE_RENEWED,      /* it has another end */
	LEASE_REFUSED,      /* the guard's verdict, or one of the above; there is no lease */
	LEASE_TAKEN,        /* ExaBGP says that it is announced */
	LEASE_NOT_TAKEN,
	LEASE_IS_LIFTED,
	LEASE_RAISED,
	LEASE_WITHDRAWN, /* somebody ends it */
	LEASE_LAPSED,    /* its time is over */
	LEASE_LET_GO,    /* nobody holds it any more */
	LEASE_GONE,      /* ExaBGP says that it is withdrawn */
	LEASE_CHANGES,
};
const char *lease_change_name(enum lease_change change);

/* Of a guard's verdict, or of an outcome above: what follows "the rule". */
const char *lease_outcome_text(int outcome);

/* Where what is to be written goes: the journal first. And who is told of what becomes of leases; NULL: nobody. */
struct lease_sink {
	struct buffer *journal;
	struct buffer *lines;
	void (*told)(void *context, const struct lease *lease, enum lease_change change, int outcome);
	void *context;
};

#endif
