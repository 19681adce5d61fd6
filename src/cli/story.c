/*
 * Matches come one by one and are put together by rule, with what each added to the scores. A value is redacted before
 * it is copied, also by the names of secrets that the rules themselves know.
 */
#include "cli/story.h"

#include "base/error.h"
#include "ftw/exchange.h"
#include "http/redact.h"

static bool only_adds_up(int64_t id)
{
	int64_t family = id / 1000;
	return family == 949 || family == 959 || family == 980;
}

bool story_rule_counts(const struct story_rule *rule)
{
	return (rule->inbound != 0 || rule->outbound != 0 || rule->blocked) && !only_adds_up(rule->id);
}

void story_blocked(struct story *story, int64_t rule_id)
{
	for (struct story_rule *rule = story->rules; rule != NULL; rule = rule->next)
		rule->blocked = rule->id == rule_id && !only_adds_up(rule_id);
}

static struct slice copy(struct story *story, struct slice bytes)
{
	struct slice found = SLICE("");
	if (arena_copy(story->arena, bytes, &found) != 0)
		story->lost = true;
	return found;
}

static struct story_rule *rule_of(struct story *story, const struct guia_trace *trace)
{
	for (struct story_rule *rule = story->rules; rule != NULL; rule = rule->next)
		if (rule->id == trace->rule_id)
			return rule;
	struct story_rule *rule = arena_zalloc(story->arena, 1, sizeof(*rule));
	if (rule == NULL)
		return NULL;
	rule->id = trace->rule_id;
	rule->file = arena_string(story->arena, slice_from_string(trace->file));
	rule->line = trace->line;
	if (story->last == NULL)
		story->rules = rule;
	else
		story->last->next = rule;
	story->last = rule;
	return rule;
}

int story_secrets(struct story *story, const struct guia_rules *rules)
{
	struct guia_slice name;
	size_t count = 0;
	while (guia_rules_secret_name_at(rules, count, &name))
		count++;
	struct slice *names = arena_zalloc(story->arena, count + 1, sizeof(*names));
	if (names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && guia_rules_secret_name_at(rules, i, &name); i++)
		names[i] = exchange_in(name);
	story->secrets = (struct redact_names){.extra = names, .extra_count = count};
	return 0;
}

/*
 * The value as it may be shown; true if something had to be replaced. A body is redacted by what it looks like, and
 * then as free text: what it says it is need not be true.
 */
static bool shown(struct story *story, const struct guia_trace *trace, struct slice *ret_value)
{
	struct buffer out = buffer_make(story->arena), again = buffer_make(story->arena);
	struct slice variable = exchange_in(trace->variable), value = exchange_in(trace->value);
	if (trace->secret) {
		*ret_value = SLICE("[redacted]");
		return true;
	}
	redact_value(&story->secrets, variable, value, &out);
	redact_text(&story->secrets, variable, SLICE(""), buffer_slice(&out), &again);
	bool changed = !slice_equal(buffer_slice(&again), value);
	story->lost |= out.error != 0 || again.error != 0;
	*ret_value = changed ? buffer_slice(&again) : copy(story, value);
	return changed;
}

static void copy_steps(struct story *story, const struct guia_trace *trace, struct story_link *link)
{
	link->steps = arena_zalloc(story->arena, trace->step_count + 1, sizeof(*link->steps));
	if (link->steps == NULL) {
		story->lost = true;
		return;
	}
	for (size_t i = 0; i < trace->step_count; i++)
		link->steps[i] =
			(struct story_step){trace->steps[i].transform, copy(story, exchange_in(trace->steps[i].value))};
	link->step_count = trace->step_count;
}

static void add_link(struct story *story, struct story_rule *rule, const struct guia_trace *trace)
{
	struct story_link *link = arena_zalloc(story->arena, 1, sizeof(*link));
	if (link == NULL) {
		story->lost = true;
		return;
	}
	link->depth = trace->chain_depth;
	link->phase = trace->phase;
	link->variable = copy(story, exchange_in(trace->variable));
	link->operator_name = trace->operator_name != NULL
				      ? arena_string(story->arena, slice_from_string(trace->operator_name))
				      : NULL;
	link->negated = trace->operator_negated;
	link->argument = copy(story, exchange_in(trace->operator_argument));
	/* Where a secret was replaced, places no longer fit and the steps would tell it. */
	if (!shown(story, trace, &link->value)) {
		link->match_offset = trace->match_offset;
		link->match_len = trace->match_len;
		link->found = copy(story, exchange_in(trace->found));
		copy_steps(story, trace, link);
	}
	if (rule->last == NULL)
		rule->links = link;
	else
		rule->last->next = link;
	rule->last = link;
}

void story_trace(void *context, const struct guia_trace *trace)
{
	struct story *story = context;
	struct story_rule *rule = rule_of(story, trace);
	if (rule == NULL) {
		story->lost = true;
		return;
	}
	if (trace->message.len > 0)
		rule->message = copy(story, exchange_in(trace->message));
	if (trace->paranoia_level > 0)
		rule->paranoia_level = trace->paranoia_level;
	rule->inbound += trace->inbound_added;
	rule->outbound += trace->outbound_added;
	add_link(story, rule, trace);
}
