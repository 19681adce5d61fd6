/*
 * How much each origin is asked at once, of how much it takes (limit/admission.h), and how many wait for a slot of it:
 * told to the watch ten times a second, with which sites ask which origins (wire/counters.h). All is of this process.
 */
#ifndef GUIA_NGINX_LOAD_H
#define GUIA_NGINX_LOAD_H

#include "admission_zone.h"

#include "wire/outbox.h"

/* The outbox stays the caller's. Before, and after the stop, nothing is told. */
void gate_load_start(struct gate_admission *admission, struct outbox *outbox, ngx_log_t *log);
void gate_load_stop(void);

/* A request is on its way to this origin. */
void gate_load_note(ngx_http_request_t *r, const struct gate_origin *origin);

#endif
