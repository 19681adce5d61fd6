/*
 * At load names of TX are compared as whole names or as beginnings, as far as a macro or an anchored expression tells;
 * names that come up at run time are compared when they do. The key is what the chain reads, each value with its
 * length.
 */
#include "engine/quiet.h"

#include "engine/operator_kind.h"
#include "engine/probe.h"
#include "engine/remembered.h"
#include "engine/target.h"
#include "engine/variable.h"

#include <errno.h>

/* The names that a target, a macro or a setvar may mean: those that begin with `text`, or only that one. */
struct names {
	struct slice text;
	bool exact;
};

/* What is being asked: whether somebody touches these names. */
struct search {
	const struct rule *head; /* its own chain does not count */
	struct names names;
	struct regex_scratch *scratch;
};

static bool names_meet(struct names a, struct names b)
{
	if (a.exact && b.exact)
		return slice_equal_nocase(a.text, b.text);
	if (a.exact)
		return slice_starts_with_nocase(a.text, b.text);
	if (b.exact)
		return slice_starts_with_nocase(b.text, a.text);
	return slice_starts_with_nocase(a.text, b.text) || slice_starts_with_nocase(b.text, a.text);
}

/* What an anchored expression begins with, as far as it is plain; empty: it may mean any name. */
static struct slice plain_beginning(struct slice pattern)
{
	if (pattern.len == 0 || pattern.ptr[0] != '^' || slice_find_byte(pattern, '|', 0) < pattern.len)
		return SLICE("");
	size_t end = 1;
	while (end < pattern.len && (byte_is_alpha(pattern.ptr[end]) || byte_is_digit(pattern.ptr[end]) ||
				     pattern.ptr[end] == '_' || pattern.ptr[end] == '-'))
		end++;
	/* A quantifier makes the last byte optional. */
	if (end < pattern.len && end > 1)
		end--;
	return slice_sub(pattern, 1, end);
}

/*
 * An expression that is not anchored to a plain text may mean a name that a client's bytes are part of: that is looked
 * at when such a name is made (quiet_remember).
 */
static bool target_touches(const struct target *target, const struct search *search)
{
	if (target->variable != VARIABLE_TX)
		return false;
	if (target->selector_kind == SELECTOR_NAME)
		return names_meet((struct names){target->selector, true}, search->names);
	if (target->selector_kind == SELECTOR_NONE)
		return true;
	struct slice beginning = plain_beginning(target->selector);
	if (beginning.len > 0)
		return names_meet((struct names){beginning, false}, search->names);
	return search->names.exact &&
	       regex_match(target->regex, search->scratch, search->names.text, 0, NULL, NULL, NULL) == REGEX_MATCH;
}

static struct names names_of_setvar(const struct setvar *setvar)
{
	const struct macro *name = &setvar->name;
	if (macro_is_literal(name))
		return (struct names){name->text, true};
	return (struct names){name->parts[0].is_variable ? SLICE("") : name->parts[0].literal, false};
}

static bool macro_touches(const struct macro *macro, const struct search *search)
{
	for (size_t i = 0; i < macro->part_count; i++) {
		const struct macro_part *part = &macro->parts[i];
		if (part->is_variable && part->variable == VARIABLE_TX &&
		    names_meet((struct names){part->selector, part->selector.len > 0}, search->names))
			return true;
	}
	return false;
}

static bool actions_touch(const struct rule *rule, const struct search *search)
{
	for (size_t i = 0; i < rule->action_count; i++) {
		const struct action *action = &rule->actions[i];
		if (macro_touches(&action->text, search) ||
		    (action->kind == ACTION_CTL && macro_touches(&action->ctl.text, search)))
			return true;
		if (action->kind == ACTION_CTL || action->kind == ACTION_INITCOL)
			continue;
		if (macro_touches(&action->setvar.name, search) || macro_touches(&action->setvar.value, search) ||
		    (action->kind == ACTION_SETVAR && action->setvar.collection == VARIABLE_TX &&
		     names_meet(names_of_setvar(&action->setvar), search->names)))
			return true;
	}
	return false;
}

/* In what decides whether rules match. */
static bool decision_touches(const struct rule *rule, const struct search *search)
{
	for (size_t i = 0; i < rule->target_count; i++)
		if (target_touches(&rule->targets[i], search))
			return true;
	return macro_touches(&rule->operation.argument, search) || actions_touch(rule, search);
}

static bool link_touches(const struct rule *rule, const struct search *search)
{
	for (size_t i = 0; i < rule->tag_count; i++)
		if (macro_touches(&rule->tags[i], search))
			return true;
	return decision_touches(rule, search) || macro_touches(&rule->message, search) ||
	       macro_touches(&rule->log_data, search) || macro_touches(&rule->redirect_url, search);
}

typedef bool chain_test(const struct rule *head, const void *context);

