/*
 * How many connections a source, and the networks around it, may have open at once (limit/connection_counts.h): counted
 * from accept, before any header, by all workers together. Who has more loses what brings nothing first: heads that do
 * not come, then what is idle, then bodies that trickle. So of many people behind one address those are let alone who
 * ask for something, whatever others there do. Only who has twice as many, and none of those, is not let in.
 */
#ifndef GUIA_NGINX_COUNTS_H
#define GUIA_NGINX_COUNTS_H

#include "gate.h"

#include "limit/connection_counts.h"

enum { COUNTS_MIN_BYTES = 4 * 1024 * 1024 };

/* The arguments of a guia_connections: its memory's size, and limits. NULL where one is wrong, which is said, or
 * without memory. */
struct gate_counts *gate_counts_add(ngx_conf_t *cf, ngx_str_t *arguments, ngx_uint_t count);

/* In this process. */
void gate_counts_start(struct gate_main *main, ngx_log_t *log);
void gate_counts_stop(void);

enum gate_crowd {
	GATE_CROWD_NONE,
	GATE_CROWDED, /* one of *ret_crowd should go */
	GATE_OVERRUN, /* one must, or the new one does */
};

/* A connection was accepted; its ticket is given back in the end. */
enum gate_crowd gate_counts_enter(const struct sockaddr *peer, struct connection_ticket *ticket,
				  struct prefix *ret_crowd);
void gate_counts_leave(struct connection_ticket *ticket);

#endif
