/* What each process of nginx begins with, and ends with. */
#ifndef GUIA_NGINX_PROCESS_H
#define GUIA_NGINX_PROCESS_H

#include "gate.h"

/* nginx has taken a configuration; in the master, before it forks. */
ngx_int_t gate_cycle_ready(ngx_cycle_t *cycle);

/* nginx's own hooks; a process without a configuration of HTTP does nothing. */
ngx_int_t gate_process_start(ngx_cycle_t *cycle);
void gate_process_end(ngx_cycle_t *cycle);

#endif
