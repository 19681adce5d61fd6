/*
 * The origin that rule tests expect behind a gate: it answers every request with an empty 200, and a POST to /reflect
 * with what its JSON body says: {"status": N, "headers": {NAME: TEXT}, "body": TEXT or "encodedBody": BASE64}.
 */
#ifndef GUIA_FTW_ORIGIN_H
#define GUIA_FTW_ORIGIN_H

#include "http/field.h"

struct ftw_answer {
	unsigned status;
	struct field_list headers;
	struct slice body;
};

/* 0 or -ENOMEM. A body that is no such JSON is answered with 400. */
int ftw_origin_answer(struct slice method, struct slice path, struct slice body, struct arena *arena,
		      struct ftw_answer *ret_answer);

#endif