/* Whether all rules that a request can come to pass the test. */
static bool all_pass(const struct plan *plan, chain_test *test, const void *context)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct course *course = &plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++) {
			const struct course_settled *settled = course->steps[i].settled;
			if (settled == NULL && !test(course->steps[i].rule, context))
				return false;
			for (size_t j = 0; settled != NULL && j < settled->match_count; j++)
				if (settled->matches[j].rule->chain_depth == 0 &&
				    !test(settled->matches[j].rule, context))
					return false;
		}
	}
	return true;
}

static bool leaves_alone(const struct rule *head, const void *context)
{
	const struct search *search = context;
	for (const struct rule *rule = head; rule != NULL && head != search->head; rule = rule->next_link)
		if (link_touches(rule, search))
			return false;
	return true;
}

static bool is_private(const struct plan *plan, struct regex_scratch *scratch, const struct rule *head,
		       struct names names)
{
	struct search search = {head, names, scratch};
	return names.text.len > 0 && all_pass(plan, leaves_alone, &search);
}

/*
 * Captures decide nothing elsewhere if whoever decides by TX:0 to TX:9 captures first. What a rule without captures of
 * its own writes into its log of another's is of no use to anybody.
 */
static bool captures_first(const struct rule *head, const void *context)
{
	struct search search = *(const struct search *)context;
	bool captured = false;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		captured |= rule->capture;
		for (char digit = '0'; digit <= '9' && !captured; digit++) {
			search.names = (struct names){slice_make(&digit, 1), true};
			if (decision_touches(rule, &search))
				return false;
		}
	}
	return true;
}

int quiet_captures(const struct plan *plan, bool *ret_fresh)
{
	struct search search = {0};
	int r = regex_scratch_create_to_load(&search.scratch);
	if (r != 0)
		return r;
	*ret_fresh = all_pass(plan, captures_first, &search);
	regex_scratch_free(search.scratch);
	return 0;
}

static struct names names_of_target(const struct target *target)
{
	if (target->selector_kind == SELECTOR_NAME)
		return (struct names){target->selector, true};
	return (struct names){plain_beginning(target->selector), false};
}

static bool target_is_fixed(const struct plan *plan, struct regex_scratch *scratch, const struct rule *head,
			    const struct target *target)
{
	if (target->variable == VARIABLE_TX)
		return !target->counted && target->selector_kind != SELECTOR_NONE &&
		       is_private(plan, scratch, head, names_of_target(target));
	/* What a ctl changes stays as it is until the chain has matched. */
	return target->selector_kind <= SELECTOR_NAME &&
	       (probe_is_steady(target->variable) || target->variable == VARIABLE_REQBODY_PROCESSOR);
}

/* What a link sets must follow from what the chain matched. */
static bool macro_is_of_match(const struct macro *macro, bool captured)
{
	for (size_t i = 0; i < macro->part_count; i++) {
		const struct macro_part *part = &macro->parts[i];
		bool capture = part->variable == VARIABLE_TX && part->selector.len == 1 &&
			       byte_is_digit(part->selector.ptr[0]) && captured;
		if (part->is_variable && !capture && part->variable != VARIABLE_MATCHED_VAR &&
		    part->variable != VARIABLE_MATCHED_VAR_NAME)
			return false;
	}
	return true;
}

static bool link_is_fixed(const struct plan *plan, struct regex_scratch *scratch, const struct rule *head,
			  const struct rule *rule)
{
	if (rule->kind != RULE_OPERATOR || rule->multi_match || !operator_is_pure(rule->operation.kind))
		return false;
	for (size_t i = 0; i < rule->target_count; i++)
		if (rule->targets[i].excluded || !target_is_fixed(plan, scratch, head, &rule->targets[i]))
			return false;
	for (size_t i = 0; i < rule->action_count; i++) {
		const struct action *action = &rule->actions[i];
		/* Other actions run only when the chain matches. */
		if (action->kind == ACTION_SETVAR && rule->next_link != NULL &&
		    (action->setvar.collection != VARIABLE_TX || action->setvar.kind != SETVAR_SET ||
		     !macro_is_of_match(&action->setvar.name, rule->capture) ||
		     !macro_is_of_match(&action->setvar.value, rule->capture) ||
		     !is_private(plan, scratch, head, names_of_setvar(&action->setvar))))
			return false;
	}
	return true;
}

static bool is_possible(const struct plan *plan, struct regex_scratch *scratch, const struct rule *head)
{
	bool captures = false;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		if (!link_is_fixed(plan, scratch, head, rule))
			return false;
		captures |= rule->capture;
	}
	struct search search = {.scratch = scratch};
	return !captures || all_pass(plan, captures_first, &search);
}

/* Adds a chain's targets of TX whose expressions may mean any name to `count`, and to `watchers` unless that is NULL.
 */
