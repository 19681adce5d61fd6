/* Rules that are settled: what a run of them leaves behind becomes one step. */
#include "engine/course_build.h"

#include "engine/number.h"
#include "engine/rule.h"
#include "match/compare.h"

#include <errno.h>

/* So do all where nothing disrupts. */
bool course_statuses_stay(const struct ruleset *ruleset)
{
	if (ruleset->settings.rule_engine != SWITCH_ON)
		return true;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		for (const struct rule *rule = ruleset->rules[i]; rule != NULL; rule = rule->next_link)
			if (rule->status != 0 && !rule_passes(rule) && !course_may_disrupt(rule))
				return true;
	return false;
}

static bool ends_status(const struct course_builder *b)
{
	for (size_t i = 0; i < b->match_count; i++)
		if (rule_passes(b->matches[i].rule))
			return course_statuses_stay(b->plan->ruleset);
	return false;
}

int course_settled_close_with(struct course_builder *b, uint32_t jump_place)
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
	*settled = (struct course_settled){
		.matches = matches,
		.match_count = b->match_count,
		.writes = writes,
		.write_count = b->write_count,
		.passes = ends_status(b),
	};
	if (course_take_matched(b, &settled->matched, &settled->matched_count) != 0)
		return -ENOMEM;
	b->steps[b->step_count++] = (struct course_step){
		.settled = settled,
		.place = (uint32_t)b->settled_place,
		.jump_place = jump_place,
	};
	b->match_count = b->write_count = 0;
	return 0;
}

int course_settled_close(struct course_builder *b)
{
	return course_settled_close_with(b, UINT32_MAX);
}

static void write_fact(struct course_builder *b, int slot)
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

static int settle_setvar(struct course_builder *b, const struct setvar *setvar)
{
	int r = 0;
	int slot = setvar->tx_slot;
	struct slice value;
	if (course_macro_expand(b, &setvar->value, &value) != 0)
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

int course_match_link(struct course_builder *b, const struct rule *rule, struct matched *ret_last)
{
	struct matched *all = b->matched + b->matched_count;
	int times = course_link_matches(b, rule, all);
	if (rule->kind == RULE_ACTION || times < 0)
		return times;
	for (int i = 0; i < times; i++)
		if (arena_copy(&b->plan->arena, all[i].value, &all[i].value) != 0)
			return -ENOMEM;
	/* One that does not match forgets. */
	b->matched_count = times == 0 ? 0 : b->matched_count + (size_t)times;
	if (times > 0)
		*ret_last = all[times - 1];
	return times;
}

int course_take_matched(struct course_builder *b, const struct matched **ret_matched, size_t *ret_count)
{
	struct matched *matched = arena_zalloc(&b->plan->arena, b->matched_count + 1, sizeof(*matched));
	if (matched == NULL)
		return -ENOMEM;
	memcpy(matched, b->matched, b->matched_count * sizeof(*matched));
	*ret_matched = matched;
	*ret_count = b->matched_count;
	b->matched_count = 0;
	return 0;
}

int course_settle(struct course_builder *b, const struct rule *head, size_t place)
{
	b->settled_place = place;
	for (const struct rule *rule = head; rule != NULL; rule = rule->next_link) {
		struct course_match match = {.rule = rule};
		int times = course_match_link(b, rule, &match.matched);
		if (times <= 0) /* the chain ends here: it has set nothing (course_answer_of) */
			return times;
		b->matches[b->match_count++] = match;
		for (int i = 0; i < times; i++)
			for (size_t j = 0; j < rule->action_count; j++)
				if (rule->actions[j].kind == ACTION_SETVAR &&
				    settle_setvar(b, &rule->actions[j].setvar) != 0)
					return -ENOMEM;
	}
	return 0;
}
