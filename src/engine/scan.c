/*
 * For a short value everything in the group is looked for and kept with the result; for a long one only the rule's own
 * bit is. What a response's body made candidates of when it was asked ahead can make the scan needless.
 */
#include "engine/scan.h"

#include "engine/pipeline.h"

/* A longer value is asked for one rule's pattern alone: few rules come so far with it. */
enum { SHARED_MAX_BYTES = 512 };

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
	scan->failed = scan_run(group->set, t->worker->scan_scratch, result->bytes, NULL, scan->words) < 0;
	t->scan_failed |= scan->failed;
	scan->next = result->scans;
	result->scans = scan;
	return scan;
}

/* The bits of a scan that looked for one of them. */
static const uint64_t *run_for(struct transaction *t, const struct scan_set *set, uint16_t bit, struct slice bytes)
{
	struct worker *worker = t->worker;
	uint64_t *words = worker->scan_words[0], *slots = worker->scan_slots[0];
	memset(words, 0, scan_set_words(set) * sizeof(*words));
	memset(slots, 0, scan_set_slot_words(set) * sizeof(*slots));
	scan_set_want(set, bit, slots);
	int r = scan_run(set, worker->scan_scratch, bytes, slots, words);
	t->scan_failed |= r < 0;
	return r < 0 ? NULL : words;
}

/* The bits of a scan that looked for everything, kept with the value; NULL: the scan failed, or there is no memory. */
static const uint64_t *run_shared(struct transaction *t, struct result *result, const struct scan_group *group)
{
	struct scan_result *scan = find(result, group);
	if (scan == NULL)
		scan = run(t, result, group);
	return scan == NULL || scan->failed ? NULL : scan->words;
}

/* Whether the head looks at nothing but the page, and what the page made candidates of is known. */
static bool page_is_told(const struct transaction *t, const struct target *target, const struct rule *rule)
{
	return target->variable == VARIABLE_RESPONSE_BODY && t->page_is_told && t->step >= 0 && rule == t->head &&
	       rule->target_count == 1;
}

/*
 * Whether it made one of the step. If not, the step was a candidate before there was a page, as a negated operator
 * matches what is empty.
 */
static bool page_was_found(const struct transaction *t)
{
	for (size_t i = 0; i < t->page_step_count; i++)
		if (t->page_steps[i] == t->step)
			return true;
	return false;
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
	bool tells = rule->capture || t->head->log || t->trace != NULL;
	/* A page need not be gone over again that is known not to match, or of which a bit, or none, is the verdict. */
	if (page_is_told(t, target, rule)) {
		if (!page_was_found(t))
			return SCAN_SAYS_NO;
		if (rule->transform_count == 0 && rule->operation.scan_exact)
			return tells && !rule->operation.negated ? SCAN_SAYS_NOTHING : SCAN_SAYS_YES;
	}
	bool hit = rule->operation.certain;
	if (!hit) {
		const uint64_t *words = result->bytes.len > SHARED_MAX_BYTES
						? run_for(t, group->set, target->scan_bit, result->bytes)
						: run_shared(t, result->same, group);
		if (words == NULL)
			return SCAN_FAILED;
		hit = (words[target->scan_bit / 64] >> target->scan_bit % 64 & 1) != 0;
	}
	if (!hit)
		return rule->operation.negated ? SCAN_SAYS_YES : SCAN_SAYS_NO;
	if (!rule->operation.scan_exact || tells)
		return SCAN_SAYS_NOTHING;
	return rule->operation.negated ? SCAN_SAYS_NO : SCAN_SAYS_YES;
}
