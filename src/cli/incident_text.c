#include "cli/incident_text.h"

#include "codec/text.h"
#include "wire/finding.h"

#include <inttypes.h>
#include <time.h>

enum { TALLIES = 8, NAME_COLUMNS = 36 };

static const char *const dimensions[] = {"source", "network", "operator", "country", "path", "agent", "rule"};

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

static void add_fields(struct buffer *out, const struct case_record *record);

bool incident_list_row(void *context, const struct case_record *record)
{
	struct incident_list *list = context;
	if (list->json) {
		buffer_text(list->out, list->rows > 0 ? ",\n{" : "\n{");
		add_fields(list->out, record);
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

static bool entry_add(void *context, const struct case_entry *entry)
{
	struct buffer *out = context;
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
	r = r != 0 && r != CASE_STORE_NONE ? r : case_store_entries(store, record->id, entry_add, out);
	for (size_t i = 0; i < sizeof(dimensions) / sizeof(dimensions[0]) && r == 0; i++) {
		struct tallies tallies = {out, dimensions[i]};
		r = case_store_tallies(store, record->id, dimensions[i], TALLIES, tally_add, &tallies);
	}
	return r;
}

/* ---- JSON ---- */

static void add_number(struct buffer *out, const char *name, uint64_t number)
{
	buffer_printf(out, "%s\"%s\":%" PRIu64, out->len > 0 && out->ptr[out->len - 1] != '{' ? "," : "", name, number);
}

static void add_requests(struct buffer *out, const struct case_requests *requests)
{
	add_number(out, "passed", requests->passed);
	add_number(out, "copies", requests->copies);
	add_number(out, "blocked", requests->blocked);
	add_number(out, "limited", requests->limited);
	add_number(out, "signature", requests->signature);
	add_number(out, "no_slot", requests->crowded_out);
	add_number(out, "other", requests->other);
}

static void add_visitors(struct buffer *out, const struct case_visitors *visitors)
{
	add_number(out, "visitors_asked", visitors->asked);
	add_number(out, "visitors_answered", visitors->answered);
}

static void add_site_json(struct buffer *out, const struct case_site *site)
{
	struct case_visitors visitors = {site->visitors.asked / CASE_VISITORS_SECONDS,
					 site->visitors.answered / CASE_VISITORS_SECONDS};
	buffer_text(out, "{\"site\":");
	text_add_json(out, slice_from_string(site->name));
	add_number(out, "onset_ms", site->onset_ms);
	add_number(out, "held_ms", site->held_ms);
	add_number(out, "restored_ms", site->restored_ms);
	add_number(out, "until_ms", site->until_ms);
	buffer_printf(out, ",\"attacked\":%s,\"nature\":\"%s\"", site->attacked ? "true" : "false",
		      traffic_nature_name(site->nature));
	add_requests(out, &site->sums);
	add_visitors(out, &visitors);
	buffer_printf(out, ",\"peak_per_s\":%.0f", site->peak);
	add_number(out, "worst_percent", site->worst_percent);
	buffer_byte(out, '}');
}

/* The members of an incident's object. */
static void add_fields(struct buffer *out, const struct case_record *record)
{
	struct case_visitors visitors = case_record_visitors(record);
	buffer_printf(out, "\"incident\":%" PRIu64 ",\"kind\":\"%s\",\"phase\":\"%s\"", record->id,
		      case_kind_name(record->kind), case_phase_name(record->phase));
	add_number(out, "onset_ms", record->onset_ms);
	add_number(out, "detected_ms", record->opened_ms);
	add_number(out, "held_ms", record->held_ms);
	add_number(out, "restored_ms", record->restored_ms);
	add_number(out, "over_ms", record->over_ms);
	add_number(out, "reopened", record->reopened);
	buffer_printf(out, ",\"peak_per_s\":%.0f", record->peak);
	add_visitors(out, &visitors);
	buffer_text(out, ",\"sites\":[");
	for (size_t i = 0; i < record->site_count; i++) {
		buffer_text(out, i > 0 ? "," : "");
		add_site_json(out, &record->sites[i]);
	}
	buffer_text(out, "]");
}

static void add_mitigations_json(struct buffer *out, const struct case_record *record)
{
	buffer_text(out, ",\"mitigations\":[");
	for (size_t i = 0; i < record->mitigation_count; i++) {
		const struct case_mitigation *mitigation = &record->mitigations[i];
		buffer_text(out, i > 0 ? ",{" : "{");
		add_number(out, "id", mitigation->id);
		buffer_text(out, ",\"site\":");
		text_add_json(out, slice_from_string(record->sites[mitigation->site].name));
		buffer_text(out, ",\"kind\":");
		text_add_json(out, slice_from_string(mitigation->kind));
		buffer_text(out, ",\"what\":");
		text_add_json(out, slice_from_string(mitigation->what));
		add_number(out, "since_ms", mitigation->since_ms);
		add_number(out, "until_ms", mitigation->until_ms);
		add_number(out, "hits", mitigation->hits);
		buffer_byte(out, '}');
	}
	buffer_text(out, "],\"places\":");
	text_add_json(out, slice_from_string(record->places));
}

static void add_text_json(struct buffer *out, const char *name, const char *text)
{
	buffer_printf(out, ",\"%s\":", name);
	text_add_json(out, slice_from_string(text));
}

static void add_packets_json(struct buffer *out, const struct case_record *record)
{
	size_t count = 0;
	buffer_text(out, ",\"packets\":[");
	for (enum packet_flood_kind kind = 0; kind < PACKET_FLOODS; kind++) {
		const struct case_packets *packets = &record->packets[kind];
		if (packets->onset_ms == 0)
			continue;
		buffer_printf(out, "%s{\"kind\":\"%s\",\"on\":%s,\"held\":%s", count++ > 0 ? "," : "",
			      packet_flood_name(kind), packets->on ? "true" : "false",
			      packets->held ? "true" : "false");
		add_number(out, "onset_ms", packets->onset_ms);
		add_number(out, "held_ms", packets->held_ms);
		add_number(out, "until_ms", packets->until_ms);
		add_number(out, "packets", packets->packets);
		buffer_printf(out, ",\"peak_per_s\":%.0f", packets->peak);
		add_text_json(out, "destinations", packets->traits.destinations);
		add_text_json(out, "ports", packets->traits.ports);
		add_text_json(out, "from_ports", packets->traits.from_ports);
		add_number(out, "networks_sampled", packets->traits.network_count);
		add_text_json(out, "networks_may_be_forged", packets->traits.networks);
		buffer_byte(out, '}');
	}
	buffer_byte(out, ']');
}

static void add_comma(struct buffer *out)
{
	if (out->ptr[out->len - 1] != '[')
		buffer_byte(out, ',');
}

static bool entry_add_json(void *context, const struct case_entry *entry)
{
	struct buffer *out = context;
	add_comma(out);
	buffer_printf(out, "{\"at_ms\":%" PRIu64 ",\"kind\":\"%s\",\"text\":", entry->at_ms,
		      case_entry_kind_name(entry->kind));
	text_add_json(out, slice_from_string(entry->text));
	buffer_byte(out, '}');
	return true;
}

static bool point_add_json(void *context, const struct case_point *point)
{
	struct buffer *out = context;
	add_comma(out);
	buffer_printf(out, "{\"at_ms\":%" PRIu64, point->at_ms);
	add_requests(out, &point->requests);
	add_visitors(out, &point->visitors);
	buffer_byte(out, '}');
	return true;
}

static bool tally_add_json(void *context, const struct case_tally *tally)
{
	struct buffer *out = context;
	add_comma(out);
	buffer_text(out, "{\"key\":");
	text_add_json(out, slice_from_string(tally->key));
	buffer_printf(out, ",\"requests\":%.0f}", tally->requests);
	return true;
}

static void add_names_json(struct buffer *out, const char *key, uint32_t mask, unsigned count,
			   const char *(*name)(unsigned))
{
	buffer_printf(out, ",\"%s\":[", key);
	for (unsigned i = 0; i < count; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		add_comma(out);
		buffer_printf(out, "\"%s\"", name(i));
	}
	buffer_byte(out, ']');
}

/* Of a flood nothing. */
static int add_actor_json(struct case_store *store, const struct case_record *record, struct buffer *out)
{
	struct case_actor actor;
	int r = record->kind == CASE_FLOOD ? CASE_STORE_NONE : case_store_actor(store, record->id, &actor);
	if (r != 0)
		return r == CASE_STORE_NONE ? 0 : r;
	buffer_text(out, ",\"actor\":{");
	add_number(out, "addresses", actor.sources);
	add_number(out, "findings", actor.findings);
	add_number(out, "missing", actor.missing);
	add_number(out, "paths", actor.paths);
	add_names_json(out, "kinds", actor.kinds, CASE_KINDS, kind_name);
	add_names_json(out, "classes", actor.classes, FINDING_CLASSES, finding_class_name);
	buffer_byte(out, '}');
	return 0;
}

int incident_add_json(struct case_store *store, const struct case_record *record, struct buffer *out)
{
	buffer_byte(out, '{');
	add_fields(out, record);
	add_mitigations_json(out, record);
	add_packets_json(out, record);
	int r = add_actor_json(store, record, out);
	buffer_text(out, ",\"timeline\":[");
	r = r != 0 ? r : case_store_entries(store, record->id, entry_add_json, out);
	buffer_text(out, "],\"seconds\":[");
	r = r != 0 ? r : case_store_points(store, record->id, CASE_SITES, 1000, point_add_json, out);
	buffer_text(out, "]");
	for (size_t i = 0; i < sizeof(dimensions) / sizeof(dimensions[0]) && r == 0; i++) {
		buffer_printf(out, ",\"%s\":[", dimensions[i]);
		r = case_store_tallies(store, record->id, dimensions[i], CASE_TALLIES_KEPT, tally_add_json, out);
		buffer_text(out, "]");
	}
	buffer_text(out, "}\n");
	return r;
}
