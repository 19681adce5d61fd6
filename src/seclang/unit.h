/*
 * A unit under its compiler's hands: what one source, with all it includes, says. Rules are finished; settings and
 * exclusions are kept as statements, because they count for a whole rule set.
 */
#ifndef GUIA_SECLANG_UNIT_H
#define GUIA_SECLANG_UNIT_H

#include "seclang/draft.h"
#include "seclang/setting.h"

enum exclusion_kind {
	EXCLUSION_REMOVE,        /* SecRuleRemoveBy... */
	EXCLUSION_UPDATE_TARGET, /* SecRuleUpdateTargetBy... */
	EXCLUSION_UPDATE_ACTION, /* SecRuleUpdateActionById */
};

enum exclusion_by { BY_ID, BY_TAG, BY_MESSAGE };

/* A change to rules of the whole rule set, whatever comes first. */
struct exclusion {
	enum exclusion_kind kind;
	enum exclusion_by by;
	struct id_range ids;
	struct slice text; /* of BY_TAG and BY_MESSAGE */
	struct target_list targets;
	struct draft *actions; /* of EXCLUSION_UPDATE_ACTION */
	const char *file;
	unsigned line;
};

struct phase_state {
	struct phase_defaults phases[PHASE_LAST + 1];
};

struct seclang_unit {
	struct unit shared; /* what rules point to */
	struct arena arena;
	struct rule **rules; /* heads and markers, in order */
	size_t rule_count;
	size_t rule_capacity;
	struct setting *settings;
	size_t setting_count;
	size_t setting_capacity;
	struct exclusion *exclusions;
	size_t exclusion_count;
	size_t exclusion_capacity;
	struct phase_state after; /* the defaults that the next unit begins with */
	size_t files;
	struct dependencies dependencies;
	size_t link_count; /* heads and links, without markers */
	size_t patterns;
	size_t exact_patterns;
	size_t databases;
	size_t databases_cached;
};

#endif
