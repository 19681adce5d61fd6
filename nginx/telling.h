/*
 * The outbox by which this process tells the watch (wire/outbox.h). Without guia_events, or where its directory does
 * not do, there is none, and nothing is told.
 */
#ifndef GUIA_NGINX_TELLING_H
#define GUIA_NGINX_TELLING_H

#include "gate.h"

#include "wire/outbox.h"

/* In this process, after the fork. */
void gate_telling_start(const struct gate_main *main, ngx_log_t *log);
void gate_telling_stop(void);

/* NULL: nothing is told. */
struct outbox *gate_outbox(void);

/* A mitigation was carried out; 0: none was. */
void gate_hit_tell(uint32_t mitigation);

#endif
