/* One rule, with what is chained to it, against a transaction. */
#ifndef GUIA_ENGINE_RULE_H
#define GUIA_ENGINE_RULE_H

#include "engine/transaction.h"

/*
 * Evaluates the head and its chain; runs actions, notes matches and logs. 1 it matched, 0 not, -ENOMEM, or -EIO when a
 * scan failed.
 */
int rule_evaluate(struct transaction *t, const struct rule *head);

/* Whether the rule's own disruptive action, where it matches, is `pass`: then a `status` set before has no effect. */
static inline bool rule_passes(const struct rule *rule)
{
	return (rule->disruptive == DISRUPTIVE_BLOCK ? rule->block_action : rule->disruptive) == DISRUPTIVE_PASS;
}

/* What that does to the transaction. */
static inline void rule_pass(struct transaction *t, const struct rule *rule)
{
	if (t->rule_engine == SWITCH_ON && rule_passes(rule))
		t->pending_status = 0;
}

#endif
