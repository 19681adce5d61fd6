/* A request's way to its verdict: the location is noted in the rewrite phase, phases 1 and 2 run at the end of
 * preaccess. */
#ifndef GUIA_NGINX_REQUEST_H
#define GUIA_NGINX_REQUEST_H

#include "gate.h"

/* Of the rewrite phase. Subrequests are not inspected on their own. */
ngx_int_t gate_rewrite_handler(ngx_http_request_t *r);
/* Of the preaccess phase. Runs once a request, also when a redirect brings it there first. */
ngx_int_t gate_preaccess_handler(ngx_http_request_t *r);

#endif
