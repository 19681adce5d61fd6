/*
 * Constant propagation over a phase's rules. Each variable of TX is a fact (unset, or a text) or varies with the
 * request. Rules are taken in order: one whose inputs are facts is evaluated here and now by the engine's own
 * operators; any other may match or not, and what it sets varies from there on. Where a jump lands, what is known is
 * what all ways there agree on.
 *
 * A rule is settled only if its match is nothing but a match and variables of TX: no log, no capture, no ctl, nothing
 * that disrupts. A ctl that removes settled rules is rare: after it has run, nothing is settled (`derails`).
 */
#include "engine/course.h"

#include "base/vector.h"
#include "engine/course_facts.h"
#include "engine/number.h"
#include "engine/operator.h"
#include "engine/pipeline.h"
#include "engine/plan.h"
#include "engine/target.h"
#include "match/compare.h"

#include <errno.h>
#include <stdlib.h>

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };

/* A jump on its way: what is known if it was taken. */
struct pending {
	size_t place;
	struct facts facts;
	struct pending *next;
};

struct builder {
	struct plan *plan;
	struct transaction *t;       /* holds no request: for macros and operators */
	const struct ctl **removals; /* of the steps so far: what a request may have lost by now */
	size_t removal_count;
	size_t removal_capacity;
	struct facts facts;
	bool reachable;
	struct pending *pendings;
	struct facts phase_ends;  /* met over the ends of phases */
	struct facts disruptions; /* met over the places where a rule may end the request */
	/* Of the phase at hand. */
	unsigned phase;
	struct course_step *steps;
	size_t step_count;
	struct course_match *matches; /* of the settled rules that are not in a step yet */
	size_t match_count;
	struct course_write *writes;
	size_t write_count;
	size_t settled_place;
	bool usable;
	bool *reached;                    /* by place: some way leads there */
	uint8_t *settled[PHASE_LAST + 1]; /* a bit for each place whose rule was settled one way or the other */
};

/* ---- what a rule depends on ---- */

static bool macro_is_known(const struct builder *b, const struct macro *macro)
{
	for (size_t i = 0; i < macro->part_count; i++) {
		const struct macro_part *part = &macro->parts[i];
		if (part->is_variable && (part->variable != VARIABLE_TX || part->tx_slot == SLOT_NONE ||
					  facts_vary(&b->facts, part->tx_slot)))
			return false;
	}
	return true;
}

/* Stays as long as the builder; a literal as long as its rule. */
static struct slice expand(const struct builder *b, const struct macro *macro)
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

/* The same, to stay as long as the plan. 0 or -ENOMEM. */
static int expand_to_stay(const struct builder *b, const struct macro *macro, struct slice *ret_text)
{
	*ret_text = expand(b, macro);
	return macro_is_literal(macro) ? 0 : arena_copy(&b->plan->arena, *ret_text, ret_text);
}

static bool is_pure(enum operator_kind kind)
{
	return kind != OPERATOR_GEO_LOOKUP && kind != OPERATOR_RBL && kind != OPERATOR_VALIDATE_SCHEMA &&
	       kind != OPERATOR_VALIDATE_DTD;
}

static bool may_lose_targets(const struct builder *b, const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		for (size_t i = 0; i < b->removal_count; i++)
			if (b->removals[i]->kind > CTL_RULE_REMOVE_BY_TAG &&
			    target_ctl_means(b->t, b->removals[i], rule))
				return true;
	return false;
}

static bool target_is_known(const struct builder *b, const struct target *target)
{
	return target->variable == VARIABLE_TX && target->selector_kind == SELECTOR_NAME &&
	       target->tx_slot != SLOT_NONE && !facts_vary(&b->facts, target->tx_slot);
}

static bool link_is_known(const struct builder *b, const struct rule *rule)
{
	if (rule->kind == RULE_ACTION)
		return true;
	if (rule->multi_match || !is_pure(rule->operation.kind) || !macro_is_known(b, &rule->operation.argument))
		return false;
	for (size_t i = 0; i < rule->target_count; i++)
		if (rule->targets[i].excluded || !target_is_known(b, &rule->targets[i]))
			return false;
	return true;
}

/* ---- evaluating ---- */

