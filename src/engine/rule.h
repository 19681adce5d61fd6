/* One rule, with what is chained to it, against a transaction. */
#ifndef GUIA_ENGINE_RULE_H
#define GUIA_ENGINE_RULE_H

#include "engine/transaction.h"

/*
 * Evaluates the head and its chain; runs actions, notes matches and logs. 1 it matched, 0 not, -ENOMEM, or -EIO when a
 * scan failed.
 */
int rule_evaluate(struct transaction *t, const struct rule *head);

#endif
