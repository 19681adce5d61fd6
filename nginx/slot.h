/*
 * A request's slot of its origin: taken before it is sent, given back when the origin has begun to answer.
 *
 * A client that leaves takes nothing back: most origins find out only when they write, and work on until then. So the
 * connection to the origin is kept, with the slot, until it says something, ends, or the time for it is over; else
 * whoever resets what was just asked (HTTP/2's RST_STREAM, a closed connection) would have the origin asked for more
 * than it can do. Such a request costs its source the whole of that time.
 */
#ifndef GUIA_NGINX_SLOT_H
#define GUIA_NGINX_SLOT_H

#include "admission_zone.h"

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
/*
 * The client of a request has left while its origin works on it: the connection to the origin is ours from now on, and
 * its slot is given back when the origin is done. False without memory: then nothing has changed.
 */
bool gate_slot_keep(const struct gate_slot *slot, ngx_http_request_t *r, ngx_connection_t *c);
/* Of an origin's status; 0: it has given none. */
enum admission_outcome gate_slot_outcome(ngx_uint_t status);
/* What a request's source has had of the origins' time lately and not paid for, which takes ten times as long. */
uint64_t gate_slot_debt_us(const struct gate_admission *admission, ngx_http_request_t *r);

#endif
