/*
 * Columns for a terminal. Names and texts are of anyone's making: they go through text_add_terminal(). Of a long
 * timeline only both ends are shown.
 */
#include "cli/incident_text.h"

#include "cli/incident_json.h"
#include "codec/text.h"
#include "watch/ranking.h"
#include "wire/finding.h"

#include <inttypes.h>
#include <time.h>

enum { TALLIES = 8, NAME_COLUMNS = 36 };

/* "2024-07-10 20:00:00.123"; "" for what is not known. */
static void add_time(struct buffer *out, uint64_t at_ms)
{
	char when[32] = "";
	struct tm parts;
	time_t seconds = (time_t)(at_ms / 1000);
	if (at_ms == 0 || gmtime_r(&seconds, &parts) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &parts) == 0)
		return;
	buffer_printf(out, "%s.%03u", when, (unsigned)(at_ms % 1000));
}

static void add_duration(struct buffer *out, uint64_t ms)
{
	if (ms < 60 * 1000)
		buffer_printf(out, "%.1f s", (double)ms / 1000);
	else if (ms < 60 * 60 * 1000)
		buffer_printf(out, "%.1f min", (double)ms / 60000);
	else
		buffer_printf(out, "%.1f h", (double)ms / 3600000);
}

static uint64_t last_ms(const struct case_record *record)
{
	uint64_t last = record->over_ms != 0 ? record->over_ms : record->opened_ms;
	for (size_t i = 0; i < record->site_count; i++)
		if (record->over_ms == 0 && record->sites[i].until_ms > last)
			last = record->sites[i].until_ms;
	return last;
}

static void add_name(struct buffer *out, const char *name, unsigned columns)
{
	struct buffer text = buffer_make(NULL);
	text_add_terminal(&text, slice_from_string(name[0] != '\0' ? name : "(no site)"));
	buffer_printf(out, "%-*.*s", (int)columns, (int)(text.len < columns ? text.len : columns),
		      text.len > 0 ? (const char *)text.ptr : "");
	buffer_free(&text);
}

static void add_percent(struct buffer *out, const struct case_visitors *visitors)
{
	if (visitors->asked >= CASE_VISITORS_TELL)
		buffer_printf(out, "%.1f %%", (double)visitors->answered * 100 / (double)visitors->asked);
	else
		buffer_text(out, "not known");
}

/* ---- the list ---- */

void incident_list_begin(struct incident_list *list)
{
	if (list->json)
		buffer_text(list->out, "[");
}

static void add_row(struct buffer *out, const struct case_record *record)
{
	struct buffer lasted = buffer_make(NULL), served = buffer_make(NULL);
	struct case_requests sums = case_record_sums(record);
	struct case_visitors visitors = case_record_visitors(record);
	uint64_t last = last_ms(record);
	add_duration(&lasted, last > record->onset_ms ? last - record->onset_ms : 0);
	add_percent(&served, &visitors);
	buffer_printf(out, "%6" PRIu64 "  %-9s  ", record->id, case_kind_name(record->kind));
	add_time(out, record->onset_ms);
	buffer_printf(out, "  %-9.*s %-9s %5zu  %-10.*s %12" PRIu64 "\n", SLICE_ARG(buffer_slice(&lasted)),
		      case_phase_name(record->phase), record->site_count, SLICE_ARG(buffer_slice(&served)),
		      case_requests_refused(&sums));
	buffer_free(&lasted);
	buffer_free(&served);
}

bool incident_list_row(void *context, const struct case_record *record)
{
	struct incident_list *list = context;
	if (list->json) {
		buffer_text(list->out, list->rows > 0 ? ",\n{" : "\n{");
		incident_add_json_members(record, list->out);
		buffer_text(list->out, "}");
	} else {
		if (list->rows == 0)
			buffer_printf(list->out, "%6s  %-9s  %-23s  %-9s %-9s %5s  %-10s %12s\n", "number", "kind",
				      "onset (UTC)", "lasted", "phase", "sites", "visitors", "refused");
		add_row(list->out, record);
	}
	list->rows++;
	return true;
}

