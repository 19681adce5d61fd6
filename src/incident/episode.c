/* Changes are kept with the latest first, so that those of the last minute are counted from the front. */
#include "incident/episode.h"

#include <string.h>

static const struct {
	enum episode_state from;
	enum episode_cause cause;
	enum episode_state to;
} TRANSITIONS[] = {
	{EPISODE_QUIET, EPISODE_ONSET, EPISODE_OPEN},     {EPISODE_OPEN, EPISODE_IN_FORCE, EPISODE_MITIGATED},
	{EPISODE_OPEN, EPISODE_CALM, EPISODE_QUIET},      {EPISODE_MITIGATED, EPISODE_BARE, EPISODE_OPEN},
	{EPISODE_MITIGATED, EPISODE_CALM, EPISODE_QUIET},
};

const char *episode_state_name(enum episode_state state)
{
	static const char *const names[EPISODE_STATES] = {"quiet", "open", "mitigated"};
	return state < EPISODE_STATES ? names[state] : "?";
}

const char *episode_cause_name(enum episode_cause cause)
{
	static const char *const names[EPISODE_CAUSES] = {"onset", "in force", "nothing in force", "calm"};
	return cause < EPISODE_CAUSES ? names[cause] : "?";
}

bool episode_may(enum episode_state from, enum episode_cause cause, enum episode_state *ret_to)
{
	for (size_t i = 0; i < sizeof(TRANSITIONS) / sizeof(TRANSITIONS[0]); i++)
		if (TRANSITIONS[i].from == from && TRANSITIONS[i].cause == cause) {
			*ret_to = TRANSITIONS[i].to;
			return true;
		}
	return false;
}

static size_t changes_lately(const struct episode *episode, uint64_t now_ms)
{
	size_t count = 0;
	while (count < episode->change_count && now_ms - episode->changes[count].at_ms < 60 * 1000)
		count++;
	return count;
}

bool episode_move(struct episode *episode, enum episode_cause cause, uint64_t now_ms)
{
	enum episode_state to;
	if (!episode_may(episode->state, cause, &to) || changes_lately(episode, now_ms) >= EPISODE_CHANGES_A_MINUTE)
		return false;
	size_t kept = episode->change_count < EPISODE_CHANGES ? episode->change_count : EPISODE_CHANGES - 1;
	memmove(episode->changes + 1, episode->changes, kept * sizeof(episode->changes[0]));
	episode->changes[0] = (struct episode_change){now_ms, (uint8_t)episode->state, (uint8_t)to, (uint8_t)cause};
	episode->change_count = kept + 1;
	episode->state = to;
	return true;
}
