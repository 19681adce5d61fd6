/*
 * Whether a rule is still needed, where nothing counts what it drops: it is lifted for a few seconds, and raised again
 * at once if the attack is still there; each time the next look waits twice as long. Which states follow which is a
 * table. Pure: time is an argument.
 */
#ifndef GUIA_UPSTREAM_PROBING_H
#define GUIA_UPSTREAM_PROBING_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PROBING_FIRST_MS = 60 * 1000,
	PROBING_MOST_MS = 30 * 60 * 1000,
	PROBING_LOOK_MS = 5000, /* how long it is lifted, if nothing comes */
};

enum probing_state {
	PROBING_HELD,
	PROBING_LIFTED,
	PROBING_OVER,
	PROBING_STATES,
};

/* What moves it. */
enum probing_cause {
	PROBING_DUE,    /* it is time for a look */
	PROBING_ATTACK, /* what it is against comes */
	PROBING_CALM,   /* the look is over, and nothing came */
	PROBING_CAUSES,
};

enum probing_action { PROBING_NOTHING, PROBING_LIFT, PROBING_RAISE, PROBING_END };

struct probing {
	enum probing_state state;
	uint64_t since_ms;    /* of the state */
	uint64_t interval_ms; /* to the next look */
};

void probing_begin(struct probing *probing, uint64_t now_ms);

/* Whether the table has such a change, and what is to be done with it. */
bool probing_may(enum probing_state from, enum probing_cause cause, enum probing_state *ret_to,
		 enum probing_action *ret_action);

/*
 * Time passes. `attack`: what the rule is against is seen; `may_lift`: no other rule is lifted, and the attack is not
 * seen elsewhere. Whoever asks carries the action out.
 */
enum probing_action probing_step(struct probing *probing, uint64_t now_ms, bool attack, bool may_lift);

#endif
