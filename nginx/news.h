/*
 * What the watch publishes (limit/image.h) is looked for in each process off the request path, twenty times a second:
 * bans (bans.h), signatures and modes of sites (signatures.h). What is bad is told and not taken.
 */
#ifndef GUIA_NGINX_NEWS_H
#define GUIA_NGINX_NEWS_H

#include "gate.h"

/* In this process. Calls `changed` when there are news. */
void gate_news_start(struct gate_main *main, void (*changed)(struct gate_main *main), ngx_log_t *log);
void gate_news_stop(void);

#endif
