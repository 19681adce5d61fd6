/*
 * Ids are checked across units, exclusions carried out on copies of the chains that they mean, phases filled, settings
 * applied in order, names of TX numbered. Units are others' too, and stay as they are.
 */
#include "seclang/link.h"

#include "base/buffer.h"
#include "base/vector.h"
#include "match/regex.h"
#include "ruleset/wording.h"
#include "seclang/id_table.h"
#include "seclang/vain.h"

#include <errno.h>
#include <stdlib.h>

struct link {
	struct pool *pool;
	struct seclang_unit *const *units;
	size_t unit_count;
	struct diagnostics *diagnostics;
	struct arena *arena;
	const struct rule **rules;
	size_t rule_count;
	struct id_table ids;
	struct target *targets; /* room to gather what is added to one rule */
	size_t target_capacity;
};

static struct rule *chain_copy(struct arena *arena, const struct rule *head)
{
	struct rule *first = NULL, *previous = NULL;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		struct rule *copy = arena_alloc(arena, sizeof(*copy));
		if (copy == NULL)
			return NULL;
		*copy = *rule;
		if (previous != NULL)
			previous->next_link = copy;
		first = first == NULL ? copy : first;
		previous = copy;
	}
	return first;
}

static bool has_tag(const struct rule *rule, struct slice tag)
{
	for (size_t i = 0; i < rule->tag_count; i++)
		if (slice_equal(rule->tags[i].text, tag))
			return true;
	return false;
}

bool exclusion_means(const struct exclusion *exclusion, const struct rule *rule)
{
	if (rule->kind == RULE_MARKER)
		return false;
	switch (exclusion->by) {
	case BY_ID:
		return rule->chain_depth == 0 && rule->id >= exclusion->ids.first && rule->id <= exclusion->ids.last;
	case BY_TAG:
		return has_tag(rule, exclusion->text);
	case BY_MESSAGE:
		return rule->message.text.len > 0 && slice_equal(rule->message.text, exclusion->text);
	}
	return false;
}

enum { PIPELINE_MAX = 2 * TRANSFORMS_MAX }; /* of the defaults and of one rule */

/*
 * As ModSecurity v3 does: they come behind the `own` of the rule, its defaults among them, and t:none takes away only
 * what earlier updates have added.
 */
