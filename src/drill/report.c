/*
 * The text, in this order: a timeline of both runs side by side, what Guia itself told, the judge's rows, or of a void
 * pair the conditions that it misses, and the verdict. JSON is report_json.c's.
 */
#include "drill/report.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>

/* Seconds of the attack that get a line of their own, to the end of each. */
static const uint32_t marks[] = {0, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60};

struct row {
	char label[24];
	int64_t from_ms;
	int64_t to_ms;
};

static double per_second(const struct record *record, const struct row *row)
{
	double sum = 0;
	int64_t seconds = 0;
	for (int64_t ms = row->from_ms; ms < row->to_ms; ms += 1000, seconds++)
		sum += record->attack[record_second(ms * 1000000)].sent;
	return seconds > 0 ? sum / (double)seconds : 0;
}

static void add_cells(const struct record *record, const struct row *row, struct buffer *out)
{
	struct span span;
	const struct choice choice = {.from_ns = row->from_ms * 1000000, .to_ns = row->to_ms * 1000000};
	if (span_of(record, &choice, &span) != 0 || span.asked == 0) {
		buffer_printf(out, "%40s", "-");
		return;
	}
	buffer_printf(out, "%9.0f%9.1f%7.1f", per_second(record, row), span.answered_percent, span.copies_percent);
	if (span.outcomes[OUTCOME_ANSWERED] > 0)
		buffer_printf(out, "%7.0f%8.0f", span.p50_ms, span.p99_ms);
	else
		buffer_printf(out, "%7s%8s", "-", "-");
}

static void add_row(const struct report *report, const struct row *row, struct buffer *out)
{
	buffer_printf(out, "  %-12s", row->label);
	add_cells(report->without, row, out);
	buffer_text(out, " |");
	add_cells(report->with, row, out);
	buffer_byte(out, '\n');
}

static void add_timeline(const struct report *report, struct buffer *out)
{
	const struct run_plan *plan = report->pair->plan;
	int64_t quiet = plan->quiet_ms, over = quiet + plan->attack_ms;
	buffer_printf(out, "  %-12s%40s |%40s\n  %-12s", "", "without Guia", "with Guia", "");
	for (int i = 0; i < 2; i++)
		buffer_printf(out, "%9s%9s%7s%7s%8s%s", "attack/s", "served %", "copy %", "p50 ms", "p99 ms",
			      i == 0 ? " |" : "\n");
	add_row(report, &(struct row){"quiet", 1000, quiet}, out);
	for (size_t i = 0; i + 1 < sizeof(marks) / sizeof(marks[0]); i++) {
		struct row row = {.from_ms = quiet + marks[i] * 1000, .to_ms = quiet + marks[i + 1] * 1000};
		if (row.from_ms >= over)
			break;
		if (row.to_ms > over)
			row.to_ms = over;
		snprintf(row.label, sizeof(row.label), "%u to %u s", marks[i], (unsigned)((row.to_ms - quiet) / 1000));
		add_row(report, &row, out);
	}
	add_row(report, &(struct row){"afterwards", over, run_plan_end_ms(plan)}, out);
}

static void add_value(double value, const char *unit, struct buffer *out)
{
	const char *space = unit[0] != '\0' ? " " : "";
	if (isnan(value))
		buffer_text(out, "never");
	else
		buffer_printf(out, value >= 1000 ? "%.0f%s%s" : "%.4g%s%s", value, space, unit);
}

static void add_line(const struct judge_line *line, const struct pair *pair, struct buffer *out)
{
	buffer_printf(out, "  %s %s: ", judge_meets(line, pair) ? "yes" : "NO ", line->title);
	add_value(line->value(pair), line->unit, out);
	buffer_printf(out, " (at %s ", line->at_least ? "least" : "most");
	add_value(line->bound(pair), line->unit, out);
	buffer_text(out, ")\n");
}

static void add_moment(double at_s, const char *what, struct buffer *out)
{
	if (isnan(at_s))
		buffer_printf(out, "  never: %s\n", what);
	else
		buffer_printf(out, "  %.1f s after the onset: %s\n", at_s, what);
}

static bool has_requests(const struct pair *pair)
{
	return pair->plan->attacks_per_second > 0 && pair->plan->shape->volley.kind == PACKET_NONE;
}

static void add_link(const struct pair *pair, struct buffer *out)
{
	double onset_s = pair->with.onset_s;
	if (pair->account != NULL)
		add_moment(pair->account->full_s - onset_s, "Guia says that the link is full", out);
	if (pair->plan->shape->dark && pair->account != NULL)
		add_moment(pair->account->dark_s - onset_s, "and that no operator can be asked", out);
	add_moment(pair->with.asked_s - onset_s,
		   "what it asked is in the operator's table, and dropped ahead of the link", out);
	buffer_byte(out, '\n');
}

/* A connection that is begun for a request and not let in is a part of the attack, as one that bears it. */
static void add_sent(const struct pair *pair, struct buffer *out)
{
	const struct figures *runs[] = {&pair->without, &pair->with};
	if (!has_requests(pair))
		return;
	for (size_t i = 0; i < 2; i++)
		buffer_printf(out,
			      "  %s Guia %.0f of %.0f a second were sent: %.0f requests written, %.0f connections "
			      "begun\n",
			      i == 0 ? "without" : "with", runs[i]->sent_per_second, runs[i]->offered_per_second,
			      runs[i]->written_per_second, runs[i]->connecting_per_second);
	buffer_byte(out, '\n');
}

