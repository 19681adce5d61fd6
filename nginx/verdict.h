/* A verdict as nginx answers it. */
#ifndef GUIA_NGINX_VERDICT_H
#define GUIA_NGINX_VERDICT_H

#include "gate.h"

/* The status of one other than GUIA_PASS; sets Location where it redirects. */
ngx_int_t gate_verdict_status(ngx_http_request_t *r, const struct guia_verdict *verdict);

#endif
