/* Headers, as a transaction is given them. */
#ifndef GUIA_NGINX_HEADERS_H
#define GUIA_NGINX_HEADERS_H

#include "gate.h"

/* All of a request. 0 or -errno. */
int gate_request_headers_give(const ngx_http_request_t *request, struct guia_transaction *transaction);

/* Calls `each` for all of a response as they are now, until it returns another number than 0, which is returned. */
typedef int gate_header_fn(void *context, struct guia_slice name, struct guia_slice value);
int gate_response_headers_each(const ngx_http_request_t *request, gate_header_fn *each, void *context);

/* All of a response as they are now. 0 or -errno. */
int gate_response_headers_give(const ngx_http_request_t *request, struct guia_transaction *transaction);

#endif
