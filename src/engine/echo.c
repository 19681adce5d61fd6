/*
 * Two ways around an evaluation: a text that can wait is owed (owed.c); any other is a note under the step's number and
 * the value's bytes. Both are for a target that selects one value; where it selects more, the rule is evaluated.
 */
#include "engine/echo.h"

#include "engine/action.h"
#include "engine/operator_kind.h"
#include "engine/owed.h"
#include "engine/probe.h"
#include "engine/remembered.h"
#include "engine/rule.h"

#include <errno.h>

bool echo_is_possible(const struct rule *rule)
{
	if (rule->kind != RULE_OPERATOR || rule->next_link != NULL || rule->multi_match || rule->target_count != 1 ||
	    rule->transform_count == 0 || !operator_is_pure(rule->operation.kind))
		return false;
	const struct target *target = &rule->targets[0];
	return !target->excluded && !target->counted && target->selector_kind == SELECTOR_NAME &&
	       probe_is_steady(target->variable);
}

/* NULL if there are several, or none. */
static struct value *only_value(const struct transaction *t, const struct target *target)
{
	struct value *only = NULL;
	const struct value_set *set = &t->sets[target->variable];
	for (uint32_t i = 0; i < set->count; i++) {
		if (!slice_equal_nocase(set->items[i]->key, target->selector))
			continue;
		if (only != NULL)
			return NULL;
		only = set->items[i];
	}
	return only;
}

static bool is_what_matched(const struct macro *macro)
{
	return macro->part_count == 1 && macro->parts[0].is_variable &&
	       macro->parts[0].variable == VARIABLE_MATCHED_VAR && macro->parts[0].selector.len == 0;
}

bool echo_can_wait(const struct rule *rule)
{
	for (size_t i = 0; i < rule->action_count; i++) {
		const struct setvar *setvar = &rule->actions[i].setvar;
		if (rule->actions[i].kind != ACTION_SETVAR || setvar->kind != SETVAR_SET ||
		    setvar->collection != VARIABLE_TX || setvar->tx_slot == SLOT_NONE ||
		    !is_what_matched(&setvar->value))
			return false;
	}
	return rule->operation.certain && !rule->operation.negated;
}

int echo_owe(struct transaction *t, const struct course_step *step)
{
	const struct rule *rule = step->rule;
	struct value *value = only_value(t, &rule->targets[0]);
	if (value == NULL)
		return 0;
	struct owed *owed = arena_alloc(&t->arena, sizeof(*owed));
	if (owed == NULL)
		return -ENOMEM;
	*owed = (struct owed){.t = t, .value = value, .node = plan_node_of(t->plan, rule)};
	for (size_t i = 0; i < rule->action_count; i++)
		if (tx_set_owed(&t->tx, rule->actions[i].setvar.tx_slot, owed) != 0)
			return -ENOMEM;
	rule_pass(t, rule);
	return 1;
}

static struct remembered_key key_of(const struct course_step *step, const struct value *value)
{
	return (struct remembered_key){.number = step->echo, .first = value->bytes, .second = SLICE("")};
}

int echo_repeat(struct transaction *t, const struct course_step *step)
{
	const struct target *target = &step->rule->targets[0];
	const struct value *value = only_value(t, target);
	if (value == NULL)
		return 0;
	struct remembered_key key = key_of(step, value);
	struct slice note;
	if (!remembered_find_note(t->worker->remembered, &key, &note))
		return 0;
	struct score_change change = {0};
	struct matched matched = {.variable = target->variable, .key = value->key};
	/* The entry may go before the transaction does. */
	if (arena_copy(&t->arena, note, &matched.value) != 0 || transaction_add_matched(t, &matched, 1) != 0)
		return -ENOMEM;
	t->head = step->rule;
	int r = action_run_setvars(t, step->rule, &change);
	t->head = NULL;
	rule_pass(t, step->rule);
	return r != 0 ? r : 1;
}

void echo_remember(struct transaction *t, const struct course_step *step)
{
	const struct value *value = only_value(t, &step->rule->targets[0]);
	struct slice note;
	if (value == NULL || t->matched_count == 0)
		return;
	struct remembered_key key = key_of(step, value);
	if (!remembered_find_note(t->worker->remembered, &key, &note))
		remembered_add_note(t->worker->remembered, &key, t->matched[t->matched_count - 1].value);
}
