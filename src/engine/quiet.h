/*
 * Chains that never come to anything, remembered by what they look at. The Core Rule Set asks of every request whether
 * a header's name is restricted, a suffix forbidden, a length missing: chains whose first links match and whose last
 * does not; and what cannot be asked ahead, as which processor reads the body. Where all that such a chain reads is
 * fixed when it runs, and nobody but itself reads what it writes, its outcome is a function of the values it reads; if
 * that was "no" before for these very bytes, it need not run. Only for workers that keep nothing but verdicts: the
 * others want its traces.
 */
#ifndef GUIA_ENGINE_QUIET_H
#define GUIA_ENGINE_QUIET_H

#include "engine/remembered.h"
#include "engine/transaction.h"

/* At load: whether captures that a rule makes decide nothing in other rules. 0 or -ENOMEM. */
int quiet_captures(const struct plan *plan, bool *ret_fresh);

/*
 * At load, when the courses and their steps are complete: gives the steps whose chains are so a number. Rules that no
 * request can come to do not count as readers. 0 or -ENOMEM.
 */
int quiet_find(struct plan *plan);

/* The values that the chain reads. False if they are too long to remember. */
struct quiet_key {
	uint32_t step;
	uint64_t hash;
	bool untried; /* as of remembered_find() */
	size_t len;
	uint32_t names_before; /* of TX, composed at run time */
	uint8_t bytes[REMEMBERED_BYTES];
};
bool quiet_key_make(struct transaction *t, const struct course_step *step, struct quiet_key *ret_key);

/* Whether the chain is known not to match. */
bool quiet_is_known(struct transaction *t, struct quiet_key *key);
/* After an evaluation without a match. */
void quiet_remember(struct transaction *t, const struct quiet_key *key);

#endif