static int transforms_update(struct link *link, struct rule *rule, size_t own, const struct exclusion *exclusion)
{
	const struct transform_list *more = &exclusion->actions->transforms;
	size_t kept = exclusion->actions->transforms_reset ? own : rule->transform_count;
	size_t count = kept + more->count;
	if (count == rule->transform_count && more->count == 0)
		return 0;
	if (count > PIPELINE_MAX) {
		const struct source_place place = {exclusion->file, exclusion->line, 1, {0}};
		diagnostics_add(link->diagnostics, DIAGNOSTIC_ERROR, place, NULL, "more than %d transformations",
				PIPELINE_MAX);
		return -EINVAL;
	}
	enum transform *list = arena_zalloc(link->arena, count + 1, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	memcpy(list, rule->transforms, kept * sizeof(*list));
	memcpy(list + kept, more->items, more->count * sizeof(*list));
	int64_t pipeline = pool_pipeline(link->pool, list, count);
	if (pipeline < 0)
		return (int)pipeline;
	rule->transforms = list;
	rule->transform_count = count;
	rule->pipeline = (uint32_t)pipeline;
	return 0;
}

/* Actions given later add to a rule's, or take the place of those of which there can be one. */
static int actions_update(struct arena *arena, struct rule *rule, const struct draft *draft)
{
	const struct rule *change = &draft->rule;
	if (change->disruptive != DISRUPTIVE_NONE)
		rule->disruptive = change->disruptive;
	else if (draft->has_block)
		rule->disruptive = DISRUPTIVE_BLOCK;
	if (change->status != 0)
		rule->status = change->status;
	if (change->redirect_url.text.len > 0)
		rule->redirect_url = change->redirect_url;
	if (change->severity != SEVERITY_UNSET)
		rule->severity = change->severity;
	if (change->message.text.len > 0)
		rule->message = change->message;
	if (change->log_data.text.len > 0)
		rule->log_data = change->log_data;
	if (change->skip != 0)
		rule->skip = change->skip;
	if (change->skip_after.len > 0)
		rule->skip_after = change->skip_after;
	if (draft->log != CHOICE_DEFAULT)
		rule->log = draft->log == CHOICE_YES;
	if (draft->audit_log != CHOICE_DEFAULT)
		rule->audit_log = draft->audit_log == CHOICE_YES;
	rule->wording = NULL;
	struct action *actions = arena_alloc(arena, (rule->action_count + draft->action_count + 1) * sizeof(*actions));
	struct macro *tags = arena_alloc(arena, (rule->tag_count + draft->tag_count + 1) * sizeof(*tags));
	if (actions == NULL || tags == NULL)
		return -ENOMEM;
	if (rule->action_count > 0)
		memcpy(actions, rule->actions, rule->action_count * sizeof(*actions));
	if (draft->action_count > 0)
		memcpy(actions + rule->action_count, draft->actions, draft->action_count * sizeof(*actions));
	if (rule->tag_count > 0)
		memcpy(tags, rule->tags, rule->tag_count * sizeof(*tags));
	if (draft->tag_count > 0)
		memcpy(tags + rule->tag_count, draft->tags, draft->tag_count * sizeof(*tags));
	rule->actions = actions;
	rule->action_count += draft->action_count;
	rule->tags = tags;
	rule->tag_count += draft->tag_count;
	return 0;
}

typedef int exclusion_fn(void *context, const struct exclusion *exclusion);

/* Calls `each` for every exclusion of the rule set in order, until it says other than 0. */
static int each_exclusion(const struct link *link, exclusion_fn *each, void *context)
{
	int r = 0;
	for (size_t i = 0; i < link->unit_count && r == 0; i++)
		for (size_t j = 0; j < link->units[i]->exclusion_count && r == 0; j++)
			r = each(context, &link->units[i]->exclusions[j]);
	return r;
}

enum { MEANT_TO_CHANGE = 1, MEANT_TO_REMOVE };

/* What the first exclusion that means the chain, or one of its links, is about. */
static int meaning(void *context, const struct exclusion *exclusion)
{
	const struct rule *head = context;
	if (exclusion->kind == EXCLUSION_REMOVE)
		return exclusion_means(exclusion, head) ? MEANT_TO_REMOVE : 0;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link)
		if (exclusion_means(exclusion, rule))
			return MEANT_TO_CHANGE;
	return 0;
}

/* A link of a copied chain while it is changed. */
struct change {
	struct link *link;
	struct rule *rule;
	size_t added; /* targets, in link->targets */
	size_t own;   /* transformations, ahead of those that are added */
};

static int targets_add(struct change *change, const struct target_list *more)
{
	struct link *link = change->link;
	for (size_t i = 0; i < more->count; i++) {
		int r = vector_grow((void **)&link->targets, &link->target_capacity, change->added,
				    sizeof(*link->targets));
		if (r != 0)
			return r;
		link->targets[change->added++] = more->items[i];
	}
	return 0;
}

/* MEANT_TO_REMOVE if that is what it says. */
static int change_by(void *context, const struct exclusion *exclusion)
{
	struct change *change = context;
	if (!exclusion_means(exclusion, change->rule))
		return 0;
	if (exclusion->kind == EXCLUSION_REMOVE)
		return change->rule->chain_depth == 0 ? MEANT_TO_REMOVE : 0;
	if (exclusion->kind == EXCLUSION_UPDATE_TARGET)
		return targets_add(change, &exclusion->targets);
	int r = transforms_update(change->link, change->rule, change->own, exclusion);
	return r != 0 ? r : actions_update(change->link->arena, change->rule, exclusion->actions);
}

static int targets_join(struct change *change)
{
	struct rule *rule = change->rule;
	if (change->added == 0)
		return 0;
	struct target *joined =
		arena_alloc(change->link->arena, (rule->target_count + change->added) * sizeof(*joined));
	if (joined == NULL)
		return -ENOMEM;
	if (rule->target_count > 0)
		memcpy(joined, rule->targets, rule->target_count * sizeof(*joined));
	memcpy(joined + rule->target_count, change->link->targets, change->added * sizeof(*joined));
	rule->targets = joined;
	rule->target_count += change->added;
	return 0;
}

