/*
 * The answer of the gate's choice in place of a response of which nothing has been sent: nginx's page or the one of
 * error_page, as if the location's handler had returned the status. That must happen outside of the filters, or else
 * nginx closes the connection as soon as it can, cuts long pages and cannot fetch one; so what still comes is swallowed
 * until an event of our own. Subrequests in flight and tunnels cannot wait: there it is done from within the filter,
 * with an error for whoever was sending.
 */
#ifndef GUIA_NGINX_REPLACE_H
#define GUIA_NGINX_REPLACE_H

#include "gate.h"

/* Nothing of the response has been sent. What the filter that asks is to return. */
ngx_int_t gate_response_replace(struct gate_context *context, const struct guia_verdict *verdict);
ngx_int_t gate_response_replace_status(struct gate_context *context, uint16_t status);

#endif
