/*
 * What inspection found is told to the watch (wire/finding.h): of each request that it blocked or would have blocked,
 * or in which rules only scored. In each process and for each site FINDINGS_A_SECOND of the former are told, and
 * SCORED_A_SECOND of the latter, the rest is counted; head and body as they came go along, as far as they keep to
 * BODY_BYTES_A_SECOND.
 */
#ifndef GUIA_NGINX_FINDINGS_H
#define GUIA_NGINX_FINDINGS_H

#include "gate.h"

#include "wire/outbox.h"

enum {
	FINDINGS_A_SECOND = 5000,
	FINDINGS_AT_ONCE = 1000,
	SCORED_A_SECOND = 200,
	SCORED_AT_ONCE = 100,
	BODY_BYTES_A_SECOND = 4 << 20,
	BODY_BYTES_AT_ONCE = 1 << 20,
};

/* `end` is the event of its end, filled in. Nothing is told of a request that nobody inspected. */
void gate_findings_tell(struct gate_context *context, const struct event *end, struct outbox *outbox);

#endif