/* 1 if the target's value matches, 0 if not or if there is none, -ENOMEM. */
static int target_matches(struct builder *b, const struct rule *rule, const struct target *target,
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

/* How many values of the link match; the last of them is told, its bytes as long as the builder's. */
static int link_matches(struct builder *b, const struct rule *rule, struct matched *ret_matched)
{
	int count = 0;
	if (rule->kind == RULE_ACTION)
		return 1;
	for (size_t i = 0; i < rule->target_count; i++) {
		int r = target_matches(b, rule, &rule->targets[i], ret_matched);
		if (r < 0)
			return r;
		count += r;
	}
	return count;
}

static bool sets_something(const struct rule *rule)
{
	for (size_t i = 0; i < rule->action_count; i++)
		if (rule->actions[i].kind == ACTION_SETVAR)
			return true;
	return false;
}

/* What a link leaves behind although the chain may not match: a negated operator captures just when it does not. */
static bool leaves_traces(const struct rule *rule, bool matches)
{
	return matches ? rule->capture || sets_something(rule) : rule->capture && rule->operation.negated;
}

static int answer_of(struct builder *b, const struct rule *head, enum answer *ret_answer)
{
	bool traces = false;
	*ret_answer = ANSWER_UNKNOWN;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		struct matched matched;
		if (traces || !link_is_known(b, rule))
			return 0;
		int r = link_matches(b, rule, &matched);
		if (r < 0)
			return r;
		traces = leaves_traces(rule, r > 0);
		if (r == 0) {
			*ret_answer = traces ? ANSWER_UNKNOWN : ANSWER_NO;
			return 0;
		}
	}
	*ret_answer = ANSWER_YES;
	return 0;
}

/* ---- what a match does ---- */

static bool setvar_is_known(const struct builder *b, const struct setvar *setvar)
{
	return setvar->collection == VARIABLE_TX && setvar->tx_slot != SLOT_NONE && macro_is_known(b, &setvar->value) &&
	       (setvar->kind == SETVAR_SET || setvar->kind == SETVAR_UNSET ||
		(!facts_vary(&b->facts, setvar->tx_slot) &&
		 b->plan->score_of_slot[setvar->tx_slot] == PLAN_SCORE_NONE));
}

static bool disrupts(const struct rule *rule)
{
	enum disruptive action = rule->disruptive == DISRUPTIVE_BLOCK ? rule->block_action : rule->disruptive;
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

/* Variables are set once for each value that matches. */
static bool looks_once(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (rule->target_count > 1)
			return false;
	return true;
}

static bool variables_are_known(const struct builder *b, const struct rule *head)
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
		reads |= macro_reads_match(&action->text);
		if (action->kind == ACTION_SETVAR)
			reads |= macro_reads_match(&action->setvar.name) || macro_reads_match(&action->setvar.value);
	}
	return reads;
}

/* Whether a rule looks at what the rule before it matched. */
static bool reads_earlier_match(const struct rule *head)
{
	bool first = true; /* no link before has matched a value */
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		for (size_t i = 0; i < rule->target_count; i++) {
			enum variable variable = rule->targets[i].variable;
			if (variable == VARIABLE_MATCHED_VARS || variable == VARIABLE_MATCHED_VARS_NAMES ||
			    (first && (variable == VARIABLE_MATCHED_VAR || variable == VARIABLE_MATCHED_VAR_NAME)))
				return true;
		}
		if (first && (macro_reads_match(&rule->operation.argument) ||
			      (rule->kind == RULE_ACTION && actions_read_match(rule))))
			return true;
		first &= rule->kind == RULE_ACTION;
	}
	return false;
}

/* A rule that asks nothing neither forgets what was matched before nor matches anything itself. */
static bool asks(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (rule->kind == RULE_OPERATOR)
			return true;
	return false;
}

static bool jumps_at_all(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (rule->skip > 0 || rule->skip_after.len > 0)
			return true;
	return false;
}

/* The next rule from `place` on that would see the match, or forget it: of a phase. */
static enum answer match_is_read_in(const struct builder *b, unsigned phase, size_t place)
{
	const struct rule *const *rules = b->plan->ruleset->phases[phase].rules;
	for (size_t i = place; i < b->plan->ruleset->phases[phase].count; i++) {
		if (rules[i]->kind == RULE_MARKER)
			continue;
		if (reads_earlier_match(rules[i]) || (rules[i]->kind == RULE_ACTION && jumps_at_all(rules[i])))
			return ANSWER_YES;
		if (asks(rules[i]))
			return ANSWER_NO;
	}
	return ANSWER_UNKNOWN;
}

