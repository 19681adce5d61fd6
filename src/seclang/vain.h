/* What is well said and yet in vain, told as warnings: it is a slip more often than not, and nothing else would show
 * it. */
#ifndef GUIA_SECLANG_VAIN_H
#define GUIA_SECLANG_VAIN_H

#include "seclang/unit.h"

/* A rule set before its exclusions are carried out. */
struct vain {
	struct seclang_unit *const *units;
	size_t unit_count;
	const struct rule *const *rules; /* heads and markers, in order */
	size_t rule_count;
	struct diagnostics *diagnostics;
};

/*
 * Rules that nothing ever runs, for want of SecRuleEngine; exclusions that are about no rule; and a skipAfter whose
 * marker does not follow, which skips all that is left of the phase.
 */
void vain_tell(const struct vain *vain);

#endif
