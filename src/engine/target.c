/*
 * Where nothing can be left out a selection is the variable's own values; else they are gathered, a few in the
 * selection itself, more in the arena.
 */
#include "engine/target.h"

#include "engine/order.h"
#include "engine/variable.h"

#include <errno.h>

static bool name_matches(struct transaction *t, const struct target *target, struct slice key)
{
	switch (target->selector_kind) {
	case SELECTOR_NAME:
		return slice_equal_nocase(target->selector, key);
	case SELECTOR_REGEX:
		return regex_match(target->regex, t->worker->regex_scratch, key, 0, NULL, NULL, NULL) == REGEX_MATCH;
	default:
		return true;
	}
}

static bool has_exclusion(const struct rule *rule, enum variable variable)
{
	for (size_t i = 0; i < rule->target_count; i++)
		if (rule->targets[i].excluded && rule->targets[i].variable == variable)
			return true;
	return false;
}

static bool is_excluded(struct transaction *t, const struct rule *rule, enum variable variable, struct slice key)
{
	for (size_t i = 0; i < rule->target_count; i++) {
		const struct target *target = &rule->targets[i];
		if (target->excluded && target->variable == variable && name_matches(t, target, key))
			return true;
	}
	return false;
}

static bool has_tag(const struct rule *rule, const struct ctl *ctl, struct regex_scratch *scratch)
{
	for (size_t i = 0; i < rule->tag_count; i++) {
		struct slice tag = rule->tags[i].text;
		if (ctl->regex != NULL ? regex_match(ctl->regex, scratch, tag, 0, NULL, NULL, NULL) == REGEX_MATCH
				       : slice_equal(tag, ctl->text.text))
			return true;
	}
	return false;
}

static bool has_message(const struct rule *rule, const struct ctl *ctl, struct regex_scratch *scratch)
{
	struct slice message = rule->message.text;
	return ctl->regex != NULL ? regex_match(ctl->regex, scratch, message, 0, NULL, NULL, NULL) == REGEX_MATCH
				  : slice_equal(message, ctl->text.text);
}

/* Whether a ctl means this link. Links have no ids of their own in ModSecurity: by id only the head is meant. */
bool target_ctl_means(struct transaction *t, const struct ctl *ctl, const struct rule *rule)
{
	struct regex_scratch *scratch = t->worker->regex_scratch;
	switch (ctl->kind) {
	case CTL_RULE_REMOVE_BY_ID:
	case CTL_RULE_REMOVE_TARGET_BY_ID:
		return rule->chain_depth == 0 && rule->id >= ctl->ids.first && rule->id <= ctl->ids.last;
	case CTL_RULE_REMOVE_BY_TAG:
	case CTL_RULE_REMOVE_TARGET_BY_TAG:
		return has_tag(rule, ctl, scratch);
	case CTL_RULE_REMOVE_BY_MSG:
	case CTL_RULE_REMOVE_TARGET_BY_MSG:
		return has_message(rule, ctl, scratch);
	default:
		return false;
	}
}

/* Names are compared with their case, as ModSecurity does here. */
static bool ctl_takes(struct transaction *t, const struct target *removed, struct slice key)
{
	if (removed->selector_kind == SELECTOR_NAME)
		return slice_equal(removed->selector, key);
	return name_matches(t, removed, key);
}

static bool is_removed(struct transaction *t, const struct rule *rule, enum variable variable, struct slice key)
{
	for (const struct removed_target *r = t->removed_targets; r != NULL; r = r->next)
		if (r->ctl->target.variable == variable && ctl_takes(t, &r->ctl->target, key) &&
		    target_ctl_means(t, r->ctl, rule))
			return true;
	return false;
}

struct selecting {
	struct transaction *t;
	const struct rule *rule;
	const struct target *target;
	struct selection *selection;
	size_t capacity;
	bool excludes; /* some value may have to be left out */
	bool removes;
	struct value **items;
};

static int add(struct selecting *s, struct value *value)
{
	struct selection *selection = s->selection;
	if (s->excludes && is_excluded(s->t, s->rule, s->target->variable, value->key))
		return 0;
	if (s->removes && is_removed(s->t, s->rule, s->target->variable, value->key))
		return 0;
	if (selection->count == s->capacity) {
		struct value **items = arena_alloc(&s->t->arena, s->capacity * 4 * sizeof(*items));
		if (items == NULL)
			return -ENOMEM;
		memcpy(items, s->items, selection->count * sizeof(*items));
		s->items = items;
		s->capacity *= 4;
		selection->items = items;
	}
	s->items[selection->count++] = value;
	return 0;
}

