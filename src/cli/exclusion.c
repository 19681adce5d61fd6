/*
 * What the heads of the rules that counted looked at, as targets. They are left out on the path alone (ctl, phase 1),
 * on every path (SecRuleUpdateTargetById), or as whole rules. An exclusion's id is a hash of what it leaves out.
 */
#include "cli/exclusion.h"

#include <inttypes.h>

enum {
	FIRST_ID = 10000, /* ids up to 99,999 are the site's own */
	ID_COUNT = 90000,
	TARGETS_MAX = 32,
};

/* One rule and one variable it looked at; without a variable it is all of the rule. */
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

/* Appends what the heads of one rule looked at. false: some of it cannot be written, or there is no room. */
static bool collect_rule(const struct story_rule *rule, struct target targets[TARGETS_MAX], size_t *count)
{
	for (const struct story_link *link = rule->links; link != NULL; link = link->next) {
		struct target one = {rule->id, writable(link->variable)};
		if (link->depth != 0 || (one.variable.len > 0 && listed(targets, *count, one)))
			continue;
		if (one.variable.len == 0 || *count == TARGETS_MAX)
			return false;
		targets[(*count)++] = one;
	}
	return true;
}

/* What the heads of the rules that count looked at; a rule that cannot be excluded by it is there as a whole. */
static size_t collect(const struct story *story, struct target targets[TARGETS_MAX], bool *ret_narrow)
{
	size_t count = 0;
	bool narrow = false;
	for (const struct story_rule *rule = story->rules; rule != NULL; rule = rule->next) {
		size_t before = count;
		if (!story_rule_counts(rule))
			continue;
		if (collect_rule(rule, targets, &count)) {
			narrow = true;
			continue;
		}
		if (before == TARGETS_MAX)
			return 0;
		count = before;
		targets[count++] = (struct target){rule->id, SLICE("")};
	}
	*ret_narrow = narrow;
	return count;
}

/* The same for the same text, so that exclusions pasted one after the other do not share one. */
static unsigned id_of(struct slice path, const struct target *targets, size_t count)
{
	uint64_t hash = 1469598103934665603U; /* FNV-1a */
	for (size_t i = 0; i < path.len; i++)
		hash = (hash ^ path.ptr[i]) * 1099511628211U;
	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ (uint64_t)targets[i].rule) * 1099511628211U;
		for (size_t j = 0; j < targets[i].variable.len; j++)
			hash = (hash ^ targets[i].variable.ptr[j]) * 1099511628211U;
	}
	return FIRST_ID + (unsigned)((hash ^ hash >> 32) % ID_COUNT);
}

static void add_by_path(const struct target *targets, size_t count, struct slice path, struct buffer *out)
{
	size_t plain = plain_prefix(path, "/._~-");
	buffer_printf(out, "SecRule REQUEST_FILENAME \"@%s %.*s\" \\\n    \"id:%u,phase:1,pass,nolog,t:none",
		      plain == path.len ? "streq" : "beginsWith", SLICE_ARG(slice_sub(path, 0, plain)),
		      id_of(path, targets, count));
	for (size_t i = 0; i < count; i++)
		if (targets[i].variable.len > 0)
			buffer_printf(out, ",\\\n    ctl:ruleRemoveTargetById=%" PRId64 ";%.*s", targets[i].rule,
				      SLICE_ARG(targets[i].variable));
		else
			buffer_printf(out, ",\\\n    ctl:ruleRemoveById=%" PRId64, targets[i].rule);
	buffer_text(out, "\"\n");
}

static void add_by_target(const struct target *targets, size_t count, struct buffer *out)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].variable.len > 0)
			buffer_printf(out, "SecRuleUpdateTargetById %" PRId64 " \"!%.*s\"\n", targets[i].rule,
				      SLICE_ARG(targets[i].variable));
		else
			buffer_printf(out, "SecRuleRemoveById %" PRId64 "\n", targets[i].rule);
}

static void add_by_rule(const struct story *story, struct buffer *out)
{
	for (const struct story_rule *rule = story->rules; rule != NULL; rule = rule->next)
		if (story_rule_counts(rule))
			buffer_printf(out, "SecRuleRemoveById %" PRId64 "\n", rule->id);
}

size_t exclusions_suggest(const struct story *story, struct slice path, struct exclusion exclusions[EXCLUSIONS_MAX])
{
	static const char before[] =
		"before the Core Rule Set: a file of `rules_before:` (guia serve) or guia_rules_before (nginx)";
	static const char after[] = "after the Core Rule Set: a file of `rules:` (guia serve) or guia_rules (nginx)";
	struct target targets[TARGETS_MAX];
	bool narrow = false;
	size_t target_count = collect(story, targets, &narrow), count = 0;
	if (target_count > 0 && plain_prefix(path, "/._~-") > 0) {
		exclusions[count] = (struct exclusion){narrow ? "these values, on this path only"
							      : "these rules, on this path only",
						       before, true, buffer_make(NULL)};
		add_by_path(targets, target_count, path, &exclusions[count++].text);
	}
	if (narrow) {
		exclusions[count] = (struct exclusion){"these values, on every path", after, false, buffer_make(NULL)};
		add_by_target(targets, target_count, &exclusions[count++].text);
	}
	exclusions[count] = (struct exclusion){"these rules, everywhere", after, false, buffer_make(NULL)};
	add_by_rule(story, &exclusions[count].text);
	if (exclusions[count].text.len > 0)
		count++;
	return count;
}
