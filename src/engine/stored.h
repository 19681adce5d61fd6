/* Collections kept between transactions: IP, GLOBAL, SESSION, RESOURCE, USER. Without a store they are empty. */
#ifndef GUIA_ENGINE_STORED_H
#define GUIA_ENGINE_STORED_H

#include "engine/transaction.h"

/* initcol, setsid, setuid, setrsc: which record the collection is from now on. */
void stored_open(struct transaction *t, enum variable collection, struct slice key);

/* The same where what the key is made of is not known yet: it is made when the record is asked for. */
void stored_open_owed(struct transaction *t, enum variable collection, const struct owed_key *key);

/*
 * All live values of the record, read once in a phase and again after a change of the transaction's own: `set` is that
 * of the collection, as the last call left it. 0 or -ENOMEM.
 */
int stored_values(struct transaction *t, enum variable collection, struct value_set *set);

/* setvar on a stored collection. */
void stored_set(struct transaction *t, enum variable collection, struct slice name, struct slice value);
void stored_add(struct transaction *t, enum variable collection, struct slice name, int64_t amount);
void stored_unset(struct transaction *t, enum variable collection, struct slice name);

/* expirevar */
void stored_expire(struct transaction *t, enum variable collection, struct slice name, int64_t seconds);

/* deprecatevar: takes `amount` off for every `seconds` since the value was last changed, down to 0. */
void stored_deprecate(struct transaction *t, enum variable collection, struct slice name, int64_t amount,
		      int64_t seconds);

#endif