void incident_list_end(struct incident_list *list)
{
	if (list->json)
		buffer_text(list->out, "\n]\n");
	else if (list->rows == 0)
		buffer_text(list->out, "No incident is on record.\n");
}

/* ---- one, in words ---- */

static void add_after(struct buffer *out, const char *what, uint64_t at_ms, const struct case_record *record)
{
	buffer_printf(out, "  %-10s ", what);
	add_time(out, at_ms);
	if (at_ms == 0)
		buffer_text(out, record->over_ms == 0 ? "not yet" : "not while it was on");
	else if (at_ms > record->onset_ms) {
		buffer_text(out, "  after ");
		add_duration(out, at_ms - record->onset_ms);
	}
	buffer_byte(out, '\n');
}

static void add_sites(struct buffer *out, const struct case_record *record)
{
	buffer_printf(out, "\n%-*s %10s %10s %10s %10s %10s  %s\n", NAME_COLUMNS, "site", "passed", "blocked",
		      "limited", "signature", "no slot", "visitors answered");
	for (size_t i = 0; i < record->site_count; i++) {
		const struct case_site *site = &record->sites[i];
		add_name(out, site->name, NAME_COLUMNS);
		buffer_printf(out, " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  ",
			      site->sums.passed, site->sums.blocked, site->sums.limited, site->sums.signature,
			      site->sums.crowded_out);
		add_percent(out, &site->visitors);
		if (site->worst_percent < 100)
			buffer_printf(out, ", at worst %u %%", site->worst_percent);
		buffer_byte(out, '\n');
	}
}

static void add_mitigations(struct buffer *out, const struct case_record *record)
{
	if (record->mitigation_count > 0)
		buffer_text(out, "\nwhat was in force, and how much it refused\n");
	for (size_t i = 0; i < record->mitigation_count; i++) {
		const struct case_mitigation *mitigation = &record->mitigations[i];
		buffer_printf(out, "%12" PRIu64 "  %" PRIu32 " ", mitigation->hits, mitigation->id);
		text_add_terminal(out, slice_from_string(mitigation->kind));
		buffer_text(out, " at ");
		text_add_terminal(out, slice_from_string(record->sites[mitigation->site].name));
		buffer_text(out, mitigation->what[0] != '\0' ? ": " : "");
		text_add_terminal(out, slice_from_string(mitigation->what));
		buffer_byte(out, '\n');
	}
}

static void add_packets(struct buffer *out, const struct case_record *record)
{
	for (enum packet_flood_kind kind = 0; kind < PACKET_FLOODS; kind++) {
		const struct case_packets *packets = &record->packets[kind];
		if (packets->onset_ms == 0)
			continue;
		buffer_printf(out, "\npackets: %s: %" PRIu64 ", at its worst %.0f a second, %s\n  ",
			      packet_flood_text(kind), packets->packets, packets->peak,
			      packets->on && !packets->held ? "not held" : "held");
		add_time(out, packets->onset_ms);
		buffer_text(out, " to ");
		add_time(out, packets->until_ms);
		if (packets->traits.sampled == 0) {
			buffer_byte(out, '\n');
			continue;
		}
		buffer_text(out, "\n  to ");
		text_add_terminal(out, slice_from_string(packets->traits.destinations));
		buffer_text(out, "; ");
		text_add_terminal(out, slice_from_string(packets->traits.ports));
		buffer_text(out, ", from ");
		text_add_terminal(out, slice_from_string(packets->traits.from_ports));
		buffer_printf(out, "\n  networks they say they come from (may be forged), of %" PRIu32 ": ",
			      packets->traits.network_count);
		text_add_terminal(out, slice_from_string(packets->traits.networks));
		buffer_byte(out, '\n');
	}
}

static bool entry_add(void *context, const struct case_entry *entry, uint64_t left_out)
{
	struct buffer *out = context;
	if (left_out > 0)
		buffer_printf(out, "  ... %" PRIu64 " lines in between: --json has all\n", left_out);
	buffer_text(out, "  ");
	add_time(out, entry->at_ms);
	buffer_printf(out, "  %-6s  ", case_entry_kind_name(entry->kind));
	text_add_terminal(out, slice_from_string(entry->text));
	buffer_byte(out, '\n');
	return true;
}

