/*
 * A thread that has checkpoints timestamped, one a minute where something was signed since: timestamps/SIZE.checkpoint
 * is what was stamped, timestamps/SIZE.tsr the authority's reply. While the authority is away checkpoints wait, and are
 * stamped when it is back.
 */
#ifndef GUIA_EVIDENCE_STAMPER_H
#define GUIA_EVIDENCE_STAMPER_H

#include "evidence/disk.h"

enum { STAMPER_EVERY_MS = 60 * 1000 };

struct stamper;

/* `folder` is an epoch's, and stays open; `url` is copied. 0, -ENOMEM or -errno. */
int stamper_create(const struct disk_calls *disk, int folder, const char *url, unsigned every_ms,
		   struct stamper **ret_stamper);

/* Stamps what is signed once more, and ends. NULL is allowed. */
void stamper_end(struct stamper *stamper);

/* Not to wait for the minute to pass. */
void stamper_hurry(struct stamper *stamper);

struct stamper_state {
	uint64_t stamped;
	uint64_t backlog;        /* checkpoints that wait */
	uint64_t waits_since_ns; /* CLOCK_MONOTONIC; 0: none waits */
	int error;               /* of the last attempt: 0, an outcome of timestamp_answers(), or -errno */
};
struct stamper_state stamper_state(struct stamper *stamper);

#endif
