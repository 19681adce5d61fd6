/*
 * Heads and links are found by their address and counted at their head's place. What reading the clock costs is the
 * least of many readings in a row.
 */
#include "engine/profile.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>

enum { CLOCK_SAMPLES = 1000 /* of which the least is taken for what reading the clock costs */ };

struct profile_place {
	const struct rule *rule; /* NULL: free */
	size_t place;
};

uint64_t profile_clock_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

static size_t slot_of(const struct profile *profile, const struct rule *rule)
{
	size_t mask = profile->table_size - 1;
	size_t at = (size_t)((uintptr_t)rule * HASH_SPREAD >> 32) & mask;
	while (profile->table[at].rule != NULL && profile->table[at].rule != rule)
		at = (at + 1) & mask;
	return at;
}

static int fill_table(struct profile *profile)
{
	const struct ruleset *ruleset = profile->plan->ruleset;
	size_t links = 0;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		for (const struct rule *rule = ruleset->rules[i]; rule != NULL; rule = rule->next_link)
			links++;
	profile->table_size = 16;
	while (profile->table_size < 2 * links)
		profile->table_size *= 2;
	profile->table = calloc(profile->table_size, sizeof(*profile->table));
	if (profile->table == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->rule_count; i++)
		for (const struct rule *rule = ruleset->rules[i]; rule != NULL; rule = rule->next_link)
			profile->table[slot_of(profile, rule)] = (struct profile_place){rule, i};
	return 0;
}

/* NULL for a rule of another rule set. */
static struct profile_rule *rule_of(struct profile *profile, const struct rule *rule)
{
	const struct profile_place *found = &profile->table[slot_of(profile, rule)];
	return found->rule == NULL ? NULL : &profile->rules[found->place];
}

static uint64_t overhead(void)
{
	uint64_t least = UINT64_MAX;
	for (unsigned i = 0; i < CLOCK_SAMPLES; i++) {
		uint64_t begun = profile_clock_ns();
		uint64_t took = profile_clock_ns() - begun;
		least = took < least ? took : least;
	}
	return least;
}

int profile_create(const struct plan *plan, struct profile **ret_profile)
{
	const struct ruleset *ruleset = plan->ruleset;
	struct profile *profile = calloc(1, sizeof(*profile));
	if (profile == NULL)
		return -ENOMEM;
	profile->plan = plan;
	profile->rule_count = ruleset->rule_count;
	profile->rules = calloc(ruleset->rule_count + 1, sizeof(*profile->rules));
	if (profile->rules == NULL || fill_table(profile) != 0) {
		profile_free(profile);
		return -ENOMEM;
	}
	for (size_t i = 0; i < ruleset->rule_count; i++)
		profile->rules[i].head = ruleset->rules[i];
	profile->overhead_ns = overhead();
	*ret_profile = profile;
	return 0;
}

void profile_free(struct profile *profile)
{
	if (profile == NULL)
		return;
	free(profile->rules);
	free(profile->table);
	free(profile);
}

void profile_clear(struct profile *profile)
{
	profile->transactions = 0;
	memset(profile->stages, 0, sizeof(profile->stages));
	memset(profile->families, 0, sizeof(profile->families));
	for (size_t i = 0; i < profile->rule_count; i++)
		profile->rules[i] = (struct profile_rule){.head = profile->rules[i].head};
}

static uint64_t taken(struct profile_timer timer)
{
	uint64_t ns = profile_clock_ns() - timer.begun_ns;
	return ns > timer.profile->overhead_ns ? ns - timer.profile->overhead_ns : 0;
}

void profile_count_stage(struct profile_timer timer, enum profile_stage stage)
{
	struct profile_cost *cost = &timer.profile->stages[stage];
	cost->ns += taken(timer);
	cost->count++;
}

void profile_count_family(struct profile_timer timer)
{
	timer.profile->families[timer.profile->family].cost.ns += taken(timer);
}

void profile_count_rule(struct profile_timer timer, const struct rule *head, bool matched)
{
	uint64_t ns = taken(timer);
	struct profile_rule *rule = rule_of(timer.profile, head);
	if (rule == NULL)
		return;
	rule->evaluated.ns += ns;
	rule->evaluated.count++;
	rule->matched += matched;
}

void profile_count_question(struct profile_timer timer, const struct rule *link)
{
	uint64_t ns = taken(timer);
	struct profile_rule *rule = rule_of(timer.profile, link);
	if (rule == NULL)
		return;
	timer.profile->families[timer.profile->family].questions++;
	rule->asked.ns += ns;
	rule->asked.count++;
}
