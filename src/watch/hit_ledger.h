/*
 * What the gate refused by a mitigation before there was a request to tell of: connections of banned sources. Its hits
 * (wire/hit_table.h) count these and refused requests; what events tell of the latter is taken off. Pure.
 */
#ifndef GUIA_WATCH_HIT_LEDGER_H
#define GUIA_WATCH_HIT_LEDGER_H

#include "wire/event.h"
#include "wire/hit_table.h"

#include <stdbool.h>
#include <stddef.h>

struct hit_ledger;

/* 0 or -ENOMEM. */
int hit_ledger_create(struct hit_ledger **ret_ledger);
void hit_ledger_free(struct hit_ledger *ledger); /* NULL is allowed */

/* A request that ended by a mitigation. */
void hit_ledger_event(struct hit_ledger *ledger, const struct event *event);

/* A second has passed: then all tables that there are, and then what is told is asked. */
void hit_ledger_second(struct hit_ledger *ledger);
void hit_ledger_table(struct hit_ledger *ledger, const struct hit *hits, size_t count);

/* So many connections more that no event tells of. */
typedef void hit_ledger_tell_fn(void *context, uint32_t id, uint64_t connections);
void hit_ledger_tell(struct hit_ledger *ledger, hit_ledger_tell_fn *tell, void *context);

#endif