struct tallies {
	struct buffer *out;
	const char *title; /* NULL: it is said */
};

static bool tally_add(void *context, const struct case_tally *tally)
{
	struct tallies *tallies = context;
	if (tallies->title != NULL)
		buffer_printf(tallies->out, "\n%s, by requests\n", tallies->title);
	tallies->title = NULL;
	buffer_printf(tallies->out, "%12.0f  ", tally->requests);
	text_add_terminal(tallies->out, slice_from_string(tally->key));
	buffer_byte(tallies->out, '\n');
	return true;
}

/* The names of what is set in a mask. */
static void add_names(struct buffer *out, uint32_t mask, unsigned count, const char *(*name)(unsigned))
{
	bool any = false;
	for (unsigned i = 0; i < count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		buffer_printf(out, "%s%s", any ? ", " : "", name(i));
		any = true;
	}
}

static const char *kind_name(unsigned kind)
{
	return case_kind_name((enum case_kind)kind);
}

static void add_actor(struct buffer *out, const struct case_actor *actor)
{
	buffer_printf(out,
		      "  from %" PRIu64 " %s, grouped by network, tool and what they asked for: %" PRIu64
		      " requests of note",
		      actor->sources, actor->sources == 1 ? "address" : "addresses", actor->findings);
	if (actor->missing > 0)
		buffer_printf(out, ", %" PRIu64 " for what is not there", actor->missing);
	buffer_printf(out, ", of about %" PRIu64 " path%s\n  it came to: ", actor->paths, actor->paths == 1 ? "" : "s");
	add_names(out, actor->kinds, CASE_KINDS, kind_name);
	if (actor->classes != 0)
		buffer_text(out, "; classes: ");
	add_names(out, actor->classes, FINDING_CLASSES, finding_class_name);
	buffer_byte(out, '\n');
}

static void add_worst(struct buffer *out, const struct case_record *record)
{
	struct case_visitors visitors = case_record_visitors(record);
	buffer_printf(out, "  at its worst %.0f requests a second", record->peak);
	if (record->kind == CASE_FLOOD) {
		buffer_text(out, "; visitors answered (estimate): ");
		add_percent(out, &visitors);
	}
	buffer_byte(out, '\n');
}

int incident_add_text(struct case_store *store, const struct case_record *record, struct buffer *out)
{
	struct case_actor actor;
	buffer_printf(out, "incident %" PRIu64 ": %s, %s", record->id, case_kind_name(record->kind),
		      case_phase_name(record->phase));
	if (record->reopened > 0)
		buffer_printf(out, ", back %" PRIu32 " time%s", record->reopened, record->reopened == 1 ? "" : "s");
	buffer_text(out, "\n");
	add_after(out, "onset", record->onset_ms, record);
	add_after(out, "detected", record->opened_ms, record);
	add_after(out, "held", record->held_ms, record);
	if (record->kind == CASE_FLOOD)
		add_after(out, "restored", record->restored_ms, record);
	add_after(out, "over", record->over_ms, record);
	add_worst(out, record);
	int r = record->kind == CASE_FLOOD ? CASE_STORE_NONE : case_store_actor(store, record->id, &actor);
	if (r == 0)
		add_actor(out, &actor);
	add_sites(out, record);
	add_mitigations(out, record);
	add_packets(out, record);
	buffer_text(out, "\ntimeline (UTC)\n");
	r = r != 0 && r != CASE_STORE_NONE ? r : case_store_entry_ends(store, record->id, entry_add, out);
	for (enum ranking_dimension i = 0; i < RANKING_DIMENSIONS && r == 0; i++) {
		struct tallies tallies = {out, ranking_dimension_name(i)};
		r = case_store_tallies(store, record->id, tallies.title, TALLIES, tally_add, &tallies);
	}
	return r;
}