static void add_told_flood(const struct pair *pair, struct buffer *out)
{
	for (size_t i = 0; pair->account != NULL && i < ACCOUNT_FLOODS; i++) {
		const struct account_flood *flood = &pair->account->floods[i];
		if (isnan(flood->detected_s))
			continue;
		buffer_printf(out, "  Guia: a flood of packets (%s) detected %.1f s after the onset",
			      account_flood_names[i], flood->detected_s - pair->with.onset_s);
		if (!isnan(flood->held_s))
			buffer_printf(out, ", held after %.1f s", flood->held_s - pair->with.onset_s);
		if (!isnan(flood->over_s))
			buffer_printf(out, ", over after %.1f s", flood->over_s - pair->with.onset_s);
		buffer_byte(out, '\n');
	}
}

/* In Guia's own words. */
static void add_account(const struct pair *pair, struct buffer *out)
{
	const struct account *account = pair->account;
	add_sent(pair, out);
	add_told_flood(pair, out);
	if (pair->plan->shape->link_mbit > 0)
		add_link(pair, out);
	else if (pair->plan->shape->volley.kind != PACKET_NONE)
		buffer_printf(out,
			      "  the edge stopped the first packet %.1f s after the onset, and %.1f %% of them\n"
			      "  a packet cost the gate's processor %.0f ns, without Guia %.0f ns\n"
			      "  the gate's card had no room for %.1f %% of them, without Guia %.1f %%\n\n",
			      pair->with.stopped_s - pair->with.onset_s, pair->with.stopped_percent,
			      pair->with.packet_ns, pair->without.packet_ns, pair->with.lost_percent,
			      pair->without.lost_percent);
	if (account == NULL || isnan(account->detected_s))
		return;
	buffer_printf(out, "  Guia: detected %.1f s after the onset", account->detected_s - pair->with.onset_s);
	if (!isnan(account->mitigated_s))
		buffer_printf(out, ", mitigated after %.1f s, %.0f requests refused by it",
			      account->mitigated_s - pair->with.onset_s, account->hits);
	buffer_byte(out, '\n');
	if (account->what[0] != '\0')
		buffer_printf(out, "  refused: %s\n", account->what);
	buffer_byte(out, '\n');
}

static void add_lines(const struct report *report, struct buffer *out)
{
	const struct pair *pair = report->pair;
	for (size_t i = 0; report->verdict == VERDICT_VOID && i < judge_condition_count; i++)
		if (judge_conditions[i].asked(pair) && !judge_meets(&judge_conditions[i], pair))
			add_line(&judge_conditions[i], pair, out);
	for (size_t i = 0; report->verdict != VERDICT_VOID && i < judge_line_count; i++)
		if (judge_lines[i].asked(pair))
			add_line(&judge_lines[i], pair, out);
}

static void add_verdict(const struct report *report, struct buffer *out)
{
	double without = report->pair->without.attack.answered_percent,
	       with = report->pair->with.attack.answered_percent;
	buffer_printf(out, "  %s: ", verdict_names[report->verdict]);
	if (report->verdict == VERDICT_VOID)
		buffer_text(out, "nothing can be said of this shape; what voided the runs is above\n");
	else
		buffer_printf(out, "%.1f %% of visitors' requests were answered without Guia, %.1f %% with it%s\n",
			      without, with,
			      report->verdict == VERDICT_HARMLESS ? "; an attack that does no harm proves nothing"
								  : "");
}

void report_text(const struct report *report, struct buffer *out)
{
	const struct run_plan *plan = report->pair->plan;
	buffer_printf(out, "%s: %s\n  %u requests a second of %zu residents", plan->shape->name, plan->shape->title,
		      plan->residents_per_second, plan->census.residents.count);
	if (plan->census.guests.count > 0)
		buffer_printf(out, "\n  %u a second of %zu guests: %s", plan->guests_per_second,
			      plan->census.guests.count, plan->shape->guests.title);
	if (plan->shape->volley.kind != PACKET_NONE)
		buffer_printf(out, "\n  %u packets a second, from %zu attackers and many more who are forged",
			      plan->attacks_per_second, plan->census.attackers.count);
	else if (plan->attacks_per_second > 0)
		buffer_printf(out, "\n  %u a second from %zu attackers%s", plan->attacks_per_second,
			      plan->census.attackers.count,
			      plan->lightened ? ", as many as this machine can send" : "");
	if (plan->gate_takes > 0)
		buffer_printf(out, "\n  %.1f times what the gate takes in without Guia, %u a second",
			      (double)plan->attacks_per_second / plan->gate_takes, plan->gate_takes);
	if (report->tells->set != 0) {
		buffer_text(out, ", given away by ");
		tells_describe(report->tells, out);
	}
	buffer_text(out, "\n\n");
	add_timeline(report, out);
	buffer_byte(out, '\n');
	add_account(report->pair, out);
	add_lines(report, out);
	add_verdict(report, out);
	buffer_byte(out, '\n');
}
