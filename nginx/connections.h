/* Connections from accept on: who is let in, and what state each is in, told the watch. All is of this process. */
#ifndef GUIA_NGINX_CONNECTIONS_H
#define GUIA_NGINX_CONNECTIONS_H

#include "flight.h"

/* Accepted connections come through us from now on. In the master, for each configuration. */
void gate_connections_watch(ngx_cycle_t *cycle);

/* In this process; the counters stay the caller's. */
void gate_connections_start(const struct gate_main *main, struct connection_counters *counters, ngx_log_t *log);
void gate_connections_stop(void);

/* There are new bans: closes what those have open who are banned now. */
void gate_connections_refuse(void);

#endif
