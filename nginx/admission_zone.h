/*
 * What admission to origins knows: of each origin how many requests it is asked at once (limit/admission.h), which
 * sources were answered before, what each has had of the origins' time. It lies in a zone that workers share and that
 * stays over reloads; a queue is a worker's own. A process is one thread.
 */
#ifndef GUIA_NGINX_ADMISSION_ZONE_H
#define GUIA_NGINX_ADMISSION_ZONE_H

#include "gate.h"

#include "limit/admission.h"
#include "limit/fair_queue.h"
#include "limit/rate_table.h"
#include "limit/seen_sources.h"

enum { ADMISSION_NAME_BYTES = 272 };

/* In the zone, found by its name, never freed: an older configuration's workers may still use it. */
struct shared_origin {
	struct shared_origin *next;
	u_char name[ADMISSION_NAME_BYTES];
	struct admission admission;
};

struct shared_part {
	struct shared_origin *first;
	struct seen_sources *seen;
	_Atomic uint64_t calm_from_us; /* nothing has had to wait for a while by then */
	void *debts;                   /* a rate_table: what each source has had of the origins' time lately */
	_Atomic pid_t processes[ADMISSION_PROCESSES]; /* 0: free */
};

/* A worker's view of one upstream. */
struct gate_origin {
	const ngx_http_upstream_srv_conf_t *upstream;
	ngx_str_t name;
	struct shared_origin *shared;
	ngx_http_upstream_init_peer_pt peer_init; /* nginx's */
	struct fair_queue queue;
	struct fair_queue crowded_out; /* of the queue, by better ones; to be told so */
};

struct gate_admission {
	struct shared_part *shared;
	struct rate_table debts; /* this process's handle */
	size_t sources;
	size_t debts_bytes;
	ngx_msec_t wait_ms;
	ngx_array_t origins; /* struct gate_origin */
	size_t process;      /* its place among the processes; ADMISSION_PROCESSES: none was free */
	ngx_event_t pump;
};

/* With a zone of so many bytes. NULL without memory. */
struct gate_admission *gate_admission_add(ngx_conf_t *cf, size_t bytes);

/* An upstream that is to be asked by way of us: `peer_init` is called in place of its own. NGX_ERROR without memory. */
ngx_int_t gate_admission_origin_add(struct gate_admission *admission, ngx_http_upstream_srv_conf_t *upstream,
				    ngx_http_upstream_init_peer_pt peer_init);

/* A place among the processes is taken, and given back. */
void gate_admission_join(struct gate_admission *admission, ngx_log_t *log);
void gate_admission_part(struct gate_admission *admission);

/* In the configuration of the request's cycle. */
struct gate_admission *gate_admission_of(ngx_http_request_t *r);

/* CLOCK_MONOTONIC. */
uint64_t gate_admission_clock_us(void);

/* Whether it was answered before, while nothing had to wait. */
enum seen gate_admission_seen(const struct gate_admission *admission, const struct address *source);

#endif
