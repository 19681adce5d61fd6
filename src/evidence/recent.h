/*
 * What the newest records of a log say: which requests and which totals are told of already, by who writes to a log and
 * takes what came before from elsewhere once more. How often a second's total was told does not matter: what counts is
 * their sum.
 */
#ifndef GUIA_EVIDENCE_RECENT_H
#define GUIA_EVIDENCE_RECENT_H

#include "evidence/tail.h"

struct recent {
	uint64_t from_ms; /* what was before may be told of in records that are not among these; 0: nothing may */
	uint64_t last_ms; /* when the newest record was written */
	bool closed;      /* it says that the log was */
	uint64_t
		sampled_ms; /* of requests up to then some stand for others: which those are is not known; 0: none do */
	uint64_t newest_ms; /* when the latest request was that is told of */
	size_t request_count, request_room;
	struct recent_request *requests; /* in order */
	size_t total_count, total_room;
	struct recent_total *totals; /* in order, each site, rule and second once */
	struct buffer texts;         /* of the totals */
};

struct recent_request {
	uint64_t number;
	uint32_t worker;
	uint32_t port;
};

/* Of refusals. */
struct recent_total {
	struct slice site, rule;
	uint64_t second;
	uint64_t told; /* less what recent_untold counted off */
};

/* 0 or -ENOMEM; of a tail without records all is empty. To be freed in either case. */
int recent_read(const struct tail *tail, struct recent *ret_recent);
void recent_free(struct recent *recent);

bool recent_has(const struct recent *recent, uint32_t worker, uint64_t number, uint16_t port);

/* How many of `total` refusals are not told of. Those that are, are counted off: asked again they are not there. */
uint64_t recent_untold(struct recent *recent, struct slice site, struct slice rule, uint64_t second, uint64_t total);

#endif
