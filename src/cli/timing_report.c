/*
 * Rules are sorted by their cost, evaluations and questions together. Without --all only the dearest are told, and none
 * that cost nothing.
 */
#include "cli/timing_report.h"

#include "codec/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RULES_SHOWN = 20, IDS_SHOWN = 20 };

static const char *const part_names[] = {
	[GUIA_PROFILE_PARSING] = "parsing",
	[GUIA_PROFILE_CANDIDATES] = "candidates",
	[GUIA_PROFILE_RULES] = "rules",
	[GUIA_PROFILE_LOGGING] = "logging",
};

static double per_request(const struct timing_report *report, struct timing_total total)
{
	double runs = (double)total.rounds * (double)report->timing->request_count;
	return runs == 0 ? 0 : (double)total.ns / runs / 1e3;
}

static double us(uint64_t ns, const struct guia_profile *profile)
{
	uint64_t count = guia_profile_transactions(profile);
	return count == 0 ? 0 : (double)ns / (double)count / 1e3;
}

/* A count a request. */
static double often(uint64_t n, const struct guia_profile *profile)
{
	uint64_t count = guia_profile_transactions(profile);
	return count == 0 ? 0 : (double)n / (double)count;
}

/* Of all stages. */
static uint64_t all_ns(const struct guia_profile *profile)
{
	struct guia_profile_stage stage;
	uint64_t ns = 0;
	for (size_t i = 0; guia_profile_stage_at(profile, i, &stage); i++)
		ns += stage.ns;
	return ns;
}

static double share(uint64_t ns, uint64_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)ns / (double)whole;
}

/* ---- rules, the dearest first ---- */

static uint64_t cost_of(const struct guia_profile_rule *rule)
{
	return rule->evaluation_ns + rule->question_ns;
}

static int by_cost(const void *a, const void *b)
{
	uint64_t left = cost_of(a);
	uint64_t right = cost_of(b);
	return left < right ? 1 : left > right ? -1 : 0;
}

struct rules {
	struct guia_profile_rule *items; /* without markers */
	size_t count;
	size_t shown;
};

static void rules_free(struct rules *rules)
{
	free(rules->items);
}

/* Empty where memory runs out: the buffer knows. */
static struct rules rules_of(const struct timing_report *report, const struct guia_profile *profile, struct buffer *out)
{
	struct rules rules = {0};
	struct guia_profile_rule rule;
	size_t count = 0;
	while (guia_profile_rule_at(profile, count, &rule))
		count++;
	rules.items = calloc(count + 1, sizeof(*rules.items));
	if (rules.items == NULL) {
		out->error = -ENOMEM;
		return rules;
	}
	for (size_t i = 0; i < count && guia_profile_rule_at(profile, i, &rule); i++)
		if (!rule.marker)
			rules.items[rules.count++] = rule;
	qsort(rules.items, rules.count, sizeof(*rules.items), by_cost);
	rules.shown = report->timing->all || rules.count < RULES_SHOWN ? rules.count : RULES_SHOWN;
	while (!report->timing->all && rules.shown > 0 && cost_of(&rules.items[rules.shown - 1]) == 0)
		rules.shown--;
	return rules;
}

static const char *standing_of(const struct guia_profile_rule *rule)
{
	static const char *const names[] = {
		[GUIA_STANDING_NEVER] = "never",
		[GUIA_STANDING_SETTLED] = "settled",
		[GUIA_STANDING_CANDIDATE] = "candidate",
		[GUIA_STANDING_ALWAYS] = "always",
	};
	return names[rule->standing];
}

/* How values are asked whether the rule could match. */
static void add_how(const struct guia_profile_rule *rule, struct buffer *out)
{
	if (rule->standing == GUIA_STANDING_NEVER)
		buffer_text(out, "settled at load: it never matches");
	if (rule->standing == GUIA_STANDING_SETTLED)
		buffer_text(out, "settled at load: it always matches");
	if (rule->standing == GUIA_STANDING_ALWAYS)
		buffer_printf(out, "always evaluated: %s", rule->reason);
	if (rule->standing != GUIA_STANDING_CANDIDATE)
		return;
	const char *separator = "";
	if (rule->scanned_targets > 0) {
		buffer_text(out, rule->inexact_targets > 0 ? "asked by scan, hits confirmed" : "asked by scan");
		separator = "; ";
	}
	if (rule->asked_targets > 0)
		buffer_printf(out, "%sasked by %s for each value", separator, rule->pcre2 ? "PCRE2" : "its operator");
	if (rule->scanned_targets + rule->asked_targets == 0)
		buffer_text(out, "asked by a count");
}

