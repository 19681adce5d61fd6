/*
 * Which sources and prefixes come when nothing is wrong: keyed hashes with when each came first and last, in a table of
 * a fixed size. One that came for the first time less than ten minutes ago is no regular yet, so that an attack's
 * sources do not become regulars by its first minutes: what came in those is taken out when an episode begins.
 *
 * Of a full bucket of eight who has not come for longest goes. Pure; one thread; times are seconds of wall time.
 */
#ifndef GUIA_TRAFFIC_REGULARS_H
#define GUIA_TRAFFIC_REGULARS_H

#include "base/slice.h"

enum {
	REGULARS_STEP_S = 600,
	REGULARS_KEPT_DAYS = 28,
};

struct regulars;

/* Room for about so many; 8 bytes each, up to twice as many. 0 or -ENOMEM. */
int regulars_new(size_t count, struct regulars **ret_regulars);
void regulars_free(struct regulars *regulars); /* NULL is allowed */

/* Whether it is one; `learn` notes that it came. */
bool regulars_meet(struct regulars *regulars, uint64_t hash, uint64_t wall_s, bool learn);

/* Forgets who came for the first time less than ten minutes before. */
void regulars_episode_begins(struct regulars *regulars, uint64_t wall_s);

/* The table as bytes; and from bytes, which are checked. False, with nothing changed, if they cannot be one. */
struct slice regulars_bytes(const struct regulars *regulars);
bool regulars_load(struct regulars *regulars, struct slice bytes, uint64_t wall_s);

#endif
