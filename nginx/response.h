/*
 * Responses. The filters stand between the postpone filter and gzip, so that they see the whole page, subrequests'
 * parts in their places, before it is compressed.
 *
 * Where a rule could still disrupt and the type is inspected, the headers wait and the bytes are kept until the page is
 * complete or longer than the limit; then phase 4 gives its verdict and all goes on, or replace.c puts a page in its
 * place. Where no verdict can disrupt, the bytes pass and are inspected as they pass. Everything else passes untouched.
 */
#ifndef GUIA_NGINX_RESPONSE_H
#define GUIA_NGINX_RESPONSE_H

#include "gate.h"

/* Puts the filters ahead of those that are there. Once a configuration. */
void gate_filters_install(void);

#endif
