/*
 * The door: who of those that connect is begun with first. Who is known from before is begun with at once. Others wait
 * for their turn, a few in each turn of the event loop, so that what a flood asks for (a handshake above all) never
 * stands between visitors and their answers for longer than that. Who was answered lately goes before strangers, the
 * latest first, for he is the likeliest to be there still (adaptive LIFO: Maurer, Fail at Scale, ACM Queue 13(8),
 * 2015); where more wait than there is room for, the oldest stranger is turned away by a reset. While no more come than
 * turns have room for, nobody waits at all.
 *
 * All is of this process.
 */
#ifndef GUIA_NGINX_DOOR_H
#define GUIA_NGINX_DOOR_H

#include "limit/seen_sources.h"

#include <ngx_config.h>
#include <ngx_core.h>

enum { GATE_DOOR_LATE_MS = 20 }; /* who has waited for longer is told the host as kept waiting */

struct gate_door_host {
	void (*begin)(ngx_connection_t *c);
	void (*turn_away)(ngx_connection_t *c);
	void (*kept_waiting)(void); /* one that is begun with or turned away next */
};

/* In this process. */
void gate_door_start(const struct gate_door_host *host, ngx_log_t *log);

/* A connection was accepted, and nothing is done with it yet. It is the door's until `begin` or `turn_away` has it. */
void gate_door_come(ngx_connection_t *c, enum seen standing);

#endif
