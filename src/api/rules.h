/*
 * What the two halves of this room share: rules.c makes a rule set and its plan (plan_create, after the compilation,
 * the last thing that can fail), transaction.c runs requests over it.
 */
#ifndef GUIA_API_RULES_H
#define GUIA_API_RULES_H

#include "engine/plan.h"
#include "guia.h"

/* Lives as long as the rules. */
const struct plan *rules_plan(const struct guia_rules *rules);

#endif
