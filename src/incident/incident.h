/*
 * One site's incident: its state, what moved it there, and when. Which states follow which is a table; what is not in
 * it does not happen. Pure: time is an argument, milliseconds of a clock that does not go back.
 *
 * An attack that pauses and returns is one incident: a state holds until what speaks against it has lasted, and of two
 * changes within a minute the next waits.
 */
#ifndef GUIA_INCIDENT_INCIDENT_H
#define GUIA_INCIDENT_INCIDENT_H

#include "traffic/onset.h"

enum incident_state {
	INCIDENT_QUIET,
	INCIDENT_OPEN,      /* something is not as it should be; nothing of ours is in force against it */
	INCIDENT_MITIGATED, /* something is */
	INCIDENT_STATES,
};

/* What moves it. Causes are told for as long as they hold, and work when they may. */
enum incident_cause {
	INCIDENT_ONSET,    /* figures or harm tell of a beginning */
	INCIDENT_IN_FORCE, /* a mitigation is */
	INCIDENT_BARE,     /* none is any more, and it goes on */
	INCIDENT_CALM,     /* it has been over for long enough */
	INCIDENT_CAUSES,
};

const char *incident_state_name(enum incident_state state);
const char *incident_cause_name(enum incident_cause cause);

enum {
	INCIDENT_CHANGES = 16, /* kept */
	INCIDENT_CHANGES_A_MINUTE = 2,
};

struct incident_change {
	uint64_t at_ms;
	uint8_t from, to, cause;
};

/* All zero is one that never was. Times are 0 where there is none yet. */
struct incident {
	uint32_t id; /* of its latest beginning */
	enum incident_state state;
	enum traffic_nature nature; /* the worst it was */
	unsigned harm;
	uint64_t onset_ms;    /* when it began, as far as figures tell */
	uint64_t detected_ms; /* when it was told */
	uint64_t found_ms;    /* a signature, for the first time */
	uint64_t mitigated_ms;
	uint64_t over_ms; /* of the last one */
	size_t change_count;
	struct incident_change changes[INCIDENT_CHANGES]; /* the latest first */
};

/* Whether the table has such a change. */
bool incident_may(enum incident_state from, enum incident_cause cause, enum incident_state *ret_to);

/* Moves if the table has it and not too much has changed lately. Whether it did. */
bool incident_move(struct incident *incident, enum incident_cause cause, uint64_t now_ms);

#endif