/* ---- for a person ---- */

static void add_stages(const struct timing_report *report, struct buffer *out)
{
	struct guia_profile_stage first;
	struct guia_profile_stage rest;
	uint64_t whole = all_ns(report->rest);
	buffer_printf(out, "\n%-40s %9s %9s %6s\n", "stage, us a request", "first run", "then", "share");
	for (size_t i = 0; guia_profile_stage_at(report->rest, i, &rest); i++) {
		if (!guia_profile_stage_at(report->first, i, &first) || first.count + rest.count == 0)
			continue;
		char name[64];
		snprintf(name, sizeof(name), "%s: %s", part_names[rest.part], rest.name);
		buffer_printf(out, "%-40s %9.2f %9.2f %5.1f%%", name, us(first.ns, report->first),
			      us(rest.ns, report->rest), share(rest.ns, whole));
		if (rest.part == GUIA_PROFILE_CANDIDATES)
			buffer_printf(out, "  %.1f values, %.0f%% known, %.1f scans, %.1f questions",
				      often(rest.count, report->rest), share(rest.known, rest.count),
				      often(rest.scans, report->rest), often(rest.questions, report->rest));
		buffer_byte(out, '\n');
	}
}

static void add_rule(const struct timing_report *report, const struct guia_profile_rule *rule, struct buffer *out)
{
	uint64_t times = rule->evaluations + rule->questions;
	buffer_printf(out, "%-10" PRId64 " %5u %9.2f %9.2f %9.2f %9.0f %9.3f %5.1f%%\n", rule->id, rule->phase,
		      often(rule->evaluations, report->rest), often(rule->matches, report->rest),
		      often(rule->questions, report->rest), times == 0 ? 0 : (double)cost_of(rule) / (double)times,
		      us(cost_of(rule), report->rest), share(cost_of(rule), all_ns(report->rest)));
	buffer_text(out, "           ");
	text_add_terminal(out, slice_from_string(rule->file));
	buffer_printf(out, ":%u; ", rule->line);
	add_how(rule, out);
	buffer_byte(out, '\n');
}

static void add_rules(const struct timing_report *report, const struct rules *rules, struct buffer *out)
{
	buffer_printf(out, "\n%-10s %5s %9s %9s %9s %9s %9s %6s\n", "rule", "phase", "evaluated", "matched", "asked",
		      "mean ns", "us", "share");
	for (size_t i = 0; i < rules->shown; i++)
		add_rule(report, &rules->items[i], out);
	if (rules->shown < rules->count && !report->timing->all)
		buffer_printf(out, "and %zu more rules: --all\n", rules->count - rules->shown);
}

static size_t count_standing(const struct rules *rules, enum guia_standing standing)
{
	size_t count = 0;
	for (size_t i = 0; i < rules->count; i++)
		count += rules->items[i].standing == standing;
	return count;
}

static void add_ids(const struct timing_report *report, const struct rules *rules, const char *reason,
		    struct buffer *out)
{
	size_t count = 0;
	struct buffer ids = buffer_make(NULL);
	for (size_t i = 0; i < rules->count; i++) {
		const struct guia_profile_rule *rule = &rules->items[i];
		bool meant = reason == NULL
				     ? rule->standing == GUIA_STANDING_CANDIDATE && rule->pcre2
				     : rule->standing == GUIA_STANDING_ALWAYS && strcmp(rule->reason, reason) == 0;
		if (meant && (count++ < IDS_SHOWN || report->timing->all))
			buffer_printf(&ids, " %" PRId64, rule->id);
	}
	if (count > 0) {
		buffer_printf(out, "  %zu %s:%.*s%s\n", count,
			      reason == NULL ? "asked by PCRE2 for each value" : reason, SLICE_ARG(buffer_slice(&ids)),
			      count > IDS_SHOWN && !report->timing->all ? " ..." : "");
	}
	buffer_free(&ids);
}

/* Whether an earlier rule has the reason too: each is told once. */
static bool is_told(const struct rules *rules, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (rules->items[i].standing == GUIA_STANDING_ALWAYS &&
		    strcmp(rules->items[i].reason, rules->items[index].reason) == 0)
			return true;
	return false;
}

