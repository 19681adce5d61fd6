/*
 * Variables: from the state of a transaction to values. Most are filled as the request comes in; the others are made
 * when a rule asks.
 */
#ifndef GUIA_ENGINE_VARIABLE_H
#define GUIA_ENGINE_VARIABLE_H

#include "engine/transaction.h"

/*
 * All values of a variable, in order. `rule` is the one that asks (for RULE and XML); `target` its target, NULL in a
 * macro. TX is not among them: see tx.h. *ret_set lives until the variable changes. 0 or -ENOMEM.
 */
int variable_values(struct transaction *t, enum variable variable, const struct rule *rule, const struct target *target,
		    const struct value_set **ret_set);

/* Whether a scalar that nobody has set has a value all the same: one that is made when it is asked for. */
bool variable_is_made(enum variable variable);

/* Gives a scalar its value. */
int variable_set(struct transaction *t, enum variable variable, struct slice value);
/* "1" or "0". */
int variable_flag(struct transaction *t, enum variable variable, bool flag);

/* "ARGS:q", "&ARGS", "REQUEST_URI": in the arena. */
struct slice variable_full_name(struct transaction *t, const struct matched *matched);

#endif
