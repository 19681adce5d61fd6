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
