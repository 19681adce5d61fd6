/*
 * How far an incident has come, and what moves it on. Which phase follows which is a table; what is not in it does not
 * happen.
 */
#ifndef GUIA_CASEBOOK_PHASE_H
#define GUIA_CASEBOOK_PHASE_H

#include "casebook/kind.h"

enum case_phase {
	CASE_ONSET,     /* told of, and nothing more known */
	CASE_RISING,    /* a site is under attack, and nothing of ours holds it */
	CASE_HELD,      /* something of ours is in force at each, and none takes harm */
	CASE_SUBSIDING, /* less than half of its worst for a while; of an intrusion, nothing */
	CASE_OVER,
	CASE_PHASES,
};

/* Of floods; and of intrusions, where what rules do not refuse is what is not held. */
enum case_cause {
	CASE_GOES_ON,   /* onset is past, and a site is not held */
	CASE_CONTAINED, /* all sites are held */
	CASE_ESCAPES,   /* a site is held no more, or another is attacked */
	CASE_FALLS,     /* it has been below half of its worst; no such request has come for a while */
	CASE_RISES,     /* it is not any more; one has */
	CASE_ENDS,      /* nothing is attacked any more */
	CASE_RETURNS,   /* one is again, within the hour */
	CASE_CAUSES,
};

const char *case_phase_name(enum case_phase phase);
const char *case_cause_text(enum case_kind kind, enum case_cause cause);

/* CASE_PHASES for what is none. */
enum case_phase case_phase_find(const char *name);

/* Whether the table has such a change. */
bool case_phase_next(enum case_phase from, enum case_cause cause, enum case_phase *ret_to);

#endif
