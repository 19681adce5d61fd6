/*
 * What is in flight in this process: connections from accept on, in lists by whether they serve a request, and the
 * requests that have arrived and not ended. Kept while events are told; else there is nothing in it, and every function
 * here does nothing.
 */
#ifndef GUIA_NGINX_FLIGHT_H
#define GUIA_NGINX_FLIGHT_H

#include "gate.h"

#include "wire/outbox.h"

struct gate_flight {
	struct connection_counters *counters; /* the outbox's; NULL: nothing is kept */
	ngx_queue_t waiting;                  /* struct gate_connection that serve no request, as they began to */
	ngx_queue_t serving;
	ngx_queue_t requests; /* struct gate_passage, as they arrived */
	ngx_queue_t *next;    /* of the requests, where they are gone through and some of them ended on the way */
};

/* In this process; the counters stay the caller's. */
void gate_flight_start(struct connection_counters *counters);
void gate_flight_stop(void);

struct gate_flight *gate_flight(void);

/* A connection was accepted. It leaves by itself when it ends. NULL without memory: it is not in the lists. */
struct gate_connection *gate_flight_enter(ngx_connection_t *c);

/* NULL for one that was accepted before. */
struct gate_connection *gate_connection_find(ngx_http_request_t *r);

/* A request is in flight, and is not any more: with its end, or when its context goes without one. */
void gate_passage_enter(struct gate_passage *passage);
void gate_passage_leave(struct gate_passage *passage, uint64_t now_ns);

/* Of one that serves no request; of a request that has not ended. */
enum connection_state gate_connection_state(const struct gate_connection *own);
enum connection_state gate_request_state(const struct gate_context *context);

#endif
