/*
 * What the newest records of a log say: which requests are told of already, by who writes to a log that was not closed
 * and takes what came shortly before from elsewhere once more. Immutable.
 */
#ifndef GUIA_EVIDENCE_RECENT_H
#define GUIA_EVIDENCE_RECENT_H

#include "evidence/tail.h"

enum { RECENT_MS = 5000 }; /* before the newest record */

struct recent {
	uint64_t from_ms;     /* what is told of is looked at from here on */
	uint64_t last_ms;     /* when the newest record was written */
	bool closed;          /* it says that the log was */
	bool sampled;         /* some requests of that time stand for others */
	uint64_t newest_ms;   /* when the latest request was that is told of */
	uint64_t told_second; /* refusals up to this one, of UTC, were told; 0: none were */
	size_t count, room;
	struct recent_request *requests; /* in order */
};

struct recent_request {
	uint64_t number;
	uint32_t worker;
	uint32_t port;
};

/* 0 or -ENOMEM; of a tail without records all is empty. To be freed in either case. */
int recent_read(const struct tail *tail, struct recent *ret_recent);
void recent_free(struct recent *recent);

bool recent_has(const struct recent *recent, uint32_t worker, uint64_t number, uint16_t port);

#endif
