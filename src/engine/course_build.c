/*
 * Constant propagation over a phase's rules. Each variable of TX is a fact (unset, or a text) or varies with the
 * request. Rules are taken in order: one whose inputs are facts is evaluated here and now by the engine's own
 * operators; any other may match or not, and what it sets varies from there on. Where a jump lands, what is known is
 * what all ways there agree on.
 *
 * A rule is settled only if its match is nothing but a match and variables of TX: no log, no capture, no ctl, nothing
 * that disrupts. A ctl that removes settled rules is rare: after it has run, nothing is settled (`derails`).
 */
#include "engine/course_build.h"

#include "engine/target.h"
#include "engine/worker.h"

#include <errno.h>
#include <stdlib.h>

static int add_rule(struct course_builder *b, const struct rule *head, size_t place)
{
	enum course_answer answer = COURSE_UNKNOWN;
	if (head->kind == RULE_MARKER)
		return 0;
	int r = course_answer_of(b, head, &answer);
	if (r != 0)
		return r;
	if (answer != COURSE_UNKNOWN)
		b->places[b->phase][place].settled = true;
	b->places[b->phase][place].never_matches = answer == COURSE_NO;
	if (answer == COURSE_NO)
		return course_settle(b, head, place);
	if (answer == COURSE_UNKNOWN || course_jumps_twice(head) || !course_leaves_variables_only(b, head, place))
		return course_step_add(b, head, place, false);
	if (!course_variables_are_known(b, head))
		return course_step_add(b, head, place, course_looks_once(head) && !course_jumps_at_all(head));
	bool jumps;
	uint32_t to = course_landing(b, head, place, &jumps);
	b->places[b->phase][place].matches_surely = true;
	r = course_settle(b, head, place);
	return r == 0 && jumps ? course_jump_surely(b, to) : r;
}

static int count_operators(struct course_builder *b, struct course *course)
{
	size_t count = b->plan->ruleset->phases[b->phase].count;
	uint32_t *before = arena_zalloc(&b->plan->arena, count + 2, sizeof(*before));
	if (before == NULL)
		return -ENOMEM;
	const struct course_place *places = b->places[b->phase];
	for (size_t i = 0; i < count; i++)
		before[i + 1] = before[i] + (places[i].reached && !places[i].matches_surely &&
					     course_asks(b->plan->ruleset->phases[b->phase].rules[i]));
	course->operators_before = before;
	return 0;
}

static int keep_steps(struct course_builder *b, struct course *course)
{
	struct course_step *steps = arena_zalloc(&b->plan->arena, b->step_count + 1, sizeof(*steps));
	if (steps == NULL)
		return -ENOMEM;
	memcpy(steps, b->steps, b->step_count * sizeof(*steps));
	for (size_t i = 0; i < b->step_count; i++) {
		uint32_t to = (uint32_t)i + 1;
		while (to < b->step_count && steps[i].jump_place != UINT32_MAX && steps[to].place < steps[i].jump_place)
			to++;
		steps[i].jump = to;
	}
	course->steps = steps;
	course->count = b->step_count;
	course->usable = b->usable;
	return count_operators(b, course);
}

/* Room for what a phase can come to at most. */
static int make_room(struct course_builder *b)
{
	size_t links = 0;
	size_t targets = 0;
	size_t actions = 0;
	size_t count = b->plan->ruleset->phases[b->phase].count;
	for (size_t i = 0; i < count; i++)
		for (const struct rule *rule = b->plan->ruleset->phases[b->phase].rules[i]; rule != NULL;
		     rule = rule->next_link) {
			links++;
			targets += rule->target_count;
			actions += rule->action_count * (rule->target_count + 1);
		}
	free(b->steps);
	free(b->matches);
	free(b->writes);
	free(b->matched);
	b->matched = calloc(targets + 1, sizeof(*b->matched));
	b->steps = calloc(2 * count + 2, sizeof(*b->steps));
	b->matches = calloc(links + 1, sizeof(*b->matches));
	b->writes = calloc(actions + 1, sizeof(*b->writes));
	b->step_count = b->match_count = b->write_count = b->matched_count = 0;
	b->places[b->phase] = calloc(count + 1, sizeof(struct course_place));
	return b->places[b->phase] == NULL || b->steps == NULL || b->matches == NULL || b->writes == NULL ||
			       b->matched == NULL
		       ? -ENOMEM
		       : 0;
}