/* Replaces the chain by a copy with all that exclusions change. MEANT_TO_REMOVE if it is to go after all. */
static int chain_change(struct link *link, const struct rule **chain)
{
	struct rule *copy = chain_copy(link->arena, *chain);
	int r = copy == NULL ? -ENOMEM : 0;
	for (struct rule *rule = copy; rule != NULL && r == 0; rule = (struct rule *)rule->next_link) {
		struct change change = {link, rule, 0, rule->transform_count};
		r = each_exclusion(link, change_by, &change);
		if (r == 0)
			r = targets_join(&change);
	}
	for (struct rule *rule = copy; rule != NULL && r == 0; rule = (struct rule *)rule->next_link)
		r = wording_make(link->arena, copy, rule);
	if (r == 0)
		*chain = copy;
	return r;
}

static int check_ids(struct link *link, const struct seclang_unit *unit)
{
	int result = 0;
	for (size_t i = 0; i < unit->rule_count && result != -ENOMEM; i++) {
		const struct rule *rule = unit->rules[i], *other;
		int r = rule->kind == RULE_MARKER ? 0 : id_table_add(&link->ids, rule, &other);
		if (r < 0)
			result = r;
		if (r != ID_TAKEN)
			continue;
		struct source_place place = {rule->file, rule->line, 1, {0}};
		diagnostics_add(link->diagnostics, DIAGNOSTIC_ERROR, place, NULL,
				"the id %lld is used already, at %s:%u", (long long)rule->id, other->file, other->line);
		result = -EINVAL;
	}
	return result;
}

static int gather(struct link *link, struct seclang_counts *counts)
{
	size_t total = 0;
	for (size_t i = 0; i < link->unit_count; i++)
		total += link->units[i]->rule_count;
	link->rules = arena_alloc(link->arena, (total + 1) * sizeof(const struct rule *));
	if (link->rules == NULL)
		return -ENOMEM;
	int r = 0;
	for (size_t i = 0; i < link->unit_count; i++) {
		const struct seclang_unit *unit = link->units[i];
		int one = check_ids(link, unit);
		r = one != 0 ? one : r;
		if (unit->rule_count > 0)
			memcpy(link->rules + link->rule_count, unit->rules, unit->rule_count * sizeof(struct rule *));
		link->rule_count += unit->rule_count;
		counts->files += unit->files;
		counts->links += unit->link_count;
		counts->patterns += unit->patterns;
		counts->exact_patterns += unit->exact_patterns;
		counts->databases += unit->databases;
		counts->databases_cached += unit->databases_cached;
	}
	return r;
}

/* Exclusions count for the whole rule set, wherever they stand, as in ModSecurity v3. */
static int carry_out(struct link *link, struct seclang_counts *counts)
{
	size_t kept = 0;
	for (size_t i = 0; i < link->rule_count; i++) {
		const struct rule *rule = link->rules[i];
		int r = rule->kind == RULE_MARKER ? 0 : each_exclusion(link, meaning, (void *)rule);
		if (r == MEANT_TO_CHANGE)
			r = chain_change(link, &rule);
		if (r < 0)
			return r;
		counts->removed += r == MEANT_TO_REMOVE;
		if (r != MEANT_TO_REMOVE)
			link->rules[kept++] = rule;
	}
	link->rule_count = kept;
	return 0;
}

static bool disrupts(const struct rule *rule)
{
	enum disruptive d = rule->disruptive == DISRUPTIVE_BLOCK ? rule->block_action : rule->disruptive;
	return d == DISRUPTIVE_DENY || d == DISRUPTIVE_DROP || d == DISRUPTIVE_REDIRECT;
}

static bool uses_stored(const struct rule *rule)
{
	for (const struct rule *link = rule; link != NULL; link = link->next_link)
		for (size_t i = 0; i < link->action_count; i++)
			if (link->actions[i].kind == ACTION_INITCOL || link->actions[i].kind == ACTION_SETUID ||
			    link->actions[i].kind == ACTION_SETSID || link->actions[i].kind == ACTION_SETRSC)
				return true;
	return false;
}

