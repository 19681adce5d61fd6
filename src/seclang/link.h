/* Units in order to one rule set: settings applied, exclusions carried out, rules sorted into phases. */
#ifndef GUIA_SECLANG_LINK_H
#define GUIA_SECLANG_LINK_H

#include "seclang/compile.h"
#include "seclang/unit.h"

/* Whether the exclusion is about this rule. Links have no id of their own in ModSecurity: an id means the head. */
bool exclusion_means(const struct exclusion *exclusion, const struct rule *rule);

int link_units(struct pool *pool, struct seclang_unit *const *units, size_t count, struct diagnostics *diagnostics,
	       struct arena *arena, struct ruleset *ret_ruleset, struct seclang_counts *counts);

#endif
