/*
 * Signatures of attacks, as the watch publishes them (limit/signature_image.h): a request that matches one is refused
 * when its head has been read, before anything inspects it and before its body is read. Who is allowed is not. What
 * they are matched against is what events tell of an arrival, so that there are none without events.
 */
#ifndef GUIA_NGINX_SIGNATURES_H
#define GUIA_NGINX_SIGNATURES_H

#include "gate.h"

#include "limit/image.h"

struct signature_image;

/* Memory for the pace of sources, shared by all workers. NULL without memory. */
struct gate_pace *gate_pace_add(ngx_conf_t *cf);

/* In this process. */
void gate_signatures_start(struct gate_main *main, const uint8_t boot[IMAGE_BOOT_BYTES]);
void gate_signatures_stop(void);
/* Whether there are new ones. */
bool gate_signatures_look(ngx_log_t *log);

/* What is published; NULL: nothing yet. */
const struct signature_image *gate_published(void);

/* A request has arrived: which signature does it match? */
void gate_signatures_ask(struct gate_context *context, const struct event *arrival);

/* Whether a request that was let through matches now; if so it counts as refused. */
bool gate_signatures_cancel(struct gate_context *context);

#endif
