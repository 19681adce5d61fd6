/*
 * Requests that are refused when their head has been read, before anything inspects them and before their body is read:
 * of banned sources, and those that match a signature. Handlers of nginx's post-read phase, behind those that find the
 * client's address and tell events of it.
 */
#ifndef GUIA_NGINX_REFUSAL_H
#define GUIA_NGINX_REFUSAL_H

#include "gate.h"

/* Only those whom a header names come so far: others were closed when they were accepted. */
ngx_int_t gate_refuse_banned(ngx_http_request_t *r);

/* A person's ban goes before a signature: behind the other. */
ngx_int_t gate_refuse_matched(ngx_http_request_t *r);

#endif
