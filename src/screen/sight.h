/* What the screen knows: the watch's answers, and what has become of them over time. */
#ifndef GUIA_SCREEN_SIGHT_H
#define GUIA_SCREEN_SIGHT_H

#include "casebook/store.h"
#include "screen/asker.h"
#include "screen/course.h"
#include "screen/quiet.h"

/* Worst last. */
enum site_state { SITE_UNWATCHED, SITE_UP, SITE_DEGRADED, SITE_DOWN, SITE_ATTACKED, SITE_STATES };

enum sight_kind {
	SIGHT_SOURCE,
	SIGHT_NETWORK,
	SIGHT_OPERATOR,
	SIGHT_COUNTRY,
	SIGHT_PATH,
	SIGHT_TOOL,
	SIGHT_RULE,
	SIGHT_KINDS,
};

_Static_assert((int)SIGHT_KINDS <= (int)QUIET_KINDS, "each has its usual values");

struct sight {
	struct asker asker;
	struct course course;
	struct quiet quiet;
	uint64_t now_ms;         /* CLOCK_BOOTTIME */
	uint64_t wall_ms;        /* CLOCK_REALTIME, of the same moment */
	uint64_t status_wall_ms; /* of the last status; 0: none yet */
	bool attacked;           /* any site, as of the last status */
	uint64_t changes;        /* grows with each change of a site's state */
	uint64_t states;         /* a digest of them */
};

void sight_begin(struct sight *sight, const char *control);
void sight_end(struct sight *sight);

/* Goes on asking; true: something new is known. */
bool sight_step(struct sight *sight, uint64_t now_ms, uint64_t wall_ms);

/* Whether the watch has answered of late. */
bool sight_is_fresh(const struct sight *sight);

enum site_state sight_state(const json_t *site);
/* The site's onset on the wall's clock; 0: it is not under attack. */
uint64_t sight_onset(const json_t *site);

/* What the watch calls a kind. */
const char *sight_kind_name(enum sight_kind kind);
/* An item's key, with the site's name before a path. */
void sight_key(enum sight_kind kind, const json_t *item, char key[QUIET_KEY_BYTES]);

/* To read incidents from, opened anew each time: what is damaged is put aside while we run. 0, CASE_STORE_... or
 * -errno; -EAGAIN: it is not known yet where they are. */
int sight_store(const struct sight *sight, struct case_store **ret_store);

#endif