static int add_tx(struct selecting *s, int handle)
{
	struct transaction *t = s->t;
	struct tx_entry *entry = tx_get(&t->tx, handle);
	if (entry == NULL)
		return 0;
	struct value *value = value_new(&t->arena, tx_name(&t->tx, handle), tx_text(&t->tx, entry));
	return value == NULL ? -ENOMEM : add(s, value);
}

/* TX:name needs no value in the arena, and its text perhaps not at all. */
static int select_tx_name(struct selecting *s)
{
	struct transaction *t = s->t;
	struct selection *selection = s->selection;
	const struct target *target = s->target;
	int handle = target->tx_slot != SLOT_NONE ? target->tx_slot : tx_find(&t->tx, target->selector);
	struct tx_entry *entry = tx_get(&t->tx, handle);
	if (entry == NULL)
		return 0;
	selection->entry = entry;
	selection->single = (struct value){.key = tx_name(&t->tx, handle)};
	return add(s, &selection->single);
}

static int select_tx(struct selecting *s)
{
	struct transaction *t = s->t;
	if (s->target->selector_kind == SELECTOR_NAME)
		return select_tx_name(s);
	for (uint32_t i = 0; i < t->tx.order_count; i++) {
		int handle = (int)t->tx.order[i];
		if (!name_matches(t, s->target, tx_name(&t->tx, handle)))
			continue;
		if (add_tx(s, handle) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* Values of one name come newest first, as ModSecurity's hash table gives them. */
static int select_named(struct selecting *s, const struct value_set *set)
{
	for (uint32_t i = set->count; i-- > 0;) {
		if (!slice_equal_nocase(set->items[i]->key, s->target->selector))
			continue;
		if (add(s, set->items[i]) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int select_filtered(struct selecting *s, struct value *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (s->target->selector_kind == SELECTOR_REGEX && !name_matches(s->t, s->target, items[i]->key))
			continue;
		if (add(s, items[i]) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* XML's nodes and the environment come as they are; other collections as ModSecurity's table has them. */
static struct value *const *ordered(struct transaction *t, enum variable variable, const struct value_set *set)
{
	if (set->count < 2 || variable == VARIABLE_XML || variable == VARIABLE_ENV || variable == VARIABLE_RULE)
		return set->items;
	struct value_set *own = &t->sets[variable];
	if (own->ordered == NULL || own->ordered_count != own->count || variable == VARIABLE_MATCHED_VARS ||
	    variable == VARIABLE_MATCHED_VARS_NAMES || variable_infos[variable].shape == VARIABLE_STORED) {
		own->ordered = order_values(own, &t->arena);
		own->ordered_count = own->count;
	}
	return own->ordered;
}

/*
 * Where one value at most may match what was asked ahead, the others need not be selected, nor put in order. False: it
 * is not so, or there are too few to save anything.
 */
static bool select_only(struct selecting *s, const struct value_set *set, int *ret_result)
{
	struct transaction *t = s->t;
	struct value *only = NULL;
	if (t->step < 0 || s->rule != t->head || s->target->counted || set->count <= SELECTION_FEW)
		return false;
	for (uint32_t i = 0; i < set->count; i++) {
		if (!value_may_match(set->items[i], t->step))
			continue;
		if (only != NULL)
			return false;
		only = set->items[i];
	}
	*ret_result = only == NULL ? 0 : select_filtered(s, &only, 1);
	return true;
}

int target_select(struct transaction *t, const struct rule *rule, const struct target *target,
		  struct selection *ret_selection)
{
	ret_selection->items = ret_selection->few;
	ret_selection->count = 0;
	ret_selection->entry = NULL;
	struct selecting s = {
		.t = t,
		.rule = rule,
		.target = target,
		.selection = ret_selection,
		.capacity = SELECTION_FEW,
		.items = ret_selection->few,
		.removes = t->removed_targets != NULL,
	};
	if (target->variable == VARIABLE_TX) {
		s.excludes = has_exclusion(rule, target->variable);
		return select_tx(&s);
	}
	const struct value_set *set;
	int r = variable_values(t, target->variable, rule, target, &set);
	if (r != 0 || set->count == 0)
		return r;
	s.excludes = has_exclusion(rule, target->variable);
	if (target->selector_kind == SELECTOR_NAME)
		return select_named(&s, set);
	if (select_only(&s, set, &r))
		return r;
	struct value *const *items = ordered(t, target->variable, set);
	if (items == NULL && set->count > 0)
		return -ENOMEM;
	if (s.excludes || s.removes || target->selector_kind == SELECTOR_REGEX)
		return select_filtered(&s, items, set->count);
	ret_selection->items = items;
	ret_selection->count = set->count;
	return 0;
}
