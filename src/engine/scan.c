#include "engine/scan.h"

#include "engine/pipeline.h"

static struct scan_result *find(const struct result *result, const struct scan_group *group)
{
	struct scan_result *scan = result->scans;
	while (scan != NULL && scan->group != group)
		scan = scan->next;
	return scan;
}

static struct scan_result *run(struct transaction *t, struct result *result, const struct scan_group *group)
{
	size_t words = scan_set_words(group->set);
	struct scan_result *scan = arena_zalloc(&t->arena, 1, sizeof(*scan) + words * sizeof(scan->words[0]));
	if (scan == NULL)
		return NULL;
	scan->group = group;
	scan->failed = scan_run(group->set, t->worker->scan_scratch, result->bytes, scan->words) < 0;
	scan->next = result->scans;
	result->scans = scan;
	return scan;
}

/*
 * A clear bit is certain: the pattern does not occur. A set one is certain only for an exact pattern, and captures, or
 * the place for a log, are for the regex to tell.
 */
enum scan_answer scan_ask(struct transaction *t, const struct target *target, const struct rule *rule,
			  struct result *result)
{
	if (target->scan_group == SCAN_GROUP_NONE || t->worker->options.reference_path)
		return SCAN_SAYS_NOTHING;
	const struct scan_group *group = &rule->unit->scan_groups[target->scan_group];
	struct scan_result *scan = find(result->same, group);
	if (scan == NULL)
		scan = run(t, result->same, group);
	if (scan == NULL || scan->failed) {
		t->scan_failed |= scan != NULL;
		return SCAN_FAILED;
	}
	bool hit = (scan->words[target->scan_bit / 64] >> target->scan_bit % 64 & 1) != 0;
	if (!hit)
		return rule->operation.negated ? SCAN_SAYS_YES : SCAN_SAYS_NO;
	if (!rule->operation.scan_exact || rule->capture || t->head->log || t->trace != NULL)
		return SCAN_SAYS_NOTHING;
	return rule->operation.negated ? SCAN_SAYS_NO : SCAN_SAYS_YES;
}

/* The summary's place: by variable, by node, then a short list by group. NULL when the arena is exhausted. */
static struct scan_summary **place_of(struct transaction *t, enum variable variable, uint16_t node,
				      const struct scan_group *group)
{
	if (t->summaries[variable] == NULL) {
		t->summaries[variable] = arena_zalloc(&t->arena, t->plan->node_count, sizeof(struct scan_summary *));
		if (t->summaries[variable] == NULL)
			return NULL;
	}
	struct scan_summary **place = &t->summaries[variable][node];
	while (*place != NULL && (*place)->group != group)
		place = &(*place)->next;
	return place;
}

static struct scan_summary *new_summary(struct transaction *t, const struct scan_group *group, uint16_t node)
{
	size_t words = scan_set_words(group->set);
	struct scan_summary *summary = arena_zalloc(&t->arena, 1, sizeof(*summary) + words * sizeof(summary->words[0]));
	if (summary == NULL)
		return NULL;
	summary->group = group;
	summary->node = node;
	return summary;
}

/* Scans what has come in since the summary was made. False if something failed: then each value is asked. */
static bool update(struct transaction *t, struct scan_summary *summary, const struct value_set *set)
{
	size_t words = scan_set_words(summary->group->set);
	for (; summary->count < set->count; summary->count++) {
		struct result *result = pipeline_result(t, set->items[summary->count], summary->node);
		struct scan_result *scan = result == NULL ? NULL : find(result->same, summary->group);
		if (result != NULL && scan == NULL)
			scan = run(t, result->same, summary->group);
		if (scan == NULL || scan->failed)
			return false;
		for (size_t i = 0; i < words; i++)
			summary->words[i] |= scan->words[i];
	}
	return true;
}

static bool is_collection_that_only_grows(enum variable variable)
{
	switch ((int)variable) {
	case VARIABLE_ARGS:
	case VARIABLE_ARGS_GET:
	case VARIABLE_ARGS_GET_NAMES:
	case VARIABLE_ARGS_NAMES:
	case VARIABLE_ARGS_POST:
	case VARIABLE_ARGS_POST_NAMES:
	case VARIABLE_FILES:
	case VARIABLE_FILES_NAMES:
	case VARIABLE_REQUEST_COOKIES:
	case VARIABLE_REQUEST_COOKIES_NAMES:
	case VARIABLE_REQUEST_HEADERS:
	case VARIABLE_REQUEST_HEADERS_NAMES:
	case VARIABLE_MULTIPART_PART_HEADERS:
	case VARIABLE_RESPONSE_HEADERS:
		return true;
	default:
		return false;
	}
}

bool scan_may_match(struct transaction *t, const struct target *target, const struct rule *rule)
{
	if (target->scan_group == SCAN_GROUP_NONE || target->selector_kind != SELECTOR_NONE || target->counted ||
	    rule->operation.negated || rule->multi_match || t->worker->options.reference_path ||
	    !is_collection_that_only_grows(target->variable))
		return true;
	const struct scan_group *group = &rule->unit->scan_groups[target->scan_group];
	uint16_t node = plan_node_of(t->plan, rule);
	struct scan_summary **place = place_of(t, target->variable, node, group);
	struct scan_summary *summary = place == NULL ? NULL : *place;
	if (summary == NULL && place != NULL)
		summary = *place = new_summary(t, group, node);
	if (summary == NULL)
		return true;
	const struct value_set *set = &t->sets[target->variable];
	if (summary->count < set->count && !update(t, summary, set))
		return true;
	return (summary->words[target->scan_bit / 64] >> target->scan_bit % 64 & 1) != 0;
}
