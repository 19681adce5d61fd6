/* What is known of a rule when it is loaded: whether requests are asked about it at all, and how. For rule authors. */
#ifndef GUIA_ENGINE_STANDING_H
#define GUIA_ENGINE_STANDING_H

#include "engine/plan.h"

enum standing_kind {
	STANDING_NEVER,     /* no request can make it match, or come to it */
	STANDING_SETTLED,   /* it matches whatever the request: what it sets is there already */
	STANDING_CANDIDATE, /* evaluated when some value makes a candidate of it */
	STANDING_ALWAYS,    /* evaluated for every request that comes to it */
};

struct standing {
	enum standing_kind kind;
	const char *reason;         /* of STANDING_ALWAYS; else "" */
	unsigned scanned;           /* targets whose values are asked by the scan for many patterns */
	unsigned scanned_inexactly; /* of those, whose hit must be confirmed by PCRE2 */
	unsigned asked;             /* targets whose values are asked by the operator itself */
	bool by_pcre2;              /* that operator is @rx: PCRE2 for each value */
};

/* One for each rule of the rule set, in its order. `standings` has room for rule_count. */
void standing_find(const struct plan *plan, struct standing *standings);

#endif
