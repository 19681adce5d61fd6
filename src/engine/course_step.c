/* Rules that a request evaluates: what is known of them all the same, and what is no longer known behind them. */
#include "engine/course_build.h"

#include "base/vector.h"
#include "engine/echo.h"
#include "engine/operator.h"
#include "engine/operator_kind.h"
#include "engine/remembered.h"
#include "engine/rule.h"
#include "engine/target.h"
#include "engine/worker.h"
#include "match/compare.h"
#include "match/regex.h"

#include <errno.h>

static bool may_lose_targets(const struct course_builder *b, const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		for (size_t i = 0; i < b->removal_count; i++)
			if (b->removals[i]->kind > CTL_RULE_REMOVE_BY_TAG &&
			    target_ctl_means(b->t, b->removals[i], rule))
				return true;
	return false;
}

static void setvar_varies(struct course_builder *b, const struct setvar *setvar)
{
	for (size_t slot = 0; slot < b->plan->ruleset->tx_slot_count; slot++)
		if (course_may_set(b, setvar, (int)slot))
			facts_forget(&b->facts, (int)slot);
}

static void may_match(struct course_builder *b, const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		for (size_t i = 0; i < rule->action_count; i++)
			if (rule->actions[i].kind == ACTION_SETVAR)
				setvar_varies(b, &rule->actions[i].setvar);
		if (rule->capture)
			for (size_t i = 0; i < b->plan->ruleset->tx_slot_count; i++)
				if (b->plan->ruleset->tx_names[i][0] >= '0' && b->plan->ruleset->tx_names[i][0] <= '9')
					facts_forget(&b->facts, (int)i);
	}
}

static int add_removals(struct course_builder *b, const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		for (size_t i = 0; i < rule->action_count; i++) {
			if (!course_is_removal(&rule->actions[i]))
				continue;
			int r = vector_grow((void **)&b->removals, &b->removal_capacity, b->removal_count,
					    sizeof(struct ctl *));
			if (r != 0)
				return r;
			b->removals[b->removal_count++] = &rule->actions[i].ctl;
		}
	}
	return 0;
}

static int keep_arguments(struct course_builder *b, const struct rule *head, struct course_step *step)
{
	size_t count = 0;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		count++;
	struct slice *arguments = arena_zalloc(&b->plan->arena, count, sizeof(*arguments));
	if (arguments == NULL)
		return -ENOMEM;
	step->arguments = arguments;
	step->knows_arguments = true;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link, arguments++) {
		if (!course_macro_is_known(b, &rule->operation.argument) || course_changes_argument(b, head, rule))
			step->knows_arguments = false;
		else if (course_macro_expand(b, &rule->operation.argument, arguments) != 0)
			return -ENOMEM;
	}
	return 0;
}

static bool means_slot(struct course_builder *b, const struct target *target, size_t slot)
{
	struct slice name = slice_from_string(b->plan->ruleset->tx_names[slot]);
	if (target->selector_kind == SELECTOR_NAME)
		return target->tx_slot == (int)slot;
	return regex_match(target->regex, b->t->worker->regex_scratch, name, 0, NULL, NULL, NULL) != REGEX_NONE;
}

/* Whether a link that compares numbers would match where there is none of what it counts. */
static bool matches_none(struct course_builder *b, const struct rule *rule, const struct slice *argument)
{
	if (!operator_compares_numbers(rule->operation.kind) || rule->transform_count > 0 || argument->ptr == NULL)
		return true;
	struct operand none = {.t = b->t, .rule = rule, .is_number = true, .asks_only = true, .argument = argument};
	return operator_evaluate(&none) != 0;
}

/* Targets of other kinds may match without any of these names: then there is no gate. */
static bool has_gate(struct course_builder *b, const struct rule *rule, const struct slice *argument)
{
	if (rule->kind != RULE_OPERATOR || rule->target_count == 0)
		return false;
	for (size_t i = 0; i < rule->target_count; i++) {
		const struct target *target = &rule->targets[i];
		if (target->variable != VARIABLE_TX || (target->counted && matches_none(b, rule, argument)) ||
		    target->excluded || target->selector_kind == SELECTOR_NONE ||
		    (target->selector_kind == SELECTOR_NAME && target->tx_slot == SLOT_NONE))
			return false;
	}
	return true;
}