/* The same, on into later phases, each of which may be the next. */
static bool match_is_read(const struct builder *b, size_t place)
{
	enum answer answer = match_is_read_in(b, b->phase, place);
	for (unsigned phase = b->phase + 1; phase <= PHASE_LAST && answer == ANSWER_UNKNOWN; phase++)
		if (match_is_read_in(b, phase, 0) == ANSWER_YES)
			answer = ANSWER_YES;
	return answer == ANSWER_YES;
}

/* ---- steps ---- */

/* Settled rules so far become a step of their own, from which the next is the one that stands behind `jump_place`. */
static int close_settled_with(struct builder *b, uint32_t jump_place)
{
	if (b->match_count == 0 && b->write_count == 0)
		return 0;
	struct arena *arena = &b->plan->arena;
	struct course_settled *settled = arena_zalloc(arena, 1, sizeof(*settled));
	struct course_match *matches = arena_zalloc(arena, b->match_count + 1, sizeof(*matches));
	struct course_write *writes = arena_zalloc(arena, b->write_count + 1, sizeof(*writes));
	if (settled == NULL || matches == NULL || writes == NULL)
		return -ENOMEM;
	memcpy(matches, b->matches, b->match_count * sizeof(*matches));
	memcpy(writes, b->writes, b->write_count * sizeof(*writes));
	*settled = (struct course_settled){matches, b->match_count, writes, b->write_count};
	b->steps[b->step_count++] = (struct course_step){
		.settled = settled,
		.place = (uint32_t)b->settled_place,
		.jump_place = jump_place,
	};
	b->match_count = b->write_count = 0;
	return 0;
}

static int close_settled(struct builder *b)
{
	return close_settled_with(b, UINT32_MAX);
}

static void write_fact(struct builder *b, int slot)
{
	struct course_write write = {.slot = slot, .unset = !facts_is_set(&b->facts, slot)};
	if (!write.unset) {
		write.text = facts_text(&b->facts, slot);
		write.number = compare_number(write.text);
	}
	/* Set again, a variable keeps its place in the order of TX. */
	for (size_t i = 0; i < b->write_count && !write.unset; i++) {
		if (b->writes[i].slot == slot && !b->writes[i].unset) {
			b->writes[i] = write;
			return;
		}
	}
	b->writes[b->write_count++] = write;
}

static int settle_setvar(struct builder *b, const struct setvar *setvar)
{
	int r = 0;
	int slot = setvar->tx_slot;
	struct slice value;
	if (expand_to_stay(b, &setvar->value, &value) != 0)
		return -ENOMEM;
	if (setvar->kind == SETVAR_UNSET) {
		facts_unset(&b->facts, slot);
	} else if (setvar->kind == SETVAR_SET) {
		facts_set(&b->facts, slot, value);
	} else {
		int64_t amount = compare_number_narrow(compare_number(value));
		int64_t before = compare_number_narrow(compare_number(facts_text(&b->facts, slot)));
		struct slice sum =
			number_text(&b->plan->arena, before + (setvar->kind == SETVAR_SUBTRACT ? -amount : amount));
		r = sum.len == 0 ? -ENOMEM : 0;
		facts_set(&b->facts, slot, sum);
	}
	write_fact(b, slot);
	return r;
}

static int settle(struct builder *b, const struct rule *head, size_t place)
{
	b->settled_place = place;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		struct course_match match = {.rule = rule};
		int times = link_matches(b, rule, &match.matched);
		if (times <= 0) /* the chain ends here: it has set nothing (answer_of) */
			return times;
		if (times > 0 && rule->kind == RULE_OPERATOR &&
		    arena_copy(&b->plan->arena, match.matched.value, &match.matched.value) != 0)
			return -ENOMEM;
		b->matches[b->match_count++] = match;
		for (int i = 0; i < times; i++)
			for (size_t j = 0; j < rule->action_count; j++)
				if (rule->actions[j].kind == ACTION_SETVAR &&
				    settle_setvar(b, &rule->actions[j].setvar) != 0)
					return -ENOMEM;
	}
	return 0;
}

/* ---- what may have happened ---- */

