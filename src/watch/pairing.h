/*
 * What inspection stopped is told twice: by the event of the request's end, always, and by a finding, which knows more
 * and may be shed. An event waits a moment for its finding, and what waited in vain is told by itself. Pure: time is an
 * argument.
 */
#ifndef GUIA_WATCH_PAIRING_H
#define GUIA_WATCH_PAIRING_H

#include "wire/event.h"

#include <stdbool.h>

enum { PAIRING_WAIT_MS = 100 };

struct pairing;

struct pairing_event {
	unsigned box;
	uint16_t site; /* a number of ours */
	struct event event;
};
typedef void pairing_alone_fn(void *context, const struct pairing_event *event);

/* `alone` is told of events that no finding came for. 0 or -ENOMEM. */
int pairing_create(pairing_alone_fn *alone, void *context, struct pairing **ret_pairing);
void pairing_free(struct pairing *pairing); /* NULL is allowed */

void pairing_event(struct pairing *pairing, const struct pairing_event *event, uint64_t now_ms);
/* A finding of request `request` of a box came, which is told. */
void pairing_finding(struct pairing *pairing, unsigned box, uint64_t request, uint64_t now_ms);

/* Events that have waited for long enough; UINT64_MAX: all. */
void pairing_step(struct pairing *pairing, uint64_t now_ms);

#endif
