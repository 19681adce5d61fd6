/* One rule, with what is chained to it, against a transaction. */
#ifndef GUIA_ENGINE_RULE_H
#define GUIA_ENGINE_RULE_H

#include "engine/transaction.h"

/*
 * Evaluates the head and its chain; runs actions, notes matches and logs. 1 it matched, 0 not, -ENOMEM, or -EIO when a
 * scan failed.
 */
int rule_evaluate(struct transaction *t, const struct rule *head);

/* The link's disruptive action; `block` is what its phase's default says. */
static inline enum disruptive rule_disruption(const struct rule *rule)
{
	return rule->disruptive == DISRUPTIVE_BLOCK ? rule->block_action : rule->disruptive;
}

/* Whether that, where the link matches, is `pass`: then a `status` set before has no effect. */
static inline bool rule_passes(const struct rule *rule)
{
	return rule_disruption(rule) == DISRUPTIVE_PASS;
}

/* Whether the link has a setvar. */
static inline bool rule_sets_variables(const struct rule *rule)
{
	for (size_t i = 0; i < rule->action_count; i++)
		if (rule->actions[i].kind == ACTION_SETVAR)
			return true;
	return false;
}

/* What that does to the transaction. */
static inline void rule_pass(struct transaction *t, const struct rule *rule)
{
	if (t->rule_engine == SWITCH_ON && rule_passes(rule))
		t->pending_status = 0;
}

#endif
