/*
 * What the gate tells the watch of requests (wire/outbox.h): an event for each when its head has been read, one when it
 * ends, and counters. All is of this process.
 */
#ifndef GUIA_NGINX_EVENTS_H
#define GUIA_NGINX_EVENTS_H

#include "gate.h"

#include "wire/outbox.h"

/* The number of a site among those of the configuration; added if need be. NGX_ERROR without memory. */
ngx_int_t gate_events_site(ngx_conf_t *cf, struct gate_main *main, ngx_str_t *name);

/* In this process, after the fork; the outbox stays the caller's. Before, and after the stop, nothing is told. */
void gate_events_start(const struct gate_main *main, struct outbox *outbox);
void gate_events_stop(void);

/* A handler of nginx's post-read phase, behind those that find the client's address; and one of its log phase. */
ngx_int_t gate_events_arrive(ngx_http_request_t *r);
ngx_int_t gate_events_end(ngx_http_request_t *r);

/* Its transaction has begun: its head may be one of those that are kept. */
void gate_events_head(struct gate_context *context);

#endif
