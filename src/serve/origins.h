/*
 * Where requests go on to. An origin at which the gate itself listens would be asked by the gate, which asks it again,
 * until no connection is left: one written so is refused, one whose name leads there is not asked.
 */
#ifndef GUIA_SERVE_ORIGINS_H
#define GUIA_SERVE_ORIGINS_H

#include "serve/config.h"
#include "serve/notice.h"

/* Of those given as addresses, or as localhost: no other name is looked up. 0, CONFIG_INVALID, or -ENOMEM. */
int origins_check(const struct serve_config *config, struct diagnostics *diagnostics);

/*
 * Looks all names up. Of each site whether its origin can be asked; of those that cannot it says why. For free(), NULL
 * if there is no memory.
 */
bool *origins_resolve(const struct serve_config *config, const struct notice *notice);

#endif