/* The names that the rule's targets mean. 0 or -ENOMEM. */
static int list_slots(struct course_builder *b, const struct rule *rule, struct course_gate *gate)
{
	size_t slots = b->plan->ruleset->tx_slot_count;
	uint32_t *list = arena_alloc(&b->t->arena, (slots + 1) * sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (size_t slot = 0; slot < slots; slot++) {
		bool meant = false;
		for (size_t i = 0; i < rule->target_count; i++)
			meant |= means_slot(b, &rule->targets[i], slot);
		if (meant)
			list[gate->slot_count++] = (uint32_t)slot;
	}
	uint32_t *kept = arena_alloc(&b->plan->arena, (gate->slot_count + 1) * sizeof(*kept));
	if (kept == NULL)
		return -ENOMEM;
	memcpy(kept, list, gate->slot_count * sizeof(*kept));
	gate->slots = kept;
	return 0;
}

/* `*ret_gate` stays as it is where the link has none. 0 or -ENOMEM. */
static int make_gate(struct course_builder *b, const struct rule *rule, const struct slice *argument,
		     const struct course_gate **ret_gate)
{
	if (!has_gate(b, rule, argument))
		return 0;
	struct course_gate *gate = arena_zalloc(&b->plan->arena, 1, sizeof(*gate));
	if (gate == NULL || list_slots(b, rule, gate) != 0)
		return -ENOMEM;
	bool counts = false;
	for (size_t i = 0; i < rule->target_count; i++) {
		gate->composed |= rule->targets[i].selector_kind != SELECTOR_NAME;
		counts |= rule->targets[i].counted;
	}
	gate->compares = gate->slot_count == 1 && !gate->composed && !counts && rule->transform_count == 0 &&
			 operator_compares_numbers(rule->operation.kind) && argument->ptr != NULL;
	gate->relation = rule->operation.kind;
	gate->negated = rule->operation.negated;
	gate->number = gate->compares ? compare_number(*argument) : 0;
	*ret_gate = gate;
	return 0;
}

/* Of the head, and of the link behind it where the head does nothing but compare a number. */
static int make_gates(struct course_builder *b, struct course_step *step)
{
	const struct rule *head = step->rule;
	int r = make_gate(b, head, &step->arguments[0], &step->gate);
	if (r != 0 || head->next_link == NULL || step->gate == NULL || !step->gate->compares || head->capture ||
	    rule_sets_variables(head))
		return r;
	return make_gate(b, head->next_link, &step->arguments[1], &step->link_gate);
}

static int match_surely(struct course_builder *b, struct course_step *step)
{
	struct matched last;
	for (const struct rule *rule = step->rule; rule != NULL; rule = rule->next_link)
		if (course_match_link(b, rule, &last) < 0)
			return -ENOMEM;
	return course_take_matched(b, &step->matched, &step->matched_count);
}

int course_step_add(struct course_builder *b, const struct rule *head, size_t place, bool surely)
{
	bool jumps;
	uint32_t to = course_landing(b, head, place, &jumps);
	int r = course_settled_close(b);
	if (r != 0)
		return r;
	struct course_step *step = &b->steps[b->step_count++];
	*step = (struct course_step){.rule = head, .place = (uint32_t)place, .jump_place = jumps ? to : UINT32_MAX};
	step->loses_targets = may_lose_targets(b, head);
	r = keep_arguments(b, head, step);
	if (r != 0)
		return r;
	r = make_gates(b, step);
	if (r != 0)
		return r;
	r = course_is_vain(b, head, &step->vain);
	if (r != 0)
		return r;
	/* A ctl that takes the link's target away may make it match. */
	b->places[b->phase][place].settled |= step->vain;
	step->surely = surely;
	if (surely && match_surely(b, step) != 0)
		return -ENOMEM;
	if (!surely && step->knows_arguments && !step->loses_targets && !jumps && echo_is_possible(head) &&
	    course_sets_variables(head))
		step->echo = remembered_new_number();
	b->usable &= !course_jumps_twice(head);
	may_match(b, head);
	r = add_removals(b, head);
	if (r == 0 && course_may_disrupt(head))
		r = facts_meet(&b->disruptions, &b->facts);
	return r == 0 && jumps && to != UINT32_MAX ? course_jump(b, to) : r;
}
