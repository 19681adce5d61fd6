/* What rules do when they match, apart from disrupting: setvar, ctl, initcol and the like. */
#ifndef GUIA_ENGINE_ACTION_H
#define GUIA_ENGINE_ACTION_H

#include "engine/transaction.h"

/* What a chain has added to the scores of the Core Rule Set. */
struct score_change {
	int64_t inbound;
	int64_t outbound;
	bool scored;
};

/* The setvars of a link: they run for each value that matches. 0 or -ENOMEM. */
int action_run_setvars(struct transaction *t, const struct rule *rule, struct score_change *change);

/* The other actions: they run once the rule, with what is chained to it, has matched. 0 or -ENOMEM. */
int action_run_others(struct transaction *t, const struct rule *rule);

/* One ctl. 0 or -ENOMEM. */
int ctl_run(struct transaction *t, const struct ctl *ctl, const struct rule *rule);

#endif
