/*
 * Names of files that were sent and look like programs: whoever asks for one of that name later may be looking for it.
 * The newest are kept.
 */
#ifndef GUIA_CASEBOOK_UPLOADS_H
#define GUIA_CASEBOOK_UPLOADS_H

#include "base/slice.h"
#include "wire/event.h"
#include "wire/finding.h"

enum { UPLOADS_KEPT = 32, UPLOADS_ASKED = 32, UPLOAD_NAME_BYTES = 96 };

struct upload {
	char name[UPLOAD_NAME_BYTES]; /* "": none */
	uint32_t actor;               /* the caller's: its place, ... */
	uint64_t since_ms;            /* ... and since when it has it: another may have taken it */
};

/* A request for one, until it is known how it ended. */
struct upload_asked {
	unsigned box;
	uint64_t request;
	uint32_t upload; /* and one; 0: none */
};

struct uploads {
	struct upload kept[UPLOADS_KEPT];
	struct upload_asked asked[UPLOADS_ASKED];
	size_t next, next_asked;
	size_t waiting; /* that were asked for, and have not ended */
};

/* What a finding says of the file's name; empty: nothing. */
struct slice upload_name(const struct finding *finding);

void uploads_add(struct uploads *uploads, struct slice name, uint32_t actor, uint64_t since_ms);

/* A request's head, of the given box. */
void uploads_head(struct uploads *uploads, unsigned box, const struct head *head);

/* Its end: what was asked for and answered as if it were there; or NULL. */
const struct upload *uploads_end(struct uploads *uploads, unsigned box, const struct event *event);

#endif
