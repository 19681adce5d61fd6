/* `operators:` of the configuration: whom we may ask to filter, and what was agreed with them (docs/operators.md). */
#ifndef GUIA_SERVE_OPERATORS_H
#define GUIA_SERVE_OPERATORS_H

#include "serve/yaml_keys.h"

struct prefix;
struct upstream_operator; /* upstream/operator.h */

struct operator_list {
	struct upstream_operator *items;
	size_t count;
};

/* 0, CONFIG_INVALID, or -ENOMEM. Paths are as they were written. */
int operators_read(const struct yaml_node *list, const struct yaml_source *source, struct operator_list *ret_operators);

/* Whether an address is in the prefixes of one of them. */
bool operators_own(const struct operator_list *operators, struct slice address);

/* Networks that are never filtered, beside those that operators name. 0 or -ENOMEM. */
int operators_spare(struct operator_list *operators, const struct prefix *prefixes, size_t count, struct arena *arena);

#endif
