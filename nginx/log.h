/*
 * Phase 5 and the records. A request that nginx answered by itself (malformed, too long, `return`) begins its
 * transaction here, so that phase 5 and the logs have it too.
 *
 * The lines name the client by themselves: nginx's own context would add the request line, in which people's secrets
 * stand as they were sent.
 */
#ifndef GUIA_NGINX_LOG_H
#define GUIA_NGINX_LOG_H

#include "gate.h"

/* A handler of nginx's log phase, ahead of its own. */
ngx_int_t gate_log_handler(ngx_http_request_t *r);
/* From here on what nginx logs of a request names it without secrets. A handler of nginx's first phase. */
ngx_int_t gate_log_watch(ngx_http_request_t *r);

#endif