static bool is_of_phase(const struct rule *rule, uint8_t phase)
{
	return rule->kind == RULE_MARKER || rule->phase == phase;
}

static int fill_phase(const struct link *link, struct ruleset *ruleset, uint8_t phase)
{
	size_t count = 0;
	for (size_t i = 0; i < link->rule_count; i++)
		count += is_of_phase(link->rules[i], phase);
	const struct rule **list = arena_alloc(link->arena, count * sizeof(const struct rule *));
	if (list == NULL)
		return -ENOMEM;
	ruleset->phases[phase].rules = list;
	ruleset->phases[phase].count = count;
	for (size_t i = 0; i < link->rule_count; i++) {
		const struct rule *rule = link->rules[i];
		if (!is_of_phase(rule, phase))
			continue;
		*list++ = rule;
		ruleset->phase_can_disrupt[phase] |= rule->kind != RULE_MARKER && disrupts(rule);
	}
	return 0;
}

/* How many captures a rule with its chain may set. */
static size_t captures_of(const struct rule *head)
{
	size_t most = 0;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		const struct regex *regex = rule->operation.regex;
		size_t count = !rule->capture ? 0 : regex == NULL ? 1 : regex_groups(regex);
		most = count > most ? count : most;
	}
	return most < REGEX_GROUPS_MAX ? most : REGEX_GROUPS_MAX;
}

/* Captures are names of TX that rules need not write: numbered all the same, they are not composed at run time. */
static int number_captures(const struct link *link)
{
	size_t most = 0;
	for (size_t i = 0; i < link->rule_count; i++) {
		size_t count = captures_of(link->rules[i]);
		most = count > most ? count : most;
	}
	for (size_t group = 0; group < most; group++) {
		struct buffer name = buffer_make(link->arena);
		buffer_number(&name, (int64_t)group);
		int slot = name.error != 0 ? name.error : pool_tx_slot(link->pool, buffer_slice(&name));
		if (slot < 0)
			return slot;
	}
	return 0;
}

static int fill_names(const struct link *link, struct ruleset *ruleset)
{
	int r = number_captures(link);
	if (r != 0)
		return r;
	size_t count = pool_tx_count(link->pool);
	const char **names = arena_alloc(link->arena, (count + 1) * sizeof(*names));
	if (names == NULL)
		return -ENOMEM;
	for (size_t slot = 0; slot < count; slot++)
		names[slot] = pool_tx_name(link->pool, slot);
	ruleset->tx_names = names;
	ruleset->tx_slot_count = count;
	return 0;
}

static int fill(const struct link *link, struct ruleset *ruleset, struct seclang_counts *counts)
{
	ruleset->rules = link->rules;
	ruleset->rule_count = link->rule_count;
	for (size_t i = 0; i < link->rule_count; i++) {
		counts->rules += link->rules[i]->kind != RULE_MARKER;
		ruleset->uses_stored_collections = ruleset->uses_stored_collections || uses_stored(link->rules[i]);
	}
	int r = 0;
	for (uint8_t phase = PHASE_FIRST; phase <= PHASE_LAST && r == 0; phase++)
		r = fill_phase(link, ruleset, phase);
	settings_default(&ruleset->settings);
	for (size_t i = 0; i < link->unit_count && r == 0; i++)
		r = settings_apply(&ruleset->settings, link->units[i]->settings, link->units[i]->setting_count,
				   link->arena);
	return r != 0 ? r : fill_names(link, ruleset);
}

int link_units(struct pool *pool, struct seclang_unit *const *units, size_t count, struct diagnostics *diagnostics,
	       struct arena *arena, struct ruleset *ret_ruleset, struct seclang_counts *counts)
{
	struct link link = {
		.pool = pool, .units = units, .unit_count = count, .diagnostics = diagnostics, .arena = arena};
	int r = gather(&link, counts);
	if (r == 0) {
		struct vain vain = {units, count, link.rules, link.rule_count, diagnostics};
		vain_tell(&vain);
		r = carry_out(&link, counts);
	}
	free(link.targets);
	id_table_free(&link.ids);
	struct ruleset ruleset = {0};
	if (r == 0)
		r = fill(&link, &ruleset, counts);
	if (r == 0)
		*ret_ruleset = ruleset;
	return r;
}
