/*
 * Read off the courses: rules that are in none are never asked; what is settled has matched; of the other steps the
 * probes tell what keeps them from being asked ahead.
 */
#include "engine/standing.h"

#include "engine/probe.h"

/* A head's place in the rule set; heads of a phase stand there in the same order. */
static size_t place_of(const struct ruleset *ruleset, const struct rule *head, size_t from)
{
	while (from < ruleset->rule_count && ruleset->rules[from] != head)
		from++;
	return from;
}

static void look_at_targets(const struct rule *head, struct standing *standing)
{
	for (size_t i = 0; i < head->target_count; i++) {
		const struct target *target = &head->targets[i];
		if (target->excluded || target->counted)
			continue;
		if (target->scan_group == SCAN_GROUP_NONE) {
			standing->asked++;
			standing->by_pcre2 |= head->operation.kind == OPERATOR_RX;
		} else {
			standing->scanned++;
			standing->scanned_inexactly += !head->operation.scan_exact;
		}
	}
}

static struct standing of_step(const struct course_step *step)
{
	const char *obstacle = probe_obstacle(step);
	struct standing standing = {
		.kind = obstacle == NULL ? STANDING_CANDIDATE : STANDING_ALWAYS,
		.reason = obstacle == NULL ? "" : obstacle,
	};
	look_at_targets(step->rule, &standing);
	return standing;
}

/* The heads of chains that match to their ends; links follow their heads. */
static void settle(const struct ruleset *ruleset, const struct course_settled *settled, size_t *at,
		   struct standing *standings)
{
	for (size_t i = 0; i < settled->match_count; i++) {
		const struct rule *rule = settled->matches[i].rule;
		if (rule->chain_depth == 0)
			*at = place_of(ruleset, rule, *at);
		if (rule->next_link == NULL && *at < ruleset->rule_count)
			standings[*at].kind = STANDING_SETTLED;
	}
}

static void look_at_course(const struct plan *plan, const struct course *course, struct standing *standings)
{
	const struct ruleset *ruleset = plan->ruleset;
	size_t at = 0;
	for (size_t i = 0; i < course->count; i++) {
		const struct course_step *step = &course->steps[i];
		if (step->settled != NULL) {
			settle(ruleset, step->settled, &at, standings);
			continue;
		}
		at = place_of(ruleset, step->rule, at);
		if (at < ruleset->rule_count)
			standings[at] = of_step(step);
	}
}

/* A phase whose jumps are too involved is run as it is written. */
static void look_at_phase(const struct plan *plan, unsigned phase, struct standing *standings)
{
	const struct ruleset *ruleset = plan->ruleset;
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct rule *rule = ruleset->rules[i];
		if (rule->kind == RULE_MARKER || rule->phase != phase)
			continue;
		standings[i] = (struct standing){.kind = STANDING_ALWAYS, .reason = "the jumps of its phase"};
		look_at_targets(rule, &standings[i]);
	}
}

void standing_find(const struct plan *plan, struct standing *standings)
{
	for (size_t i = 0; i < plan->ruleset->rule_count; i++)
		standings[i] = (struct standing){.kind = STANDING_NEVER, .reason = ""};
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct course *course = &plan->courses.phases[phase];
		if (course->usable)
			look_at_course(plan, course, standings);
		else
			look_at_phase(plan, phase, standings);
	}
}
