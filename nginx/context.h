/*
 * What the gate knows of one client request. It hangs on the request's pool as well as on nginx's table, which internal
 * redirects clear.
 */
#ifndef GUIA_NGINX_CONTEXT_H
#define GUIA_NGINX_CONTEXT_H

#include "gate.h"

/* That of a request or subrequest's main request, or NULL. */
struct gate_context *gate_context_find(ngx_http_request_t *r);

/* Found or made. NULL without memory. */
struct gate_context *gate_context_get(ngx_http_request_t *r);

/* Its unique id, in hexadecimal: made when first asked for, as long as `id` is. */
const u_char *gate_context_id(struct gate_context *context);

#endif