static void add_standings(const struct timing_report *report, const struct rules *rules, struct buffer *out)
{
	buffer_printf(out,
		      "\nof %zu rules %zu are settled at load (%zu never match, %zu always do), %zu are evaluated for\n"
		      "their candidates only, %zu always\n",
		      rules->count,
		      count_standing(rules, GUIA_STANDING_NEVER) + count_standing(rules, GUIA_STANDING_SETTLED),
		      count_standing(rules, GUIA_STANDING_NEVER), count_standing(rules, GUIA_STANDING_SETTLED),
		      count_standing(rules, GUIA_STANDING_CANDIDATE), count_standing(rules, GUIA_STANDING_ALWAYS));
	add_ids(report, rules, NULL, out);
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].standing == GUIA_STANDING_ALWAYS && !is_told(rules, i))
			add_ids(report, rules, rules->items[i].reason, out);
}

void timing_report_text(const struct timing_report *report, struct buffer *out)
{
	struct rules rules = rules_of(report, report->rest, out);
	buffer_printf(
		out,
		"%zu %s: %.1f us for a first run, %.1f us then (the clocks below make that %.1f), means a request\n",
		report->timing->request_count, report->timing->request_count == 1 ? "request" : "requests",
		per_request(report, report->first_total), per_request(report, report->plain_total),
		per_request(report, report->rest_total));
	add_stages(report, out);
	add_rules(report, &rules, out);
	add_standings(report, &rules, out);
	rules_free(&rules);
}

/* ---- for a program ---- */

static void json_stages(const struct guia_profile *profile, struct buffer *out)
{
	struct guia_profile_stage stage;
	const char *separator = "";
	buffer_text(out, "\"stages\":[");
	for (size_t i = 0; guia_profile_stage_at(profile, i, &stage); i++) {
		if (stage.count == 0)
			continue;
		buffer_printf(out, "%s{\"part\":\"%s\",\"name\":\"%s\",\"count\":%" PRIu64 ",\"ns\":%" PRIu64,
			      separator, part_names[stage.part], stage.name, stage.count, stage.ns);
		if (stage.part == GUIA_PROFILE_CANDIDATES)
			buffer_printf(out, ",\"known\":%" PRIu64 ",\"scans\":%" PRIu64 ",\"questions\":%" PRIu64,
				      stage.known, stage.scans, stage.questions);
		buffer_byte(out, '}');
		separator = ",";
	}
	buffer_byte(out, ']');
}

static void json_rule(const struct guia_profile_rule *rule, struct buffer *out)
{
	buffer_printf(out, "{\"id\":%" PRId64 ",\"phase\":%u,\"line\":%u,\"file\":", rule->id, rule->phase, rule->line);
	text_add_json(out, slice_from_string(rule->file));
	buffer_printf(out, ",\"standing\":\"%s\",\"reason\":", standing_of(rule));
	text_add_json(out, slice_from_string(rule->reason));
	buffer_printf(out,
		      ",\"scanned_targets\":%u,\"inexact_targets\":%u,\"asked_targets\":%u,\"pcre2\":%s"
		      ",\"evaluations\":%" PRIu64 ",\"matches\":%" PRIu64 ",\"evaluation_ns\":%" PRIu64
		      ",\"questions\":%" PRIu64 ",\"question_ns\":%" PRIu64 "}",
		      rule->scanned_targets, rule->inexact_targets, rule->asked_targets, rule->pcre2 ? "true" : "false",
		      rule->evaluations, rule->matches, rule->evaluation_ns, rule->questions, rule->question_ns);
}

static void json_run(const struct timing_report *report, const char *name, const struct guia_profile *profile,
		     struct timing_total total, struct buffer *out)
{
	struct rules rules = rules_of(report, profile, out);
	buffer_printf(out, ",\"%s\":{\"rounds\":%" PRIu64 ",\"ns\":%" PRIu64 ",", name, total.rounds, total.ns);
	json_stages(profile, out);
	buffer_text(out, ",\"rules\":[");
	for (size_t i = 0; i < rules.shown; i++) {
		buffer_text(out, i > 0 ? "," : "");
		json_rule(&rules.items[i], out);
	}
	buffer_text(out, "]}");
	rules_free(&rules);
}

void timing_report_json(const struct timing_report *report, struct buffer *out)
{
	buffer_printf(out, "{\"requests\":%zu,\"plain\":{\"rounds\":%" PRIu64 ",\"ns\":%" PRIu64 "}",
		      report->timing->request_count, report->plain_total.rounds, report->plain_total.ns);
	json_run(report, "first", report->first, report->first_total, out);
	json_run(report, "rest", report->rest, report->rest_total, out);
	buffer_text(out, "}\n");
}
