/* Who holds a connection for long and brings nothing: closed where connections run short, or a network has too many. */
#ifndef GUIA_NGINX_SLOW_H
#define GUIA_NGINX_SLOW_H

#include "flight.h"

#include "limit/ban_image.h"

/* In this process: what is closed is counted in the flight's counters. */
void gate_slow_start(struct gate_flight *flight);

/* From time to time: those who hold connections for too long are timed out. */
void gate_slow_look(struct gate_flight *flight, ngx_log_t *log);

/*
 * The same for one connection from a network, if there is one that brings nothing: a head that does not come, else an
 * idle one, else a slow body.
 */
bool gate_slow_end_one(struct gate_flight *flight, const struct prefix *network);

/* One was not let in. */
void gate_slow_refused(void);

/* More came than could be begun with: one of those that waited at the door was closed. */
void gate_slow_turned_away(void);

#endif