static int build_phase(struct course_builder *b, unsigned phase, struct course *course)
{
	size_t count = b->plan->ruleset->phases[phase].count;
	b->phase = phase;
	b->usable = true;
	b->reachable = true;
	int r = make_room(b);
	for (size_t place = 0; place < count && r == 0; place++) {
		r = course_land(b, place);
		b->places[phase][place].reached = b->reachable;
		if (r == 0 && b->reachable)
			r = add_rule(b, b->plan->ruleset->phases[phase].rules[place], place);
	}
	if (r == 0)
		r = course_land(b, SIZE_MAX);
	if (r == 0)
		r = course_settled_close(b);
	return r != 0 ? r : keep_steps(b, course);
}

/*
 * Phases 2 to 4 begin as the one before ended; one that was ended by `allow`, or did not run, is left to the plain way
 * (phase.c). Phase 5 may follow any of them, and any rule that disrupts.
 */
static int build_phases(struct course_builder *b)
{
	struct courses *courses = &b->plan->courses;
	size_t bit = 0;
	int r = 0;
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST && r == 0; phase++) {
		if (phase == PHASE_LOGGING) {
			r = facts_meet(&b->phase_ends, &b->disruptions);
			facts_swap(&b->facts, &b->phase_ends);
		}
		if (r == 0)
			r = build_phase(b, phase, &courses->phases[phase]);
		if (r == 0)
			r = facts_meet(&b->phase_ends, &b->facts);
		courses->phases[phase].first_bit = bit;
		bit += (courses->phases[phase].count + 63) / 64 * 64;
	}
	courses->bit_count = bit;
	return r;
}

/* Settled rules look at TX only: other targets taken from them are none of theirs. */
static bool may_remove(const struct course_builder *b, const struct ctl *ctl, const struct rule *rule)
{
	return (ctl->kind <= CTL_RULE_REMOVE_BY_TAG || ctl->target.variable == VARIABLE_TX) &&
	       target_ctl_means(b->t, ctl, rule);
}

bool course_removes_what_is_settled(const struct course_builder *b, const struct ctl *ctl)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct ruleset *ruleset = b->plan->ruleset;
		for (size_t i = 0; i < ruleset->phases[phase].count; i++) {
			for (const struct rule *rule = ruleset->phases[phase].rules[i];
			     b->places[phase][i].settled && rule != NULL; rule = rule->next_link)
				if (may_remove(b, ctl, rule))
					return true;
		}
	}
	return false;
}

/* After a match of such a rule nothing is settled any more: the plain way takes over. */
static void mark_derailing(struct course_builder *b)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		struct course *course = &b->plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++) {
			struct course_step *step = (struct course_step *)&course->steps[i];
			for (const struct rule *rule = step->rule; rule != NULL; rule = rule->next_link)
				for (size_t j = 0; j < rule->action_count; j++)
					step->derails |= course_is_removal(&rule->actions[j]) &&
							 course_removes_what_is_settled(b, &rule->actions[j].ctl);
		}
	}
}

static int build(struct course_builder *b)
{
	static const struct guia_connection none;
	struct worker *worker = NULL;
	int r = worker_create_to_load(&worker);
	if (r == 0)
		r = transaction_begin(worker, b->plan, &none, SLICE("-"), 0, &b->t);
	if (r == 0)
		r = facts_create(b->plan->ruleset->tx_slot_count, &b->facts);
	if (r == 0) {
		if (b->plan->pcre_limits_slot != SLOT_NONE)
			facts_forget(&b->facts, b->plan->pcre_limits_slot);
		r = build_phases(b);
	}
	if (r == 0) {
		mark_derailing(b);
		r = course_forget_unread(b);
	}
	if (b->t != NULL)
		transaction_end(b->t);
	worker_free(worker);
	return r;
}

int course_build(struct plan *plan)
{
	struct course_builder b = {.plan = plan};
	int r = build(&b);
	while (b.pendings != NULL) {
		struct course_pending *next = b.pendings->next;
		facts_free(&b.pendings->facts);
		free(b.pendings);
		b.pendings = next;
	}
	facts_free(&b.facts);
	facts_free(&b.phase_ends);
	facts_free(&b.disruptions);
	free(b.removals);
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++)
		free(b.places[phase]);
	free(b.steps);
	free(b.matches);
	free(b.writes);
	free(b.matched);
	return r;
}
