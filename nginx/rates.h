/*
 * How much of the origins' time each source and the networks around it may have (limit/rate_table.h): asked before
 * inspection, charged when the request has ended by what the origin took, whatever was configured of requests.
 */
#ifndef GUIA_NGINX_RATES_H
#define GUIA_NGINX_RATES_H

#include "gate.h"

#include "limit/rate_table.h"

enum { LIMITS_MIN_BYTES = 1024 * 1024 };

/* What guia_limit says; in the configuration's pool. */
struct gate_limit {
	struct rate_limits rates;
	ngx_uint_t status;
};

/* The zone. NULL without memory. */
struct gate_limits *gate_limits_add(ngx_conf_t *cf, size_t bytes);

/* What a request that has ended may yet cost, as long as its configuration is there. */
struct gate_owed {
	struct rate_key key;
	const struct rate_limits *rates; /* NULL: nothing */
};
struct gate_owed gate_limit_owed(ngx_http_request_t *r);
void gate_limit_charge(const struct gate_owed *owed, uint64_t cost_us);

/* The arguments of a guia_limit. NULL where one is wrong, which is said, or without memory. */
struct gate_limit *gate_limit_parse(ngx_conf_t *cf, ngx_str_t *arguments, ngx_uint_t count);

/*
 * A handler of nginx's post-read phase, behind those that find the client's address: memory that the next one reads is
 * fetched ahead, while an event is told and the location found. One of its preaccess phase, ahead of inspection; and
 * one of its log phase.
 */
ngx_int_t gate_limit_foresee(ngx_http_request_t *r);
ngx_int_t gate_limit_handler(ngx_http_request_t *r);
ngx_int_t gate_limit_log_handler(ngx_http_request_t *r);

#endif
