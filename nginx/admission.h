/*
 * Admission to each origin: how many requests it is asked at once is learned (limit/admission.h); who finds no slot
 * waits a moment in a fair queue (limit/fair_queue.h), and who finds no place there, or waits too long, gets the last
 * good copy where there is one, else the page for when the origin fails.
 *
 * It stands where nginx chooses a server of an upstream, after its cache was asked: what a copy answers takes no slot.
 */
#ifndef GUIA_NGINX_ADMISSION_H
#define GUIA_NGINX_ADMISSION_H

#include "admission_zone.h"

/* Stands before all upstreams known by now. A request waits for a slot so long at most. */
ngx_int_t gate_admission_install(ngx_conf_t *cf, struct gate_admission *admission, ngx_msec_t wait_ms);

/* In this process. */
void gate_admission_process_start(struct gate_admission *admission, ngx_log_t *log);
void gate_admission_process_end(struct gate_admission *admission);

#endif
