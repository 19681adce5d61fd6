/* What the casebook is told of each second, made of what the watch knows of sites, probes and decisions. */
#ifndef GUIA_WATCH_CASES_LOOK_H
#define GUIA_WATCH_CASES_LOOK_H

#include "casebook/casebook.h"
#include "mitigate/ban_register.h"
#include "watch/defender.h"
#include "watch/places.h"
#include "watch/probe.h"
#include "watch/ranking.h"
#include "watch/sites.h"

/* What a second is made of. */
struct cases_sight {
	const struct sites *sites;
	const struct defender *defender;
	const struct ranking *ranking;
	const struct places *places;
	const struct probe *probes;
	size_t probe_count;
	uint64_t now_ns; /* as the ranking counts */
	struct ban_times now;
};

/* One look. The second points to the rest of it. */
struct cases_seen {
	struct case_sighting sightings[SITES_MAX];
	struct case_mitigation mitigations[SITES_MAX][DEFENCE_MITIGATIONS];
	struct case_second second;
};

void cases_look(const struct cases_sight *sight, struct cases_seen *ret_seen);

#endif
