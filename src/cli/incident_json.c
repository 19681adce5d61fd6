/*
 * Member by member from the record; what has many rows (timeline, seconds, tallies) comes from the store row by row. A
 * number sees by the byte before it whether it needs a comma.
 */
#include "cli/incident_json.h"

#include "codec/text.h"
#include "watch/ranking.h"
#include "wire/finding.h"

#include <inttypes.h>

static void add_number(struct buffer *out, const char *name, uint64_t number)
{
	buffer_printf(out, "%s\"%s\":%" PRIu64, out->len > 0 && out->ptr[out->len - 1] != '{' ? "," : "", name, number);
}

static void add_text(struct buffer *out, const char *name, const char *text)
{
	buffer_printf(out, ",\"%s\":", name);
	text_add_json(out, slice_from_string(text));
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

static void add_site(struct buffer *out, const struct case_site *site)
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

void incident_add_json_members(const struct case_record *record, struct buffer *out)
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
		add_site(out, &record->sites[i]);
	}
	buffer_text(out, "]");
}

static void add_mitigations(struct buffer *out, const struct case_record *record)
{
	buffer_text(out, ",\"mitigations\":[");
	for (size_t i = 0; i < record->mitigation_count; i++) {
		const struct case_mitigation *mitigation = &record->mitigations[i];
		buffer_text(out, i > 0 ? ",{" : "{");
		add_number(out, "id", mitigation->id);
		add_text(out, "site", record->sites[mitigation->site].name);
		add_text(out, "kind", mitigation->kind);
		add_text(out, "what", mitigation->what);
		add_number(out, "since_ms", mitigation->since_ms);
		add_number(out, "until_ms", mitigation->until_ms);
		add_number(out, "hits", mitigation->hits);
		buffer_byte(out, '}');
	}
	buffer_byte(out, ']');
	add_text(out, "places", record->places);
}

static void add_packets(struct buffer *out, const struct case_record *record)
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
		add_text(out, "destinations", packets->traits.destinations);
		add_text(out, "ports", packets->traits.ports);
		add_text(out, "from_ports", packets->traits.from_ports);
		add_number(out, "networks_sampled", packets->traits.network_count);
		add_text(out, "networks_may_be_forged", packets->traits.networks);
		buffer_byte(out, '}');
	}
	buffer_byte(out, ']');
}

static void add_comma(struct buffer *out)
{
	if (out->ptr[out->len - 1] != '[')
		buffer_byte(out, ',');
}

static bool entry_add(void *context, const struct case_entry *entry)
{
	struct buffer *out = context;
	add_comma(out);
	buffer_printf(out, "{\"at_ms\":%" PRIu64 ",\"kind\":\"%s\",\"text\":", entry->at_ms,
		      case_entry_kind_name(entry->kind));
	text_add_json(out, slice_from_string(entry->text));
	buffer_byte(out, '}');
	return true;
}

static bool point_add(void *context, const struct case_point *point)
{
	struct buffer *out = context;
	add_comma(out);
	buffer_printf(out, "{\"at_ms\":%" PRIu64, point->at_ms);
	add_requests(out, &point->requests);
	add_visitors(out, &point->visitors);
	buffer_byte(out, '}');
	return true;
}

static bool tally_add(void *context, const struct case_tally *tally)
{
	struct buffer *out = context;
	add_comma(out);
	buffer_text(out, "{\"key\":");
	text_add_json(out, slice_from_string(tally->key));
	buffer_printf(out, ",\"requests\":%.0f}", tally->requests);
	return true;
}

static void add_names(struct buffer *out, const char *key, uint32_t mask, unsigned count, const char *(*name)(unsigned))
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

static const char *kind_name(unsigned kind)
{
	return case_kind_name((enum case_kind)kind);
}

/* Of a flood nothing. */
static int add_actor(struct case_store *store, const struct case_record *record, struct buffer *out)
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
	add_names(out, "kinds", actor.kinds, CASE_KINDS, kind_name);
	add_names(out, "classes", actor.classes, FINDING_CLASSES, finding_class_name);
	buffer_byte(out, '}');
	return 0;
}

int incident_add_json(struct case_store *store, const struct case_record *record, struct buffer *out)
{
	buffer_byte(out, '{');
	incident_add_json_members(record, out);
	add_mitigations(out, record);
	add_packets(out, record);
	int r = add_actor(store, record, out);
	buffer_text(out, ",\"timeline\":[");
	r = r != 0 ? r : case_store_entries(store, record->id, entry_add, out);
	buffer_text(out, "],\"seconds\":[");
	r = r != 0 ? r : case_store_points(store, record->id, CASE_SITES, 1000, point_add, out);
	buffer_text(out, "]");
	for (enum ranking_dimension i = 0; i < RANKING_DIMENSIONS && r == 0; i++) {
		const char *dimension = ranking_dimension_name(i);
		buffer_printf(out, ",\"%s\":[", dimension);
		r = case_store_tallies(store, record->id, dimension, CASE_TALLIES_KEPT, tally_add, out);
		buffer_text(out, "]");
	}
	buffer_text(out, "}\n");
	return r;
}
