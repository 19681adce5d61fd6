/* What is seen goes before what is due: while the attack is there no look begins, and one that is on ends. */
#include "upstream/probing.h"

#include <stddef.h>

static const struct {
	enum probing_state from;
	enum probing_cause cause;
	enum probing_state to;
	enum probing_action action;
} changes[] = {
	{PROBING_HELD, PROBING_DUE, PROBING_LIFTED, PROBING_LIFT},
	{PROBING_LIFTED, PROBING_ATTACK, PROBING_HELD, PROBING_RAISE},
	{PROBING_LIFTED, PROBING_CALM, PROBING_OVER, PROBING_END},
};

bool probing_may(enum probing_state from, enum probing_cause cause, enum probing_state *ret_to,
		 enum probing_action *ret_action)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (changes[i].from == from && changes[i].cause == cause) {
			*ret_to = changes[i].to;
			*ret_action = changes[i].action;
			return true;
		}
	return false;
}

void probing_begin(struct probing *probing, uint64_t now_ms)
{
	*probing = (struct probing){PROBING_HELD, now_ms, PROBING_FIRST_MS};
}

static enum probing_action move(struct probing *probing, enum probing_cause cause, uint64_t now_ms)
{
	enum probing_action action = PROBING_NOTHING;
	enum probing_state to;
	if (!probing_may(probing->state, cause, &to, &action))
		return PROBING_NOTHING;
	if (action == PROBING_RAISE)
		probing->interval_ms =
			probing->interval_ms < PROBING_MOST_MS / 2 ? probing->interval_ms * 2 : PROBING_MOST_MS;
	probing->state = to;
	probing->since_ms = now_ms;
	return action;
}

enum probing_action probing_step(struct probing *probing, uint64_t now_ms, bool attack, bool may_lift)
{
	uint64_t passed_ms = now_ms - probing->since_ms;
	if (attack)
		return move(probing, PROBING_ATTACK, now_ms);
	if (probing->state == PROBING_HELD && passed_ms >= probing->interval_ms && may_lift)
		return move(probing, PROBING_DUE, now_ms);
	if (probing->state == PROBING_LIFTED && passed_ms >= PROBING_LOOK_MS)
		return move(probing, PROBING_CALM, now_ms);
	return PROBING_NOTHING;
}
