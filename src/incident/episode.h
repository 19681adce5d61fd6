/*
 * One site's episode: a time in which something is not as it should be there; its state, what moved it there, and when.
 * What people call an incident (casebook/casebook.h) is of all sites, and made of these. Which states follow which is a
 * table; what is not in it does not happen. Pure: time is an argument, milliseconds of a clock that does not go back.
 *
 * An attack that pauses and returns is one episode: a state holds until what speaks against it has lasted, and of two
 * changes within a minute the next waits.
 */
#ifndef GUIA_INCIDENT_EPISODE_H
#define GUIA_INCIDENT_EPISODE_H

#include "traffic/onset.h"

enum episode_state {
	EPISODE_QUIET,
	EPISODE_OPEN,      /* something is not as it should be; nothing of ours is in force against it */
	EPISODE_MITIGATED, /* something is */
	EPISODE_STATES,
};

/* What moves it. Causes are told for as long as they hold, and work when they may. */
enum episode_cause {
	EPISODE_ONSET,    /* figures or harm tell of a beginning */
	EPISODE_IN_FORCE, /* a mitigation is */
	EPISODE_BARE,     /* none is any more, and it goes on */
	EPISODE_CALM,     /* it has been over for long enough */
	EPISODE_CAUSES,
};

const char *episode_state_name(enum episode_state state);
const char *episode_cause_name(enum episode_cause cause);

enum {
	EPISODE_CHANGES = 16, /* kept */
	EPISODE_CHANGES_A_MINUTE = 2,
};

struct episode_change {
	uint64_t at_ms;
	uint8_t from, to, cause;
};

/* All zero is one that never was. Times are 0 where there is none yet. */
struct episode {
	uint32_t id; /* of its latest beginning */
	enum episode_state state;
	enum traffic_nature nature; /* the worst it was */
	unsigned harm;
	uint64_t onset_ms;    /* when it began, as far as figures tell */
	uint64_t detected_ms; /* when it was told */
	uint64_t found_ms;    /* a signature, for the first time */
	uint64_t mitigated_ms;
	uint64_t over_ms; /* of the last one */
	size_t change_count;
	struct episode_change changes[EPISODE_CHANGES]; /* the latest first */
};

/* Whether the table has such a change. */
bool episode_may(enum episode_state from, enum episode_cause cause, enum episode_state *ret_to);

/* Moves if the table has it and not too much has changed lately. Whether it did. */
bool episode_move(struct episode *episode, enum episode_cause cause, uint64_t now_ms);

#endif
