/* What a rule depends on and, where all of it is known, what it answers: by the engine's own operators. */
#include "engine/course_build.h"

#include "base/buffer.h"
#include "engine/operator.h"
#include "engine/operator_kind.h"
#include "engine/pipeline.h"
#include "engine/rule.h"

#include <errno.h>

bool course_macro_is_known(const struct course_builder *b, const struct macro *macro)
{
	for (size_t i = 0; i < macro->part_count; i++) {
		const struct macro_part *part = &macro->parts[i];
		if (part->is_variable && (part->variable != VARIABLE_TX || part->tx_slot == SLOT_NONE ||
					  facts_vary(&b->facts, part->tx_slot)))
			return false;
	}
	return true;
}

/* A name composed at run time may be any that begins as it does. */
bool course_may_set(const struct course_builder *b, const struct setvar *setvar, int slot)
{
	const struct macro *name = &setvar->name;
	if (setvar->collection != VARIABLE_TX || setvar->tx_slot != SLOT_NONE)
		return setvar->collection == VARIABLE_TX && setvar->tx_slot == slot;
	struct slice prefix = name->part_count > 0 && !name->parts[0].is_variable ? name->parts[0].literal
			      : macro_is_literal(name)                            ? name->text
										  : SLICE("");
	return slice_starts_with_nocase(slice_from_string(b->plan->ruleset->tx_names[slot]), prefix);
}

static bool link_sets(const struct course_builder *b, const struct rule *rule, int slot)
{
	uint8_t first = (uint8_t)b->plan->ruleset->tx_names[slot][0];
	if (rule->capture && byte_is_digit(first))
		return true;
	for (size_t i = 0; i < rule->action_count; i++)
		if (rule->actions[i].kind == ACTION_SETVAR && course_may_set(b, &rule->actions[i].setvar, slot))
			return true;
	return false;
}

bool course_changes_argument(const struct course_builder *b, const struct rule *head, const struct rule *link)
{
	const struct macro *argument = &link->operation.argument;
	for (size_t i = 0; i < argument->part_count; i++) {
		const struct macro_part *part = &argument->parts[i];
		for (const struct rule *rule = head; part->is_variable && rule != link->next_link;
		     rule = rule->next_link)
			if (part->tx_slot != SLOT_NONE && link_sets(b, rule, part->tx_slot))
				return true;
	}
	return false;
}

/* Stays as long as the builder; a literal as long as its rule. */
static struct slice expand(const struct course_builder *b, const struct macro *macro)
{
	struct buffer text = buffer_make(&b->t->arena);
	if (macro_is_literal(macro))
		return macro->text;
	for (size_t i = 0; i < macro->part_count; i++) {
		const struct macro_part *part = &macro->parts[i];
		buffer_add(&text, part->is_variable ? facts_text(&b->facts, part->tx_slot) : part->literal);
	}
	return text.error != 0 || text.len == 0 ? SLICE("") : buffer_slice(&text);
}

int course_macro_expand(const struct course_builder *b, const struct macro *macro, struct slice *ret_text)
{
	*ret_text = expand(b, macro);
	return macro_is_literal(macro) ? 0 : arena_copy(&b->plan->arena, *ret_text, ret_text);
}

static bool target_is_known(const struct course_builder *b, const struct target *target)
{
	return target->variable == VARIABLE_TX && target->selector_kind == SELECTOR_NAME &&
	       target->tx_slot != SLOT_NONE && !facts_vary(&b->facts, target->tx_slot);
}

static bool link_is_known(const struct course_builder *b, const struct rule *rule)
{
	if (rule->kind == RULE_ACTION)
		return true;
	if (rule->multi_match || !operator_is_pure(rule->operation.kind) ||
	    !course_macro_is_known(b, &rule->operation.argument) || course_changes_argument(b, rule, rule))
		return false;
	for (size_t i = 0; i < rule->target_count; i++)
		if (rule->targets[i].excluded || !target_is_known(b, &rule->targets[i]) ||
		    (rule->target_count > 1 && link_sets(b, rule, rule->targets[i].tx_slot)))
			return false;
	return true;
}

/* 1 if the target's value matches, 0 if not or if there is none, -ENOMEM. */
static int target_matches(struct course_builder *b, const struct rule *rule, const struct target *target,
			  struct matched *ret_matched)
{
	bool set = facts_is_set(&b->facts, target->tx_slot);
	if (!set && !target->counted)
		return 0;
	struct slice argument = expand(b, &rule->operation.argument);
	struct operand operand = {.t = b->t, .rule = rule, .asks_only = true, .argument = &argument};
	operand.bytes = target->counted ? (set ? SLICE("1") : SLICE("0")) : facts_text(&b->facts, target->tx_slot);
	for (size_t i = 0; i < rule->transform_count; i++) {
		bool changed;
		if (pipeline_step(b->t, rule->transforms[i], operand.bytes, &operand.bytes, &changed) != 0)
			return -ENOMEM;
	}
	int r = operator_evaluate(&operand);
	if (r <= 0)
		return r;
	*ret_matched = (struct matched){
		.variable = VARIABLE_TX,
		.counted = target->counted,
		.key = target->counted ? target->selector
				       : slice_from_string(b->plan->ruleset->tx_names[target->tx_slot]),
		.value = operand.bytes,
	};
	return 1;
}

int course_link_matches(struct course_builder *b, const struct rule *rule, struct matched *ret_matched)
{
	int count = 0;
	if (rule->kind == RULE_ACTION)
		return 1;
	for (size_t i = 0; i < rule->target_count; i++) {
		struct matched matched;
		int r = target_matches(b, rule, &rule->targets[i], &matched);
		if (r < 0)
			return r;
		if (r > 0 && ret_matched != NULL)
			ret_matched[count] = matched;
		count += r;
	}
	return count;
}

/* What a link leaves behind although the chain may not match: a negated operator captures just when it does not. */
static bool leaves_traces(const struct rule *rule, bool matches)
{
	return matches ? rule->capture || rule_sets_variables(rule) : rule->capture && rule->operation.negated;
}

int course_answer_of(struct course_builder *b, const struct rule *head, enum course_answer *ret_answer)
{
	bool traces = false;
	*ret_answer = COURSE_UNKNOWN;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		if (traces || !link_is_known(b, rule))
			return 0;
		int r = course_link_matches(b, rule, NULL);
		if (r < 0)
			return r;
		traces = leaves_traces(rule, r > 0);
		if (r == 0) {
			*ret_answer = traces ? COURSE_UNKNOWN : COURSE_NO;
			return 0;
		}
	}
	*ret_answer = COURSE_YES;
	return 0;
}

int course_is_vain(struct course_builder *b, const struct rule *head, bool *ret_vain)
{
	*ret_vain = false;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		if (link_is_known(b, rule)) {
			int r = course_link_matches(b, rule, NULL);
			if (r < 0)
				return r;
			*ret_vain = r == 0 && !leaves_traces(rule, false);
			if (r == 0 || leaves_traces(rule, true))
				return 0;
		} else if (!operator_is_pure(rule->operation.kind) || leaves_traces(rule, true) ||
			   leaves_traces(rule, false)) {
			return 0;
		}
	}
	return 0;
}
