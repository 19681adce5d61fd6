/*
 * The origin's answer that a rule refused, or would have where rules only detect, as it came: status, headers and the
 * first bytes of its body, kept until the request's end for its finding. Secret, as what a request sent is.
 */
#ifndef GUIA_NGINX_ANSWER_H
#define GUIA_NGINX_ANSWER_H

#include "gate.h"

enum { GATE_ANSWER_HEAD_BYTES = 8192, GATE_ANSWER_BODY_BYTES = 64 * 1024 };

struct gate_answer {
	struct guia_slice head;
	struct guia_slice body;
	uint64_t body_bytes; /* that came, or were announced */
};

/* Before another takes its place. What there is no memory for is not kept. */
void gate_answer_keep(struct gate_context *context, struct guia_slice body);

#endif
