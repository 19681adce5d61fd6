/*
 * From the lists of rule sources of all locations to compiled rule sets: equal lists are one rule set, and the pool of
 * compiled patterns is handed from one configuration cycle to the next, so that a reload with unchanged rules compiles
 * nothing and the master does not grow.
 */
#ifndef GUIA_NGINX_RULES_H
#define GUIA_NGINX_RULES_H

#include "gate.h"

/* Adds the arguments of a directive to a list, made if NULL. */
ngx_int_t gate_sources_add(ngx_conf_t *cf, ngx_array_t **list, ngx_str_t *arguments, ngx_uint_t count);
/* before, outer, after: a new list, or `outer` itself where the others are empty. NULL without memory. */
ngx_array_t *gate_sources_join(ngx_conf_t *cf, ngx_array_t *before, ngx_array_t *outer, ngx_array_t *after);
/* The rule set of a list: one and the same for equal lists. */
struct gate_ruleset *gate_ruleset_find(ngx_conf_t *cf, struct gate_main *main, ngx_array_t *sources);
/* Compiles all, opens the audit logs, and says what is wrong as nginx does. */
ngx_int_t gate_rulesets_compile(ngx_conf_t *cf, struct gate_main *main);
/* Gives back what the cycle holds, unless this process still has transactions. A pool's cleanup handler. */
void gate_main_cleanup(void *data);

#endif
