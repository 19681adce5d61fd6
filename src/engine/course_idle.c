/*
 * Rules that jump over nothing: the Core Rule Set asks whether a client was looked up in a block list before, only to
 * pass over lookups that are switched off. Where a match leads, the rules behind lead by themselves, and nothing is
 * done on either way: what such a rule looks at need not be known.
 */
#include "engine/course_build.h"
#include "engine/operator_kind.h"

static bool does_nothing(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (rule->action_count > 0)
			return false;
	return course_sets_variables(head);
}

/* From a place on, past rules that are known to come to nothing, to `least` or behind. SIZE_MAX: there are others. */
static size_t place_led_to(const struct course_builder *b, size_t place, size_t least)
{
	const struct ruleset_phase *rules = &b->plan->ruleset->phases[b->phase];
	while (place < least) {
		const struct course_place *known = &b->places[b->phase][place];
		const struct rule *head = rules->rules[place];
		bool jumps = false;
		uint32_t to = (uint32_t)place + 1;
		if (head->kind != RULE_MARKER && !known->never_matches) {
			if (!known->matches_surely || !does_nothing(head))
				return SIZE_MAX;
			uint32_t landing = course_landing(b, head, place, &jumps);
			to = jumps ? landing : to;
		}
		if (to == UINT32_MAX)
			return SIZE_MAX;
		place = to;
	}
	return place;
}

bool course_is_idle(const struct course_builder *b, const struct course_step *step)
{
	const struct rule *head = step->rule;
	if (head == NULL || head->kind != RULE_OPERATOR || head->next_link != NULL || head->multi_match ||
	    !operator_is_pure(head->operation.kind) || !does_nothing(head) || course_jumps_twice(head) ||
	    course_statuses_stay(b->plan->ruleset))
		return false;
	bool jumps;
	uint32_t to = course_landing(b, head, step->place, &jumps);
	if (!jumps)
		return true;
	if (to == UINT32_MAX)
		return false;
	size_t behind = place_led_to(b, (size_t)step->place + 1, to);
	return behind != SIZE_MAX && place_led_to(b, to, behind) == behind;
}