static void setvar_varies(struct builder *b, const struct setvar *setvar)
{
	if (setvar->collection != VARIABLE_TX)
		return;
	if (setvar->tx_slot != SLOT_NONE) {
		facts_forget(&b->facts, setvar->tx_slot);
		return;
	}
	/* A name composed at run time: any that begins as it does. */
	const struct macro *name = &setvar->name;
	struct slice prefix = name->part_count > 0 && !name->parts[0].is_variable ? name->parts[0].literal
			      : macro_is_literal(name)                            ? name->text
										  : SLICE("");
	for (size_t slot = 0; slot < b->plan->ruleset->tx_slot_count; slot++)
		if (slice_starts_with_nocase(slice_from_string(b->plan->ruleset->tx_names[slot]), prefix))
			facts_forget(&b->facts, (int)slot);
}

static void may_match(struct builder *b, const struct rule *head)
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

static bool may_disrupt(const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (disrupts(rule))
			return true;
	return false;
}

/* Where a match of the rule leads: a place in the list; `count` at the end; UINT32_MAX if beyond this phase. */
static uint32_t landing(const struct builder *b, const struct rule *head, size_t place, bool *ret_jumps)
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

/* skip and skipAfter together, or counted by several links, are left to the plain way. */
static bool jumps_twice(const struct rule *head)
{
	unsigned skips = 0;
	bool marker = false;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		skips += rule->skip > 0;
		marker |= rule->skip_after.len > 0;
	}
	return skips > 1 || (skips > 0 && marker);
}

static int jump(struct builder *b, uint32_t place)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	if (pending == NULL || facts_copy(&b->facts, &pending->facts) != 0) {
		free(pending);
		return -ENOMEM;
	}
	pending->place = place;
	pending->next = b->pendings;
	b->pendings = pending;
	return 0;
}

/* A jump that is always taken: a step of its own where others land before it does. */
static int jump_surely(struct builder *b, uint32_t to)
{
	bool passes = false;
	for (const struct pending *pending = b->pendings; pending != NULL; pending = pending->next)
		passes |= pending->place < to;
	int r = passes ? close_settled_with(b, to) : 0;
	b->reachable = false;
	return r != 0 ? r : jump(b, to);
}

/* What is known at a place is what all ways there agree on. */
static int land(struct builder *b, size_t place)
{
	int r = 0;
	for (struct pending **at = &b->pendings; *at != NULL;) {
		struct pending *pending = *at;
		if (pending->place > place) {
			at = &pending->next;
			continue;
		}
		if (r == 0)
			r = close_settled(b);
		if (r == 0 && b->reachable)
			r = facts_meet(&b->facts, &pending->facts);
		else
			facts_swap(&b->facts, &pending->facts);
		b->reachable = true;
		*at = pending->next;
		facts_free(&pending->facts);
		free(pending);
	}
	return r;
}

static bool is_removal(const struct action *action)
{
	return action->kind == ACTION_CTL && action->ctl.kind >= CTL_RULE_REMOVE_BY_ID &&
	       action->ctl.kind <= CTL_RULE_REMOVE_TARGET_BY_TAG;
}

