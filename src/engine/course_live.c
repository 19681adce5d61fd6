/*
 * Which of what settled rules have matched is ever looked at. MATCHED_VARS and their kin are read by few rules, and a
 * rule that asks and does not match empties them; so from each reader the rules are gone through backwards (liveness of
 * a variable, as compilers know it): MATCHED_VARS are live before a rule if the rule reads them, or if it may match and
 * they are live where a match leads.
 *
 * What is known of rules holds for requests that keep to the course. A rule behind which it may be left with the phases
 * unfinished counts as one that leads to any reader behind it. Only failures (memory, a scan that broke) are not
 * thought of: after these the reference path has other matches, too.
 */
#include "engine/course_build.h"
#include "engine/echo.h"
#include "engine/rule.h"
#include "engine/shown.h"
#include "engine/target.h"
#include "engine/variable.h"

#include <errno.h>
#include <stdlib.h>

enum { READS_LAST = 1, READS_ALL = 2 }; /* MATCHED_VAR, or MATCHED_VARS, with their names */

static unsigned variable_reads(enum variable variable)
{
	switch ((int)variable) {
	case VARIABLE_MATCHED_VAR:
	case VARIABLE_MATCHED_VAR_NAME:
		return READS_LAST;
	case VARIABLE_MATCHED_VARS:
	case VARIABLE_MATCHED_VARS_NAMES:
		return READS_ALL;
	default:
		return 0;
	}
}

static unsigned macro_reads(const struct macro *macro)
{
	unsigned reads = 0;
	for (size_t i = 0; i < macro->part_count; i++)
		reads |= macro->parts[i].is_variable ? variable_reads(macro->parts[i].variable) : 0;
	return reads;
}

static unsigned action_reads(const struct action *action)
{
	unsigned reads = macro_reads(&action->text);
	if (action->kind == ACTION_CTL)
		return reads | macro_reads(&action->ctl.text);
	if (action->kind == ACTION_SANITISE_MATCHED || action->kind == ACTION_SANITISE_MATCHED_BYTES)
		reads |= READS_LAST;
	return reads | macro_reads(&action->setvar.name) | macro_reads(&action->setvar.value);
}

/* What a link reads before a value of it has matched. */
static unsigned question_reads(const struct rule *rule)
{
	unsigned reads = macro_reads(&rule->operation.argument);
	for (size_t i = 0; i < rule->target_count; i++)
		reads |= variable_reads(rule->targets[i].variable);
	return reads;
}

/* And what afterwards. */
static unsigned match_reads(const struct rule *rule)
{
	unsigned reads = macro_reads(&rule->message) | macro_reads(&rule->log_data) | macro_reads(&rule->redirect_url);
	for (size_t i = 0; i < rule->tag_count; i++)
		reads |= macro_reads(&rule->tags[i]);
	for (size_t i = 0; i < rule->action_count; i++)
		reads |= action_reads(&rule->actions[i]);
	return reads;
}

/* Whether a chain looks at what rules before it have matched. Once a link has matched, the last is its own. */
static bool reads_earlier(const struct rule *head)
{
	unsigned earlier = READS_LAST | READS_ALL;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		if ((question_reads(rule) & earlier) != 0)
			return true;
		if (rule->kind == RULE_OPERATOR)
			earlier = READS_ALL;
		if ((match_reads(rule) & earlier) != 0)
			return true;
	}
	return false;
}

struct reader {
	const struct rule *head;
	unsigned phase;
	size_t place;
};

static const struct ruleset_phase *phase_of(const struct course_builder *b, unsigned phase)
{
	return &b->plan->ruleset->phases[phase];
}

static bool is_behind(const struct reader *reader, unsigned phase, size_t place)
{
	return reader->phase > phase || (reader->phase == phase && reader->place > place);
}

static bool may_allow(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		enum disruptive action = rule_disruption(rule);
		if (action == DISRUPTIVE_ALLOW || action == DISRUPTIVE_ALLOW_PHASE ||
		    action == DISRUPTIVE_ALLOW_REQUEST)
			return true;
	}
	return false;
}

/* Whether a match takes settled rules away, so that nothing is known any more, but leaves the reader. */
static bool may_derail(const struct course_builder *b, const struct reader *reader, const struct rule *head)
{
	bool derails = false;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		for (size_t i = 0; i < rule->action_count; i++) {
			if (!course_is_removal(&rule->actions[i]))
				continue;
			const struct ctl *ctl = &rule->actions[i].ctl;
			if (ctl->kind <= CTL_RULE_REMOVE_BY_TAG && target_ctl_means(b->t, ctl, reader->head))
				return false;
			derails |= course_removes_what_is_settled(b, ctl);
		}
	}
	return derails;
}

/* Whether the course may be left at a rule, for the reader to be come to in some other way. */
static bool may_leave(const struct course_builder *b, const struct reader *reader, const struct rule *head,
		      size_t place)
{
	if (!is_behind(reader, b->phase, place))
		return false;
	bool jumps;
	bool leaves = course_jumps_twice(head) || (course_landing(b, head, place, &jumps) == UINT32_MAX && jumps) ||
		      may_derail(b, reader, head);
	return leaves || (reader->phase > b->phase && (course_may_disrupt(head) || may_allow(head)));
}

