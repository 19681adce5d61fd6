/*
 * Since when each source and prefix has been coming, in a table of a fixed size: for the first half hour, in which
 * nobody is a regular yet (traffic/regulars.h), and to tell in an episode who came before it. Of a full bucket of
 * eight who came last goes, so that a flood drives out nobody who was there before it.
 *
 * Pure; one thread; times are milliseconds of a clock that does not go back, kept in tenths of a second.
 */
#ifndef GUIA_TRAFFIC_ACQUAINTANCES_H
#define GUIA_TRAFFIC_ACQUAINTANCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acquaintances;

/* Since when one comes that never did. */
#define ACQUAINTANCE_NEVER UINT64_MAX

enum { ACQUAINTANCE_KEPT_MS = 24 * 3600 * 1000 };

/* Room for about so many; 8 bytes each, up to twice as many. 0 or -ENOMEM. */
int acquaintances_new(size_t count, struct acquaintances **ret_acquaintances);
void acquaintances_free(struct acquaintances *acquaintances); /* NULL is allowed */

/* Since when it has been coming, as of before now; `learn` notes one that is new. */
uint64_t acquaintances_meet(struct acquaintances *acquaintances, uint64_t hash, uint64_t now_ms, bool learn);

/* Reads the bucket ahead. */
void acquaintances_expect(const struct acquaintances *acquaintances, uint64_t hash);

#endif
