/*
 * A value is asked of the probes for it: it goes down the tree of pipelines, where branches that leave it unchanged
 * stay together, and at each form it takes, scans and questions tell which steps it may make candidates of.
 */
#ifndef GUIA_ENGINE_ASKING_H
#define GUIA_ENGINE_ASKING_H

#include "engine/probe.h"
#include "engine/remembered.h"
#include "engine/transaction.h"

/* What a value, or a name and its value, make candidates of. */
struct found {
	struct transaction *t;
	uint16_t steps[REMEMBERED_STEPS];
	size_t step_count; /* may pass the room above: then nothing is remembered */
	uint64_t *all;     /* and a bit for each step of the courses tells them; NULL: there is no memory for that */
};

void found_add(struct found *found, uint16_t step);
/* All that was found elsewhere, of the same transaction. */
void found_join(struct found *found, const struct found *more);
void found_add_known(struct found *found, const struct remembered_answer *known);

/* A value is told what was found for it. */
void found_tell(struct value *value, const struct found *found);

/*
 * What a value makes candidates of by a set of probes, NULL for none, is added to `found` and to the transaction's
 * candidates. Values that were asked before are remembered. 0, -ENOMEM, or -EIO when a scan fails.
 */
int ask_value(struct found *found, const struct probe_set *set, struct slice value);

#endif
