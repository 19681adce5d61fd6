/* A request as the events that are told of it (wire/event.h). */
#ifndef GUIA_NGINX_EVENT_H
#define GUIA_NGINX_EVENT_H

#include "gate.h"

/*
 * Whom events name. A proxy that names nobody stands for all of its clients: nothing of theirs may be laid on it, and
 * it is all zero.
 */
struct address gate_event_source(const struct sockaddr *from);

/* What an arrival and an end have in common. */
void gate_event_fill(struct event *event, ngx_http_request_t *r, const struct gate_passage *passage, uint64_t now_ns);

/* The event that an arrival is told by; it is at hand as long as the request is. */
void gate_event_arrival(struct event *event, ngx_http_request_t *r, const struct gate_passage *passage);

#endif
