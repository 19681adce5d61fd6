#include "cli/exclusion.h"

#include <inttypes.h>

enum {
	FIRST_ID = 10001,
	TARGETS_MAX = 12,
};

/* One rule and one variable it looked at. */
struct target {
	int64_t rule;
	struct slice variable;
};

static bool is_plain(uint8_t c, const char *more)
{
	return byte_is_alpha(c) || byte_is_digit(c) || (c != '\0' && strchr(more, c) != NULL);
}

static size_t plain_prefix(struct slice s, const char *more)
{
	size_t len = 0;
	while (len < s.len && is_plain(s.ptr[len], more))
		len++;
	return len;
}

/* "ARGS:q", or "ARGS" where the name could not be written; empty for what cannot be excluded. */
static struct slice writable(struct slice variable)
{
	struct slice collection, name = slice_cut(variable, ':', &collection);
	static const char *const never[] = {"TX",          "IP",           "GLOBAL", "SESSION",  "USER", "RESOURCE",
					    "MATCHED_VAR", "MATCHED_VARS", "ENV",    "DURATION", ""};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (slice_equal_nocase(collection, slice_from_string(never[i])))
			return SLICE("");
	if (plain_prefix(collection, "_") < collection.len)
		return SLICE("");
	if (name.len > 0 && plain_prefix(name, "_-.[]") < name.len)
		return collection;
	return variable;
}

static bool listed(const struct target *targets, size_t count, struct target one)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].rule == one.rule && slice_equal(targets[i].variable, one.variable))
			return true;
	return false;
}

/* What the heads of the rules that scored looked at. */
static size_t collect(const struct story *story, struct target targets[TARGETS_MAX])
{
	size_t count = 0;
	for (const struct story_rule *rule = story->rules; rule != NULL; rule = rule->next) {
		if (!story_rule_scored(rule))
			continue;
		for (const struct story_link *link = rule->links; link != NULL; link = link->next) {
			struct target one = {rule->id, writable(link->variable)};
			if (link->depth == 0 && one.variable.len > 0 && count < TARGETS_MAX &&
			    !listed(targets, count, one))
				targets[count++] = one;
		}
	}
	return count;
}

static void add_by_path(const struct target *targets, size_t count, struct slice path, struct buffer *out)
{
	size_t plain = plain_prefix(path, "/._~-");
	buffer_printf(out, "SecRule REQUEST_FILENAME \"@%s %.*s\" \\\n    \"id:%d,phase:1,pass,nolog,t:none",
		      plain == path.len ? "streq" : "beginsWith", SLICE_ARG(slice_sub(path, 0, plain)), FIRST_ID);
	for (size_t i = 0; i < count; i++)
		buffer_printf(out, ",\\\n    ctl:ruleRemoveTargetById=%" PRId64 ";%.*s", targets[i].rule,
			      SLICE_ARG(targets[i].variable));
	buffer_text(out, "\"\n");
}

static void add_by_target(const struct target *targets, size_t count, struct buffer *out)
{
	for (size_t i = 0; i < count; i++)
		buffer_printf(out, "SecRuleUpdateTargetById %" PRId64 " \"!%.*s\"\n", targets[i].rule,
			      SLICE_ARG(targets[i].variable));
}

static void add_by_rule(const struct story *story, struct buffer *out)
{
	for (const struct story_rule *rule = story->rules; rule != NULL; rule = rule->next)
		if (story_rule_scored(rule))
			buffer_printf(out, "SecRuleRemoveById %" PRId64 "\n", rule->id);
}

size_t exclusions_suggest(const struct story *story, struct slice path, struct exclusion exclusions[EXCLUSIONS_MAX])
{
	static const char before[] =
		"before the Core Rule Set: a file of `rules_before:` (guia serve) or guia_rules_before (nginx)";
	static const char after[] = "after the Core Rule Set: a file of `rules:` (guia serve) or guia_rules (nginx)";
	struct target targets[TARGETS_MAX];
	size_t target_count = collect(story, targets), count = 0;
	if (target_count > 0 && plain_prefix(path, "/._~-") > 0) {
		exclusions[count] =
			(struct exclusion){"these values, on this path only", before, true, buffer_make(NULL)};
		add_by_path(targets, target_count, path, &exclusions[count++].text);
	}
	if (target_count > 0) {
		exclusions[count] = (struct exclusion){"these values, on every path", after, false, buffer_make(NULL)};
		add_by_target(targets, target_count, &exclusions[count++].text);
	}
	exclusions[count] = (struct exclusion){"these rules, everywhere", after, false, buffer_make(NULL)};
	add_by_rule(story, &exclusions[count].text);
	if (exclusions[count].text.len > 0)
		count++;
	return count;
}
