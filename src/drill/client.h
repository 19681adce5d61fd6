/*
 * A crowd's browsers, or its tools: sends what a schedule says when it says so, whatever has become of what was sent
 * before, and records what came of each. One thread, one epoll set.
 */
#ifndef GUIA_DRILL_CLIENT_H
#define GUIA_DRILL_CLIENT_H

#include "base/hash.h"
#include "drill/record.h"
#include "drill/schedule.h"

enum {
	ANSWER_WITHIN_MS = 2000, /* what comes later is no answer */
};

struct client_job {
	const struct run_plan *plan;
	const struct person *persons;
	size_t person_count;
	const struct schedule *schedule;
	const struct tells *tells;
	const struct hash_key *key; /* of the origin's pages */
	struct record *record;
	bool attackers; /* else visitors, whose every request is recorded */
	uint32_t mark;  /* of their packets; 0: none */
};

/* Until the run's end; the record's start must be set. 0 or -errno. */
int client_run(const struct client_job *job);

#endif