static int add_removals(struct builder *b, const struct rule *head)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		for (size_t i = 0; i < rule->action_count; i++) {
			if (!is_removal(&rule->actions[i]))
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

static int keep_arguments(struct builder *b, const struct rule *head, struct course_step *step)
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
		if (!macro_is_known(b, &rule->operation.argument))
			step->knows_arguments = false;
		else if (expand_to_stay(b, &rule->operation.argument, arguments) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- gates ---- */

static bool compares_number(enum operator_kind kind)
{
	return kind == OPERATOR_EQ || kind == OPERATOR_GE || kind == OPERATOR_GT || kind == OPERATOR_LE ||
	       kind == OPERATOR_LT;
}

static bool means_slot(struct builder *b, const struct target *target, size_t slot)
{
	struct slice name = slice_from_string(b->plan->ruleset->tx_names[slot]);
	if (target->selector_kind == SELECTOR_NAME)
		return target->tx_slot == (int)slot;
	return regex_match(target->regex, b->t->worker->regex_scratch, name, 0, NULL, NULL, NULL) != REGEX_NONE;
}

/* Targets of other kinds may match without any of these names: then there is no gate. */
static bool has_gate(const struct rule *head)
{
	if (head->kind != RULE_OPERATOR || head->target_count == 0)
		return false;
	for (size_t i = 0; i < head->target_count; i++) {
		const struct target *target = &head->targets[i];
		if (target->variable != VARIABLE_TX || target->counted || target->excluded ||
		    target->selector_kind == SELECTOR_NONE ||
		    (target->selector_kind == SELECTOR_NAME && target->tx_slot == SLOT_NONE))
			return false;
	}
	return true;
}

static int make_gate(struct builder *b, struct course_step *step)
{
	const struct rule *head = step->rule;
	size_t slots = b->plan->ruleset->tx_slot_count;
	if (!has_gate(head))
		return 0;
	struct course_gate *gate = arena_zalloc(&b->plan->arena, 1, sizeof(*gate));
	uint32_t *list = arena_alloc(&b->t->arena, (slots + 1) * sizeof(*list));
	if (gate == NULL || list == NULL)
		return -ENOMEM;
	for (size_t slot = 0; slot < slots; slot++) {
		bool meant = false;
		for (size_t i = 0; i < head->target_count; i++)
			meant |= means_slot(b, &head->targets[i], slot);
		if (meant)
			list[gate->slot_count++] = (uint32_t)slot;
	}
	uint32_t *kept = arena_alloc(&b->plan->arena, (gate->slot_count + 1) * sizeof(*kept));
	if (kept == NULL)
		return -ENOMEM;
	memcpy(kept, list, gate->slot_count * sizeof(*kept));
	gate->slots = kept;
	for (size_t i = 0; i < head->target_count; i++)
		gate->composed |= head->targets[i].selector_kind != SELECTOR_NAME;
	gate->compares = gate->slot_count == 1 && !gate->composed && head->transform_count == 0 &&
			 compares_number(head->operation.kind) && step->arguments[0].ptr != NULL;
	gate->relation = head->operation.kind;
	gate->negated = head->operation.negated;
	gate->number = gate->compares ? compare_number(step->arguments[0]) : 0;
	step->gate = gate;
	return 0;
}

/* ---- steps that are taken ---- */

static int add_step(struct builder *b, const struct rule *head, size_t place, bool surely)
{
	bool jumps;
	uint32_t to = landing(b, head, place, &jumps);
	int r = close_settled(b);
	if (r != 0)
		return r;
	struct course_step *step = &b->steps[b->step_count++];
	*step = (struct course_step){.rule = head, .place = (uint32_t)place, .jump_place = jumps ? to : UINT32_MAX};
	step->loses_targets = may_lose_targets(b, head);
	r = keep_arguments(b, head, step);
	if (r != 0)
		return r;
	r = make_gate(b, step);
	if (r != 0)
		return r;
	step->surely = surely;
	b->usable &= !jumps_twice(head);
	may_match(b, head);
	r = add_removals(b, head);
	if (r == 0 && may_disrupt(head))
		r = facts_meet(&b->disruptions, &b->facts);
	return r == 0 && jumps && to != UINT32_MAX ? jump(b, to) : r;
}

/* Whether a match is nothing but a match and variables of TX, and nobody looks at what was matched. */
static bool leaves_variables_only(const struct builder *b, const struct rule *head, size_t place)
{
	bool jumps;
	uint32_t to = landing(b, head, place, &jumps);
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (!link_sets_only(rule) || actions_read_match(rule))
			return false;
	if (jumps && to == UINT32_MAX)
		return false;
	return !asks(head) || !match_is_read(b, jumps ? to : place + 1);
}

static int add_rule(struct builder *b, const struct rule *head, size_t place)
{
	enum answer answer = ANSWER_UNKNOWN;
	if (head->kind == RULE_MARKER)
		return 0;
	int r = answer_of(b, head, &answer);
	if (r != 0)
		return r;
	if (answer != ANSWER_UNKNOWN)
		b->settled[b->phase][place / 8] |= (uint8_t)(1u << place % 8);
	if (answer == ANSWER_NO)
		return settle(b, head, place);
	if (answer == ANSWER_UNKNOWN || jumps_twice(head) || !leaves_variables_only(b, head, place))
		return add_step(b, head, place, false);
	if (!variables_are_known(b, head))
		return add_step(b, head, place, looks_once(head) && !jumps_at_all(head));
	bool jumps;
	uint32_t to = landing(b, head, place, &jumps);
	r = settle(b, head, place);
	return r == 0 && jumps ? jump_surely(b, to) : r;
}

/* ---- a phase ---- */

static int count_operators(struct builder *b, struct course *course)
{
	size_t count = b->plan->ruleset->phases[b->phase].count;
	uint32_t *before = arena_zalloc(&b->plan->arena, count + 2, sizeof(*before));
	if (before == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		before[i + 1] = before[i] + (b->reached[i] && asks(b->plan->ruleset->phases[b->phase].rules[i]));
	course->operators_before = before;
	return 0;
}

static int keep_steps(struct builder *b, struct course *course)
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
static int make_room(struct builder *b)
{
	size_t links = 0;
	size_t actions = 0;
	size_t count = b->plan->ruleset->phases[b->phase].count;
	for (size_t i = 0; i < count; i++)
		for (const struct rule *rule = b->plan->ruleset->phases[b->phase].rules[i]; rule != NULL;
		     rule = rule->next_link) {
			links++;
			actions += rule->action_count * (rule->target_count + 1);
		}
	free(b->steps);
	free(b->matches);
	free(b->writes);
	free(b->reached);
	b->reached = calloc(count + 1, sizeof(*b->reached));
	b->steps = calloc(2 * count + 2, sizeof(*b->steps));
	b->matches = calloc(links + 1, sizeof(*b->matches));
	b->writes = calloc(actions + 1, sizeof(*b->writes));
	b->step_count = b->match_count = b->write_count = 0;
	b->settled[b->phase] = calloc(count / 8 + 1, 1);
	return b->settled[b->phase] == NULL || b->reached == NULL || b->steps == NULL || b->matches == NULL ||
			       b->writes == NULL
		       ? -ENOMEM
		       : 0;
}

static int build_phase(struct builder *b, unsigned phase, struct course *course)
{
	size_t count = b->plan->ruleset->phases[phase].count;
	b->phase = phase;
	b->usable = true;
	b->reachable = true;
	int r = make_room(b);
	for (size_t place = 0; place < count && r == 0; place++) {
		r = land(b, place);
		b->reached[place] = b->reachable;
		if (r == 0 && b->reachable)
			r = add_rule(b, b->plan->ruleset->phases[phase].rules[place], place);
	}
	if (r == 0)
		r = land(b, SIZE_MAX);
	if (r == 0)
		r = close_settled(b);
	return r != 0 ? r : keep_steps(b, course);
}

/*
 * Phases 2 to 4 begin as the one before ended; one that was ended by `allow`, or did not run, is left to the plain way
 * (phase.c). Phase 5 may follow any of them, and any rule that disrupts.
 */
static int build_phases(struct builder *b)
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

/* ---- what derails ---- */

/* Settled rules look at TX only: other targets taken from them are none of theirs. */
static bool may_remove(const struct builder *b, const struct ctl *ctl, const struct rule *rule)
{
	return (ctl->kind <= CTL_RULE_REMOVE_BY_TAG || ctl->target.variable == VARIABLE_TX) &&
	       target_ctl_means(b->t, ctl, rule);
}

static bool removes_what_is_settled(const struct builder *b, const struct ctl *ctl)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct ruleset *ruleset = b->plan->ruleset;
		for (size_t i = 0; i < ruleset->phases[phase].count; i++) {
			bool settled = b->settled[phase] != NULL && (b->settled[phase][i / 8] >> i % 8 & 1) != 0;
			for (const struct rule *rule = ruleset->phases[phase].rules[i]; settled && rule != NULL;
			     rule = rule->next_link)
				if (may_remove(b, ctl, rule))
					return true;
		}
	}
	return false;
}

/* After a match of such a rule nothing is settled any more: the plain way takes over. */
static void mark_derailing(struct builder *b)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		struct course *course = &b->plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++) {
			struct course_step *step = (struct course_step *)&course->steps[i];
			for (const struct rule *rule = step->rule; rule != NULL; rule = rule->next_link)
				for (size_t j = 0; j < rule->action_count; j++)
					step->derails |= is_removal(&rule->actions[j]) &&
							 removes_what_is_settled(b, &rule->actions[j].ctl);
		}
	}
}

/* ---- all ---- */

static int build(struct builder *b)
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
	if (r == 0)
		mark_derailing(b);
	if (b->t != NULL)
		transaction_end(b->t);
	worker_free(worker);
	return r;
}

int course_build(struct plan *plan)
{
	struct builder b = {.plan = plan};
	int r = build(&b);
	while (b.pendings != NULL) {
		struct pending *next = b.pendings->next;
		facts_free(&b.pendings->facts);
		free(b.pendings);
		b.pendings = next;
	}
	facts_free(&b.facts);
	facts_free(&b.phase_ends);
	facts_free(&b.disruptions);
	free(b.removals);
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++)
		free(b.settled[phase]);
	free(b.steps);
	free(b.matches);
	free(b.writes);
	free(b.reached);
	return r;
}