/* `live` says it of all places behind. */
static bool is_live_before(const struct course_builder *b, const struct reader *reader, const bool *live, size_t place)
{
	const struct rule *head = phase_of(b, b->phase)->rules[place];
	const struct course_place *known = &b->places[b->phase][place];
	bool jumps;
	if (head->kind == RULE_MARKER)
		return live[place + 1];
	if (head == reader->head || may_leave(b, reader, head, place))
		return true;
	if (known->never_matches)
		return false;
	uint32_t to = course_landing(b, head, place, &jumps);
	bool there = jumps && to != UINT32_MAX && live[to];
	return there || ((!jumps || !known->matches_surely) && live[place + 1]);
}

struct liveness {
	struct course_builder *b;
	bool *live;                 /* by place, of one phase and reader */
	bool *read[PHASE_LAST + 1]; /* by place: live before it, for any reader */
};

/* Whether the phase's end leads to the reader. A phase that does not come next may begin without what is known. */
static bool is_live_at_end(const struct reader *reader, unsigned phase, bool next_begins_live)
{
	return reader->phase == phase + 1 ? next_begins_live : reader->phase > phase;
}

static void go_back_from(struct liveness *l, const struct reader *reader)
{
	bool begins = false;
	for (unsigned phase = reader->phase; phase >= PHASE_FIRST; phase--) {
		size_t count = phase_of(l->b, phase)->count;
		l->b->phase = phase;
		l->live[count] = is_live_at_end(reader, phase, begins);
		l->read[phase][count] |= l->live[count];
		for (size_t place = count; place-- > 0;) {
			l->live[place] = is_live_before(l->b, reader, l->live, place);
			l->read[phase][place] |= l->live[place];
		}
		begins = l->live[0];
	}
}

static bool has_secret_name(const struct course_builder *b, const struct matched *matched, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (shown_name_is_secret(b->t, variable_full_name(b->t, &matched[i])))
			return true;
	return false;
}

/* As has_secret_name(), of all that a rule may match; what has no name of its own may have any. */
static bool may_match_secrets(const struct course_builder *b, const struct rule *rule)
{
	for (size_t i = 0; i < rule->target_count; i++) {
		const struct target *target = &rule->targets[i];
		struct matched matched = {.variable = target->variable, .key = target->selector};
		if (target->selector_kind != SELECTOR_NAME || has_secret_name(b, &matched, 1))
			return true;
	}
	return false;
}

/* Neither behind the rule nor where it leads does anybody look at what it matched. */
static bool match_is_unread(const struct liveness *l, unsigned phase, const struct course_step *step)
{
	bool leaves = step->jump_place != UINT32_MAX;
	return !l->read[phase][step->place + 1] && !(leaves && l->read[phase][step->jump_place]) &&
	       !may_match_secrets(l->b, step->rule);
}

static void forget_in_phase(struct liveness *l, unsigned phase)
{
	const struct course *course = &l->b->plan->courses.phases[phase];
	l->b->phase = phase;
	for (size_t i = 0; i < course->count; i++) {
		struct course_step *step = (struct course_step *)&course->steps[i];
		struct course_settled *settled = (struct course_settled *)step->settled;
		step->idle = step->rule != NULL && match_is_unread(l, phase, step) && course_is_idle(l->b, step);
		step->owes = step->echo != 0 && echo_can_wait(step->rule) && match_is_unread(l, phase, step);
		size_t to = step->jump_place == UINT32_MAX || step->rule != NULL ? step->place + 1 : step->jump_place;
		if (l->read[phase][to])
			continue;
		/* What a log shows of a chain depends on the names that were matched before. */
		if (settled != NULL && !has_secret_name(l->b, settled->matched, settled->matched_count))
			settled->matched_count = 0;
		if (step->surely && !has_secret_name(l->b, step->matched, step->matched_count))
			step->matched_count = 0;
	}
}

/* Names that become secrets at run time may be those of TX. */
static bool makes_secrets(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->rule_count; i++)
		for (const struct rule *rule = ruleset->rules[i]; rule != NULL; rule = rule->next_link)
			for (size_t k = 0; k < rule->action_count; k++)
				if (rule->actions[k].kind >= ACTION_SANITISE_ARG &&
				    rule->actions[k].kind <= ACTION_SANITISE_RESPONSE_HEADER)
					return true;
	return false;
}

static int make_room(struct liveness *l)
{
	size_t most = 0;
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		size_t count = phase_of(l->b, phase)->count;
		most = count > most ? count : most;
		l->read[phase] = calloc(count + 1, sizeof(bool));
		if (l->read[phase] == NULL)
			return -ENOMEM;
	}
	l->live = calloc(most + 1, sizeof(bool));
	return l->live == NULL ? -ENOMEM : 0;
}

static void forget_unread(struct liveness *l)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct ruleset_phase *rules = phase_of(l->b, phase);
		for (size_t place = 0; place < rules->count; place++)
			if (reads_earlier(rules->rules[place]))
				go_back_from(l, &(struct reader){rules->rules[place], phase, place});
	}
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++)
		forget_in_phase(l, phase);
}

int course_forget_unread(struct course_builder *b)
{
	struct liveness l = {.b = b};
	if (makes_secrets(b->plan->ruleset))
		return 0;
	int r = make_room(&l);
	if (r == 0)
		forget_unread(&l);
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++)
		free(l.read[phase]);
	free(l.live);
	return r;
}
