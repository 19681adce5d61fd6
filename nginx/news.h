/*
 * What the watch publishes (limit/image.h) is looked for in each process off the request path, twenty times a second:
 * bans (bans.h), signatures and modes of sites (signatures.h). What is bad is told and not taken.
 */
#ifndef GUIA_NGINX_NEWS_H
#define GUIA_NGINX_NEWS_H

#include "limit/image.h"

#include <ngx_config.h>
#include <ngx_core.h>

struct gate_main;

/* In this process. Calls `changed` when there are news. */
void gate_news_start(struct gate_main *main, void (*changed)(struct gate_main *main), ngx_log_t *log);
void gate_news_stop(void);

/* Why a file is not taken, once a second at most: an `error` of the system's, or a fault. */
void gate_news_tell(const char *path, int error, enum image_fault fault, ngx_log_t *log);

/* "FOLDER/NAME" */
void gate_news_path(char path[NGX_MAX_PATH], ngx_str_t folder, const char *name);

#endif
