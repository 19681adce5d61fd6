/*
 * The patterns that were compiled into databases, asked of a value at once: one scan per distinct bytes and database;
 * its bits answer for every rule of the group.
 */
#ifndef GUIA_ENGINE_SCAN_H
#define GUIA_ENGINE_SCAN_H

#include "engine/transaction.h"

enum scan_answer {
	SCAN_SAYS_NOTHING, /* ask the operator */
	SCAN_SAYS_NO,      /* the rule does not match the value, negation taken into account */
	SCAN_SAYS_YES,
	SCAN_FAILED,
};

/*
 * What the scan of the target's group says of a value after the rule's pipeline; SCAN_SAYS_NOTHING where the target is
 * in none. SCAN_FAILED: t->scan_failed is set, or memory ran out.
 */
enum scan_answer scan_ask(struct transaction *t, const struct target *target, const struct rule *rule,
			  struct result *result);

#endif
