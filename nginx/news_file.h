/* A file that the watch publishes (limit/image.h): its name, and what is said when it is not taken. */
#ifndef GUIA_NGINX_NEWS_FILE_H
#define GUIA_NGINX_NEWS_FILE_H

#include "limit/image.h"

#include <ngx_config.h>
#include <ngx_core.h>

/* "FOLDER/NAME" */
void gate_news_path(char path[NGX_MAX_PATH], ngx_str_t folder, const char *name);

/* Why a file is not taken, once a second at most: an `error` of the system's, or a fault. */
void gate_news_tell(const char *path, int error, enum image_fault fault, ngx_log_t *log);

#endif
