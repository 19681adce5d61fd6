/*
 * What inspection stopped is told twice: by the event of the request's end, always, and by a finding, which knows more
 * and may be shed. A gate sends the finding first, and each round the watch reads all findings that are there before it
 * reads events: the finding of an event has come when the next round is over, or never comes. No clock decides it, so
 * that on a machine however slow each request is told once.
 */
#ifndef GUIA_WATCH_PAIRING_H
#define GUIA_WATCH_PAIRING_H

#include "wire/event.h"

#include <stdbool.h>

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

void pairing_event(struct pairing *pairing, const struct pairing_event *event);

/*
 * A finding came of request `request` of a box, with the event's time. Whether it is to be told: not where the event
 * was told by itself, as too many waited.
 */
bool pairing_finding(struct pairing *pairing, unsigned box, uint64_t request, uint64_t at_ns);

/* A round of reading is over: events that came before it have waited for long enough. */
void pairing_round(struct pairing *pairing);

/* Nothing is read any more: nor do the others wait. */
void pairing_end(struct pairing *pairing);

#endif
