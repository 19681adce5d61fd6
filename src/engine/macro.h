/* Text with %{...} at run time. What is absent is empty. */
#ifndef GUIA_ENGINE_MACRO_H
#define GUIA_ENGINE_MACRO_H

#include "engine/transaction.h"

/*
 * The expansion, as long-lived as the transaction: the text as written, a variable's own bytes, or a composition in the
 * arena. `rule` is the link that asks; NULL if none. Empty when the arena is exhausted.
 */
struct slice macro_expand(struct transaction *t, const struct macro *macro, const struct rule *rule);

/* The same of a macro in which a variable of TX is owed (owed.h), which stays so. False: there is none. */
bool macro_expand_owed(struct transaction *t, const struct macro *macro, const struct rule *rule,
		       struct owed_key *ret_key);

/* The number the expansion begins with, as atoll reads it; an integer of TX is taken as it is. */
int64_t macro_number(struct transaction *t, const struct macro *macro, const struct rule *rule);

#endif
