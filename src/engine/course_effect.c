/* What a match does besides being one, and who looks at it. */
#include "engine/course_build.h"
#include "engine/rule.h"

static bool setvar_is_known(const struct course_builder *b, const struct setvar *setvar)
{
	return setvar->collection == VARIABLE_TX && setvar->tx_slot != SLOT_NONE &&
	       course_macro_is_known(b, &setvar->value) &&
	       (setvar->kind == SETVAR_SET || setvar->kind == SETVAR_UNSET ||
		(!facts_vary(&b->facts, setvar->tx_slot) &&
		 b->plan->score_of_slot[setvar->tx_slot] == PLAN_SCORE_NONE));
}

static bool disrupts(const struct rule *rule)
{
	enum disruptive action = rule_disruption(rule);
	return action != DISRUPTIVE_NONE && action != DISRUPTIVE_PASS;
}

static bool link_sets_only(const struct rule *rule)
{
	/* Whether a chain is logged its head says. */
	if (rule->capture || (rule->log && rule->chain_depth == 0) || rule->severity != SEVERITY_UNSET ||
	    rule->status != 0 || disrupts(rule))
		return false;
	for (size_t i = 0; i < rule->action_count; i++)
		if (rule->actions[i].kind != ACTION_SETVAR || rule->actions[i].setvar.collection != VARIABLE_TX)
			return false;
	return true;
}

bool course_looks_once(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (rule->target_count > 1)
			return false;
	return true;
}

bool course_variables_are_known(const struct course_builder *b, const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		for (size_t i = 0; i < rule->action_count; i++)
			if (!setvar_is_known(b, &rule->actions[i].setvar))
				return false;
	return true;
}

static bool macro_reads_match(const struct macro *macro)
{
	for (size_t i = 0; i < macro->part_count; i++) {
		enum variable variable = macro->parts[i].variable;
		if (macro->parts[i].is_variable &&
		    (variable == VARIABLE_MATCHED_VAR || variable == VARIABLE_MATCHED_VAR_NAME ||
		     variable == VARIABLE_MATCHED_VARS || variable == VARIABLE_MATCHED_VARS_NAMES))
			return true;
	}
	return false;
}

static bool actions_read_match(const struct rule *rule)
{
	bool reads = macro_reads_match(&rule->message) || macro_reads_match(&rule->log_data);
	for (size_t i = 0; i < rule->action_count; i++) {
		const struct action *action = &rule->actions[i];
		reads |= macro_reads_match(&action->text) || action->kind == ACTION_SANITISE_MATCHED ||
			 action->kind == ACTION_SANITISE_MATCHED_BYTES;
		if (action->kind == ACTION_SETVAR)
			reads |= macro_reads_match(&action->setvar.name) || macro_reads_match(&action->setvar.value);
	}
	return reads;
}

bool course_asks(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (rule->kind == RULE_OPERATOR)
			return true;
	return false;
}

bool course_jumps_at_all(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (rule->skip > 0 || rule->skip_after.len > 0)
			return true;
	return false;
}

bool course_may_disrupt(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (disrupts(rule))
			return true;
	return false;
}

uint32_t course_landing(const struct course_builder *b, const struct rule *head, size_t place, bool *ret_jumps)
{
	size_t count = b->plan->ruleset->phases[b->phase].count;
	uint32_t skip = 0;
	struct slice marker = {0};
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		skip = skip == 0 ? rule->skip : skip;
		marker = marker.len == 0 ? rule->skip_after : marker;
	}
	*ret_jumps = skip > 0 || marker.len > 0;
	if (marker.len > 0)
		return b->plan->jumps[b->phase][place];
	size_t at = place + 1;
	for (; at < count && skip > 0; at++)
		skip -= b->plan->ruleset->phases[b->phase].rules[at]->kind != RULE_MARKER;
	return skip > 0 ? UINT32_MAX : (uint32_t)at;
}

bool course_jumps_twice(const struct rule *head)
{
	unsigned skips = 0;
	bool marker = false;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		skips += rule->skip > 0;
		marker |= rule->skip_after.len > 0;
	}
	return skips > 1 || (skips > 0 && marker);
}

bool course_is_removal(const struct action *action)
{
	return action->kind == ACTION_CTL && action->ctl.kind >= CTL_RULE_REMOVE_BY_ID &&
	       action->ctl.kind <= CTL_RULE_REMOVE_TARGET_BY_TAG;
}

bool course_sets_variables(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (!link_sets_only(rule))
			return false;
	return true;
}

bool course_leaves_variables_only(const struct course_builder *b, const struct rule *head, size_t place)
{
	bool jumps;
	uint32_t to = course_landing(b, head, place, &jumps);
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (!link_sets_only(rule) || actions_read_match(rule))
			return false;
	return !jumps || to != UINT32_MAX;
}
