/*
 * What the gate tells the watch (wire/outbox.h): an event for each request when its head has been read, one when it
 * ends, counters, and the state of connections from accept on. All is of this process; without guia_events, or where
 * its directory does not do, nothing is told and every function here does nothing.
 */
#ifndef GUIA_NGINX_EVENTS_H
#define GUIA_NGINX_EVENTS_H

#include "limit/connection_counts.h"
#include "wire/outbox.h"

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

struct gate_context;
struct gate_main;

/* A connection that was accepted while events are told: from then to its end, in a list of the process's. */
struct gate_connection {
	ngx_queue_t link;
	ngx_connection_t *connection;
	struct sockaddr *peer; /* whom we speak with, whatever a header says */
	uint64_t since_ns;     /* it serves no request, or was accepted */
	ngx_uint_t serving;    /* requests begun and not ended */
	ngx_uint_t served;
	struct connection_ticket ticket; /* by which its source's are counted */
	unsigned refused : 1;            /* its source was banned, and it is being closed */
};

/* A request's part, in its context. */
struct gate_passage {
	ngx_queue_t link; /* of those in flight */
	uint64_t at_ns;
	uint64_t request;
	uint64_t path;
	uint64_t agent;
	uint64_t shape;
	struct event_arrival arrival;
	uint32_t since_ms; /* its source's last request; 0: nobody knows */
	uint16_t site;
	uint16_t flags;
	struct gate_connection *connection;
	unsigned arrived : 1;
	unsigned ended : 1;
};

/* ---- events.c ---- */

/* The number of a site among those of the configuration; added if need be. NGX_ERROR without memory. */
ngx_int_t gate_events_site(ngx_conf_t *cf, struct gate_main *main, ngx_str_t *name);

/* In this process, after the fork. */
void gate_events_start(ngx_cycle_t *cycle, struct gate_main *main);
void gate_events_stop(void);

/* A handler of nginx's post-read phase, behind those that find the client's address; and one of its log phase. */
ngx_int_t gate_events_arrive(ngx_http_request_t *r);
ngx_int_t gate_events_end(ngx_http_request_t *r);
/* Spent on it; of several where another origin was tried, or an error page fetched. False: none was asked. */
bool gate_origin_time(const ngx_http_request_t *r, uint32_t *ret_us);

/* A kept copy is the answer. */
bool gate_answer_is_copy(const ngx_http_request_t *r);

/* The event that its arrival was told by, once more; all zero where it was not told. */
void gate_events_arrival(const struct gate_context *context, struct event *ret_event);

/* Its transaction has begun: its head may be one of those that are kept. */
void gate_events_head(struct gate_context *context);

/* A mitigation was carried out. */
void gate_events_hit(uint32_t mitigation);

/* The context goes, with or without an end. */
void gate_passage_leave(struct gate_passage *passage);

/* ---- connections.c ---- */

/* Accepted connections come through us from now on. In the master, for each configuration. */
void gate_connections_watch(ngx_cycle_t *cycle);

/* In this process; the outbox stays the caller's. A body must come at `body_rate` bytes a second; 0: at any. */
void gate_connections_start(struct outbox *outbox, size_t body_rate, ngx_log_t *log);
void gate_connections_stop(void);

/* There are new bans: closes what those have open who are banned now. */
void gate_connections_refuse(void);

/* NULL for one that was accepted before. */
struct gate_connection *gate_connection_find(ngx_http_request_t *r);

/* The passage is in flight, and is not any more. */
void gate_connections_enter(struct gate_passage *passage);
void gate_connections_leave(struct gate_passage *passage);

/* Of one that serves no request; of a request that has not ended. */
enum connection_state gate_connection_state(const struct gate_connection *own);
enum connection_state gate_request_state(const struct gate_context *context);

/* ---- slow.c ---- */

/* In this process: what is closed is counted here. */
void gate_slow_start(struct connection_counters *counters);

/* From time to time. Those who hold connections for too long are timed out: of `waiting` struct gate_connection, in the
 * order in which they began to; of `requests` struct gate_passage, in the order of their arrival. */
void gate_slow_look(ngx_queue_t *waiting, ngx_queue_t *requests, size_t body_rate_least, ngx_log_t *log);

/* The same for one connection from a network, if there is one that brings nothing: a head that does not come, else an
 * idle one, else a slow body. */
bool gate_slow_end_one(ngx_queue_t *waiting, ngx_queue_t *requests, const struct prefix *network);
/* One was not let in. */
void gate_slow_refused(void);

/* CLOCK_BOOTTIME. */
uint64_t gate_now_ns(void);

/* GCRA: whether `amount` more keeps to a rate. *due_ns is when the next would be on time; 0 to begin with. */
static inline bool gate_rate_allows(uint64_t *due_ns, uint64_t now_ns, uint64_t amount, uint64_t a_second,
				    uint64_t at_once)
{
	uint64_t ahead_ns = *due_ns > now_ns ? *due_ns - now_ns : 0, each_ns = 1000000000 * amount / a_second;

	if (ahead_ns + each_ns > at_once * 1000000000 / a_second)
		return false;
	*due_ns = now_ns + ahead_ns + each_ns;
	return true;
}

#endif
