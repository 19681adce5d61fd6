#include "cli/story.h"

#include "base/error.h"
#include "ftw/exchange.h"
#include "http/redact.h"

bool story_rule_scored(const struct story_rule *rule)
{
	int64_t family = rule->id / 1000;
	return (rule->inbound != 0 || rule->outbound != 0) && family != 949 && family != 959 && family != 980;
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

/* The text of a variable that holds many values at once, with the secrets among them replaced. */
static void redact_whole(struct slice variable, struct slice value, struct buffer *out)
{
	struct redact_names names = {0};
	if (slice_starts_with_nocase(variable, SLICE("REQUEST_URI")) ||
	    slice_equal_nocase(variable, SLICE("REQUEST_LINE")) ||
	    slice_equal_nocase(variable, SLICE("REQUEST_HEADERS:Referer")))
		redact_uri(&names, value, out);
	else if (slice_equal_nocase(variable, SLICE("QUERY_STRING")))
		redact_arguments(&names, value, '&', out);
	else if (slice_equal_nocase(variable, SLICE("REQUEST_BODY")))
		redact_body(&names, SLICE("application/x-www-form-urlencoded"), value, out);
	else if (slice_starts_with_nocase(variable, SLICE("REQUEST_HEADERS:")))
		redact_header(&names, slice_after(variable, 16), value, out);
	else
		redact_value(&names, variable, value, out);
}

/* The value as it may be shown; true if something had to be replaced. */
static bool shown(struct story *story, struct slice variable, struct slice value, struct slice *ret_value)
{
	struct redact_names names = {0};
	struct buffer out = buffer_make(story->arena);
	if (redact_name_is_secret(&names, variable))
		buffer_text(&out, "[redacted]");
	else
		redact_whole(variable, value, &out);
	bool changed = !slice_equal(buffer_slice(&out), value);
	story->lost |= out.error != 0;
	*ret_value = changed ? buffer_slice(&out) : copy(story, value);
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
	if (!shown(story, link->variable, exchange_in(trace->value), &link->value)) {
		link->match_offset = trace->match_offset;
		link->match_len = trace->match_len;
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
