#include "incident/incident.h"

#include <string.h>

static const struct {
	enum incident_state from;
	enum incident_cause cause;
	enum incident_state to;
} TRANSITIONS[] = {
	{INCIDENT_QUIET, INCIDENT_ONSET, INCIDENT_OPEN},     {INCIDENT_OPEN, INCIDENT_IN_FORCE, INCIDENT_MITIGATED},
	{INCIDENT_OPEN, INCIDENT_CALM, INCIDENT_QUIET},      {INCIDENT_MITIGATED, INCIDENT_BARE, INCIDENT_OPEN},
	{INCIDENT_MITIGATED, INCIDENT_CALM, INCIDENT_QUIET},
};

const char *incident_state_name(enum incident_state state)
{
	static const char *const names[INCIDENT_STATES] = {"quiet", "open", "mitigated"};
	return state < INCIDENT_STATES ? names[state] : "?";
}

const char *incident_cause_name(enum incident_cause cause)
{
	static const char *const names[INCIDENT_CAUSES] = {"onset", "in force", "nothing in force", "calm"};
	return cause < INCIDENT_CAUSES ? names[cause] : "?";
}

bool incident_may(enum incident_state from, enum incident_cause cause, enum incident_state *ret_to)
{
	for (size_t i = 0; i < sizeof(TRANSITIONS) / sizeof(TRANSITIONS[0]); i++)
		if (TRANSITIONS[i].from == from && TRANSITIONS[i].cause == cause) {
			*ret_to = TRANSITIONS[i].to;
			return true;
		}
	return false;
}

static size_t changes_lately(const struct incident *incident, uint64_t now_ms)
{
	size_t count = 0;
	while (count < incident->change_count && now_ms - incident->changes[count].at_ms < 60 * 1000)
		count++;
	return count;
}

bool incident_move(struct incident *incident, enum incident_cause cause, uint64_t now_ms)
{
	enum incident_state to;
	if (!incident_may(incident->state, cause, &to) || changes_lately(incident, now_ms) >= INCIDENT_CHANGES_A_MINUTE)
		return false;
	size_t kept = incident->change_count < INCIDENT_CHANGES ? incident->change_count : INCIDENT_CHANGES - 1;
	memmove(incident->changes + 1, incident->changes, kept * sizeof(incident->changes[0]));
	incident->changes[0] = (struct incident_change){now_ms, (uint8_t)incident->state, (uint8_t)to, (uint8_t)cause};
	incident->change_count = kept + 1;
	incident->state = to;
	return true;
}
