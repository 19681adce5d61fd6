/* The rules of a site as the gate is given them: the files that the configuration names, and what it says in words. */
#ifndef GUIA_SERVE_SITE_RULES_H
#define GUIA_SERVE_SITE_RULES_H

#include "guia.h"
#include "serve/config.h"

struct site_rules {
	struct guia_source *items; /* in order, in the arena */
	size_t count;
};

/* `recommended` is the file for a configuration without rules of its own. 0 or -ENOMEM. */
int site_rules_list(const struct serve_config *config, const struct site *site, const char *recommended,
		    struct arena *arena, struct site_rules *ret_rules);

/* Whether both come to the same rule set. */
bool site_rules_equal(const struct site_rules *a, const struct site_rules *b);

/* The directive that goes with `body_limit_mb`; empty if nothing was said. 0 or -ENOMEM. */
int site_rules_body_limit(const struct serve_config *config, struct arena *arena, const char **ret_directive);

/* The directive that goes with `detect`. */
extern const char site_rules_detect[];

#endif