static size_t list_watchers(const struct rule *head, const struct target **watchers, size_t count)
{
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		for (size_t i = 0; i < rule->target_count; i++) {
			const struct target *target = &rule->targets[i];
			if (target->variable != VARIABLE_TX || target->selector_kind != SELECTOR_REGEX ||
			    plain_beginning(target->selector).len > 0)
				continue;
			if (watchers != NULL)
				watchers[count] = target;
			count++;
		}
	}
	return count;
}

static int find_watchers(struct plan *plan)
{
	const struct ruleset *ruleset = plan->ruleset;
	size_t count = 0;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		count = list_watchers(ruleset->rules[i], NULL, count);
	const struct target **watchers = arena_zalloc(&plan->arena, count + 1, sizeof(*watchers));
	if (watchers == NULL)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		count = list_watchers(ruleset->rules[i], watchers, count);
	plan->tx_watchers = watchers;
	plan->tx_watcher_count = count;
	return 0;
}

int quiet_find(struct plan *plan)
{
	struct regex_scratch *scratch;
	int r = regex_scratch_create_to_load(&scratch);
	if (r != 0)
		return r;
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct course *course = &plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++) {
			struct course_step *step = (struct course_step *)&course->steps[i];
			/* A rule by itself that is asked ahead is known to match nothing already. */
			if (step->knows_arguments && !step->loses_targets &&
			    (step->rule->next_link != NULL || !step->is_probed) &&
			    is_possible(plan, scratch, step->rule))
				step->quiet = remembered_new_number();
		}
	}
	regex_scratch_free(scratch);
	return find_watchers(plan);
}

static bool put(struct quiet_key *key, struct slice bytes)
{
	if (bytes.len > UINT16_MAX || key->len + 2 + bytes.len > sizeof(key->bytes))
		return false;
	key->bytes[key->len++] = (uint8_t)bytes.len;
	key->bytes[key->len++] = (uint8_t)(bytes.len >> 8);
	if (bytes.len > 0)
		memcpy(key->bytes + key->len, bytes.ptr, bytes.len);
	key->len += bytes.len;
	return true;
}

static bool put_target(struct transaction *t, const struct target *target, struct quiet_key *key)
{
	const struct value_set *set = &t->sets[target->variable];
	if (set->count == 0 && variable_is_made(target->variable) &&
	    variable_values(t, target->variable, NULL, NULL, &set) != 0)
		return false;
	bool fits = true;
	uint32_t count = 0;
	bool names = target->selector_kind == SELECTOR_NONE && !target->counted &&
		     variable_infos[target->variable].shape == VARIABLE_COLLECTION;
	for (uint32_t i = 0; i < set->count && fits; i++) {
		const struct value *value = set->items[i];
		if (target->selector_kind == SELECTOR_NAME && !slice_equal_nocase(value->key, target->selector))
			continue;
		count++;
		if (names && value->key.ptr != value->bytes.ptr)
			fits = put(key, value->key);
		fits = fits && (target->counted || put(key, value->bytes));
	}
	/* The number tells where the next target's values begin. */
	return fits && put(key, slice_make(&count, sizeof(count)));
}

bool quiet_key_make(struct transaction *t, const struct course_step *step, struct quiet_key *ret_key)
{
	ret_key->step = step->quiet;
	ret_key->len = 0;
	for (const struct rule *rule = step->rule; rule != NULL; rule = rule->next_link)
		for (size_t i = 0; i < rule->target_count; i++)
			if (rule->targets[i].variable != VARIABLE_TX && !put_target(t, &rule->targets[i], ret_key))
				return false;
	return true;
}

static struct remembered_key key_of(const struct quiet_key *key)
{
	return (struct remembered_key){.number = key->step,
				       .first = slice_make(key->bytes, key->len),
				       .second = SLICE(""),
				       .hash = key->hash,
				       .untried = key->untried};
}

bool quiet_is_known(struct transaction *t, struct quiet_key *key)
{
	struct remembered_key known = key_of(key);
	const struct remembered_answer *answer = remembered_find(t->worker->remembered, &known);
	key->names_before = t->tx.dynamic_count;
	key->hash = known.hash;
	key->untried = known.untried;
	return answer != NULL;
}

void quiet_remember(struct transaction *t, const struct quiet_key *key)
{
	struct remembered_key known = key_of(key);
	for (uint32_t i = key->names_before; i < t->tx.dynamic_count; i++)
		for (size_t j = 0; j < t->plan->tx_watcher_count; j++)
			if (regex_match(t->plan->tx_watchers[j]->regex, t->worker->regex_scratch, t->tx.dynamic[i].name,
					0, NULL, NULL, NULL) != REGEX_NONE)
				return;
	remembered_add(t->worker->remembered, &known, 0, NULL, 0);
}
