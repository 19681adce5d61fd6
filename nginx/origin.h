/* What an answer had of its origin. */
#ifndef GUIA_NGINX_ORIGIN_H
#define GUIA_NGINX_ORIGIN_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <stdbool.h>

/* The time spent on it; of several where another origin was tried, or an error page fetched. False: none was asked. */
bool gate_origin_time(const ngx_http_request_t *r, uint32_t *ret_us);

/* A kept copy is the answer. */
bool gate_answer_is_copy(const ngx_http_request_t *r);

#endif
