/* From a rule's target to the values it looks at: selectors, counts, exclusions, and what ctl took away. */
#ifndef GUIA_ENGINE_TARGET_H
#define GUIA_ENGINE_TARGET_H

#include "engine/transaction.h"

enum { SELECTION_FEW = 8 };

/* The values of one target. Not to be moved: it may point into itself. */
struct selection {
	struct value *const *items;
	size_t count;
	struct value *few[SELECTION_FEW];
	struct value single;    /* of TX:name */
	struct tx_entry *entry; /* of TX:name: its number is known without its text */
};

/*
 * The values `rule` looks at for `target`, exclusions applied. A counted target's values are selected all the same:
 * ->count is the number. 0 or -ENOMEM.
 */
int target_select(struct transaction *t, const struct rule *rule, const struct target *target,
		  struct selection *ret_selection);

/* Whether a ctl that removes rules or targets means this link. */
bool target_ctl_means(struct transaction *t, const struct ctl *ctl, const struct rule *rule);

#endif
