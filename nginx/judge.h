/*
 * A background update of a cache has nobody whose verdict it could wait for: its page never comes to a filter. It is
 * judged when it is complete, from the temporary file, by a transaction that leaves no record and sees no collections.
 */
#ifndef GUIA_NGINX_JUDGE_H
#define GUIA_NGINX_JUDGE_H

#include "gate.h"

/* At the time of the response's headers: it is kept only if it passes. */
void gate_store_judge(struct gate_context *context, ngx_http_request_t *r);

#endif
