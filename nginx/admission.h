/*
 * What admission.c, which knows origins and processes, admission_peer.c, which lets requests wait, and slot.c have in
 * common.
 * A process is one thread.
 */
#ifndef GUIA_NGINX_ADMISSION_H
#define GUIA_NGINX_ADMISSION_H

#include "gate.h"
#include "rates.h"

#include "limit/admission.h"
#include "limit/fair_queue.h"
#include "limit/rate_table.h"
#include "limit/seen_sources.h"

enum { ADMISSION_NAME_BYTES = 112 };

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

/* In the configuration of the request's cycle. */
struct gate_admission *gate_admission_of(ngx_http_request_t *r);
uint64_t gate_admission_clock_us(void);
/* Whether it was answered before, while nothing had to wait. */
enum seen gate_admission_seen(const struct gate_admission *admission, const struct address *source);

/* ---- slot.c ---- */

/* What is needed to give it back, when the request may be gone. */
struct gate_slot {
	struct gate_admission *admission;
	struct gate_origin *origin;
	struct rate_key debtor;
	uint64_t kind;
	uint64_t sent_us;
};

/* False: none is free. */
bool gate_slot_take(struct gate_admission *admission, struct gate_origin *origin, uint64_t now_us);
struct gate_slot gate_slot_of(struct gate_admission *admission, struct gate_origin *origin, ngx_http_request_t *r,
			      uint64_t sent_us);
/* Charges its source for the time since it was sent, and learns from it. */
void gate_slot_give(const struct gate_slot *slot, enum admission_outcome outcome);
/* The client of a request has left while its origin works on it: the connection to the origin is ours from now on, and
 * its slot is given back when the origin is done. False without memory: then nothing has changed. */
bool gate_slot_keep(const struct gate_slot *slot, ngx_http_request_t *r, ngx_connection_t *c);
/* Of an origin's status; 0: it has given none. */
enum admission_outcome gate_slot_outcome(ngx_uint_t status);
/* What a request's source has had of the origins' time lately and not paid for, which takes ten times as long. */
uint64_t gate_slot_debt_us(const struct gate_admission *admission, ngx_http_request_t *r);

/* ---- admission_peer.c ---- */

/* nginx's hook where a request has to ask an upstream: in place of the upstream's own, which it calls. */
ngx_int_t gate_peer_init(ngx_http_request_t *r, ngx_http_upstream_srv_conf_t *upstream);
/* Its origin has answered: the slot is free, whatever is still to come. Nothing if it has none. */
void gate_peer_answered(ngx_http_request_t *r);
/* Of event->data, a struct gate_admission: lets those go for whom there are slots, and refuses those who cannot wait.
 */
void gate_peer_pump(ngx_event_t *event);

#endif
