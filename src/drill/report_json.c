/* report_json() of report.h. The fields are told of in docs/drill.md. */
#include "drill/report.h"

#include <math.h>

static const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_NONE] = "unsent",     [OUTCOME_ANSWERED] = "answered", [OUTCOME_COPY] = "copy",
	[OUTCOME_REFUSED] = "refused", [OUTCOME_FOREIGN] = "foreign",   [OUTCOME_CLOSED] = "closed",
	[OUTCOME_LATE] = "late",
};

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *span_json(const struct span *span)
{
	json_t *json = json_pack("{s:I, s:o, s:o, s:o, s:o}", "asked", (json_int_t)span->asked, "answered_percent",
				 number(span->answered_percent), "copies_percent", number(span->copies_percent),
				 "p50_ms", number(span->p50_ms), "p99_ms", number(span->p99_ms));
	for (size_t i = 0; json != NULL && i < OUTCOMES; i++)
		json_object_set_new(json, outcome_names[i], json_integer((json_int_t)span->outcomes[i]));
	return json;
}

static json_t *second_json(const struct record *record, size_t second)
{
	struct span span = {0};
	const struct attack_second *attack = &record->attack[second];
	const struct origin_second *origin = &record->origin[second];
	const struct choice choice = {.from_ns = (int64_t)second * 1000000000,
				      .to_ns = (int64_t)(second + 1) * 1000000000};
	(void)span_of(record, &choice, &span);
	return json_pack("{s:I, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "second", (json_int_t)second,
			 "residents", span_json(&span), "attack_offered", (int)attack->offered, "attack_sent",
			 (int)attack->sent, "attack_connecting", (int)attack->tried, "attack_written",
			 (int)attack->written, "attack_answered", (int)attack->outcomes[OUTCOME_ANSWERED],
			 "attack_refused", (int)attack->outcomes[OUTCOME_REFUSED], "attack_connections",
			 (int)attack->open, "origin_residents", (int)origin->residents, "origin_attackers",
			 (int)origin->attackers, "origin_waiting", (int)origin->longest);
}

static json_t *run_json(const struct figures *f, const struct record *record, const struct run_plan *plan)
{
	json_t *seconds = json_array();
	for (size_t i = 0; i < run_plan_end_ms(plan) / 1000 && i < RECORD_SECONDS; i++)
		json_array_append_new(seconds, second_json(record, i));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:o}",
			 "quiet", span_json(&f->quiet), "attack", span_json(&f->attack), "held", span_json(&f->held),
			 "after", span_json(&f->after), "onset_s", number(f->onset_s), "restored_s",
			 number(f->restored_s), "offered_per_second", number(f->offered_per_second), "sent_per_second",
			 number(f->sent_per_second), "connecting_per_second", number(f->connecting_per_second),
			 "written_per_second", number(f->written_per_second), "received_per_second",
			 number(f->received_per_second), "reached_percent", number(f->reached_percent), "late_p99_ms",
			 number(f->late_p99_ms), "crowd_busy_percent", number(f->crowd_busy_percent),
			 "origin_busy_percent", number(f->origin_busy_percent), "guests", span_json(&f->guests),
			 "guests_held", span_json(&f->guests_held), "packet_ns", number(f->packet_ns), "lost_percent",
			 number(f->lost_percent), "stopped_percent", number(f->stopped_percent), "stopped_s",
			 number(f->stopped_s), "asked_s", number(f->asked_s), "forged", span_json(&f->forged),
			 "seconds", seconds);
}

static json_t *line_json(const struct judge_line *line, const struct pair *pair)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:b}", "name", line->name, "title", line->title, "value",
			 number(line->value(pair)), line->at_least ? "at_least" : "at_most", number(line->bound(pair)),
			 "met", judge_meets(line, pair));
}

static json_t *lines_json(const struct judge_line *lines, size_t count, const struct pair *pair)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		if (lines[i].asked(pair))
			json_array_append_new(list, line_json(&lines[i], pair));
	return list;
}

static json_t *account_json(const struct account *account)
{
	if (account == NULL)
		return json_null();
	json_t *seconds = json_array();
	for (size_t i = 0; i < ACCOUNT_SECONDS; i++)
		if (account->seconds[i].told)
			json_array_append_new(seconds, json_pack("{s:I, s:o, s:o}", "second", (json_int_t)i, "asked",
								 number(account->seconds[i].asked), "answered",
								 number(account->seconds[i].answered)));
	json_t *floods = json_object();
	for (size_t i = 0; i < ACCOUNT_FLOODS; i++)
		json_object_set_new(floods, account_flood_names[i],
				    json_pack("{s:o, s:o, s:o}", "detected_s", number(account->floods[i].detected_s),
					      "held_s", number(account->floods[i].held_s), "over_s",
					      number(account->floods[i].over_s)));
	return json_pack("{s:o, s:o, s:o, s:i, s:s, s:o, s:o}", "detected_s", number(account->detected_s),
			 "mitigated_s", number(account->mitigated_s), "hits", number(account->hits), "changes",
			 (int)account->changes, "refused", account->what, "floods", floods, "seconds", seconds);
}

json_t *report_json(const struct report *report)
{
	const struct pair *pair = report->pair;
	const struct run_plan *plan = pair->plan;
	struct buffer tells = buffer_make(NULL);
	tells_describe(report->tells, &tells);
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:b, s:I, s:s%, s:o, s:o, s:o, s:o, s:o}", "name",
			  plan->shape->name, "title", plan->shape->title, "verdict", verdict_names[report->verdict],
			  "brief", plan->brief, "quiet_ms", (json_int_t)plan->quiet_ms, "attack_ms",
			  (json_int_t)plan->attack_ms, "after_ms", (json_int_t)plan->after_ms, "attacks_per_second",
			  (json_int_t)plan->attacks_per_second, "lightened", plan->lightened, "gate_takes_per_second",
			  (json_int_t)plan->gate_takes, "tells", tells.ptr != NULL ? (const char *)tells.ptr : "",
			  tells.len, "conditions", lines_json(judge_conditions, judge_condition_count, pair), "lines",
			  lines_json(judge_lines, judge_line_count, pair), "without",
			  run_json(&pair->without, report->without, plan), "with",
			  run_json(&pair->with, report->with, plan), "told", account_json(pair->account));
	buffer_free(&tells);
	return json;
}
