/* Where visitors find the sites, for the watch to fetch them there. */
#ifndef GUIA_SERVE_TARGETS_H
#define GUIA_SERVE_TARGETS_H

#include "serve/config.h"

/*
 * Adds "HOST=http[s]://ADDRESS:PORT" for each site, its first host at the first address that serves it: with TLS where
 * it has a certificate; on this machine where it listens at all addresses. 0 or -ENOMEM.
 */
int targets_list(const struct serve_config *config, struct text_list *list);

#endif
