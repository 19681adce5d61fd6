/*
 * Both documents are put together from parts, some of which are in both. Episodes and packets are report_episode.c's,
 * evidence is report_evidence.c's.
 */
#include "watch/report.h"

#include "base/clock.h"
#include "edge/loader.h"
#include "watch/json.h"
#include "watch/report_episode.h"
#include "watch/upstream.h"
#include "watch/witness.h"

#include <time.h>
#include <unistd.h>

/* ---- parts of both ---- */

static void time_add(struct buffer *out)
{
	char when[32];
	time_t now = (time_t)(clock_now_us() / CLOCK_US_PER_S);
	struct tm parts;
	gmtime_r(&now, &parts);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts);
	json_text(out, "time", when);
}

static void watch_add(const struct report *report, struct buffer *out)
{
	struct intake_sums sums = intake_sums(report->intake);
	json_open(out, "watch", '{');
	json_number(out, "pid", (uint64_t)getpid());
	json_number(out, "seconds", (report->now_ns - report->began_ns) / CLOCK_NS_PER_S);
	json_text(out, "directory", report->intake->path);
	json_text(out, "fault", report->intake->error != 0 ? strerror(-report->intake->error) : "");
	json_number(out, "files_refused", report->intake->refused);
	json_number(out, "events", sums.events);
	json_number(out, "events_lost", sums.events_lost);
	json_number(out, "heads", sums.heads);
	json_number(out, "heads_lost", sums.heads_lost);
	json_number(out, "findings", sums.findings);
	json_number(out, "findings_lost", sums.findings_lost);
	json_number(out, "broken", sums.broken);
	buffer_byte(out, '}');
}

static void edge_interface_add(void *context, const char *name, const char *mode)
{
	struct buffer *out = context;
	json_comma(out);
	buffer_byte(out, '{');
	json_text(out, "name", name);
	json_text(out, "mode", mode);
	buffer_byte(out, '}');
}

/* Only where one is held: nothing is said of what is not there. */
static void edge_add(const struct edge_bans *edge, struct buffer *out)
{
	double rates[EDGE_REASONS];
	uint64_t bans = 0;
	if (edge_bans_fault(edge) != NULL)
		json_text(out, "edge_fault", edge_bans_fault(edge));
	if (!edge->held)
		return;
	json_open(out, "edge", '{');
	json_open(out, "interfaces", '[');
	edge_interfaces(edge->directory, edge_interface_add, out);
	buffer_byte(out, ']');
	for (unsigned length = 0; length < EDGE_LENGTHS; length++)
		bans += edge->edge.table.control->bans[length];
	json_number(out, "bans", bans);
	json_number(out, "allows", edge->edge.table.control->allows);
	json_number(out, "refused", edge->refused);
	edge_bans_rates(edge, rates);
	json_open(out, "packets", '{');
	for (unsigned reason = 0; reason < EDGE_REASONS; reason++)
		json_number(out, edge_reason_texts[reason], edge->counts.packets[reason]);
	buffer_byte(out, '}');
	json_open(out, "packets_per_s", '{');
	for (unsigned reason = 0; reason < EDGE_REASONS; reason++)
		json_decimal(out, edge_reason_texts[reason], rates[reason]);
	buffer_text(out, "}}");
}

static void connections_add(const struct sites *sites, struct buffer *out)
{
	const struct connection_sums *sums = &sites->connections;
	json_open(out, "connections", '{');
	json_number(out, "accepted", sums->accepted);
	json_number(out, "closed", sums->closed);
	json_number(out, "abandoned", sums->abandoned);
	json_number(out, "silent", sums->silent);
	for (unsigned i = 0; i < CONNECTION_STATES; i++)
		json_number(out, connection_state_name(i), sums->now[i]);
	json_number(out, "at_most", sums->at_most);
	json_open(out, "shed", '{');
	for (unsigned i = 0; i < SHED_KINDS; i++)
		json_number(out, shed_kind_name(i), sums->shed[i]);
	buffer_text(out, "}}");
}

static void rates_add(const struct sites *sites, const struct site_view *view, struct buffer *out)
{
	const struct site_sums *now = &view->now, *old = sites_oldest(sites, view);
	uint64_t asked = sums_grown(now->origin_requests, old->origin_requests);
	uint64_t origin_us = sums_grown(now->origin_us, old->origin_us);
	json_decimal(out, "requests_per_s", sites_rate(sites, now->arrived, old->arrived));
	json_decimal(out, "blocked_per_s",
		     sites_rate(sites, site_verdict(now, EVENT_BLOCKED), site_verdict(old, EVENT_BLOCKED)));
	json_decimal(out, "errors_per_s", sites_rate(sites, now->status[5], old->status[5]));
	json_decimal(out, "bytes_out_per_s", sites_rate(sites, now->bytes_out, old->bytes_out));
	json_decimal(out, "origin_per_s", sites_rate(sites, now->origin_requests, old->origin_requests));
	json_decimal(out, "origin_ms", asked > 0 ? (double)origin_us / 1e3 / (double)asked : 0);
	if (view->load.at_most == 0)
		return;
	json_number(out, "slots", view->load.in_use);
	json_number(out, "slots_at_most", view->load.at_most);
	json_number(out, "slots_waited_for", view->load.waiting);
}

/* ---- status ---- */

static void ended_add(const struct site_sums *sums, struct buffer *out)
{
	json_open(out, "ended", '{');
	for (unsigned verdict = 0; verdict < EVENT_VERDICTS; verdict++) {
		json_open(out, event_verdict_name(verdict), '{');
		for (unsigned reason = 0; reason < EVENT_REASONS; reason++)
			if (sums->ended[verdict][reason] > 0)
				json_number(out, event_reason_name(reason), sums->ended[verdict][reason]);
		buffer_byte(out, '}');
	}
	buffer_byte(out, '}');
}

static void sums_add(const struct site_sums *sums, struct buffer *out)
{
	static const char *const classes[STATUS_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	uint64_t ended = site_ended(sums) + sums->abandoned;
	json_number(out, "arrived", sums->arrived);
	json_number(out, "in_flight", sums->arrived > ended ? sums->arrived - ended : 0);
	json_number(out, "abandoned", sums->abandoned);
	ended_add(sums, out);
	json_open(out, "status", '{');
	for (size_t i = 0; i < STATUS_CLASSES; i++)
		json_number(out, classes[i], sums->status[i]);
	buffer_byte(out, '}');
	json_number(out, "bytes_in", sums->bytes_in);
	json_number(out, "bytes_out", sums->bytes_out);
	json_number(out, "copies", sums->copies);
	json_number(out, "findings", sums->findings);
	json_number(out, "findings_shed", sums->findings_shed);
	json_number(out, "bodies_shed", sums->bodies_shed);
}

static void probe_add(const struct probe *probe, uint64_t now_ns, struct buffer *out)
{
	json_open(out, "probe", '{');
	json_truth(out, "up", probe->up);
	json_number(out, "good_in_a_row", probe->good);
	json_number(out, "asked", probe->asked);
	json_number(out, "answered", probe->answered);
	json_number(out, "status", (uint64_t)probe->status);
	json_decimal(out, "ms", probe->ms);
	json_text(out, "fault", probe->fault != NULL ? probe->fault : "");
	json_number(out, "for_seconds", probe->changed_ns != 0 ? (now_ns - probe->changed_ns) / CLOCK_NS_PER_S : 0);
	buffer_byte(out, '}');
}

static bool is_seen(const struct report *report, const char *name)
{
	for (size_t i = 0; i < report->sites->count; i++)
		if (strcmp(report->sites->views[i].name, name) == 0)
			return true;
	return false;
}

static const struct mode_entry *mode_of(const struct report *report, const char *site)
{
	return report->modes == NULL
		       ? NULL
		       : mode_register_find(report->modes, slice_from_string(site), report->now_ns / CLOCK_NS_PER_MS);
}

/* One that a person ordered, until its end. */
static void mode_add(const struct report *report, const char *site, struct buffer *out)
{
	const struct mode_entry *entry = mode_of(report, site);
	if (entry == NULL)
		return;
	const struct ban_times now = {report->now_ns / CLOCK_NS_PER_MS, clock_now_ms()};
	json_key(out, "mode");
	mode_entry_write(entry, now, out);
	out->len -= out->error == 0; /* its brace */
	json_number(out, "hits", report->hits(report->context, entry->id));
	buffer_byte(out, '}');
}

static void site_add(const struct report *report, const struct site_view *view, struct buffer *out)
{
	const struct probe *probe = probe_find(report->probes, report->probe_count, view->name);
	json_comma(out);
	buffer_byte(out, '{');
	json_text(out, "site", view->name);
	if (probe != NULL)
		probe_add(probe, report->now_ns, out);
	mode_add(report, view->name, out);
	rates_add(report->sites, view, out);
	sums_add(&view->now, out);
	report_episode(report->defender, view->name, report->now_ns / CLOCK_NS_PER_MS, out);
	buffer_byte(out, '}');
}

static bool all_up(const struct report *report)
{
	bool up = report->probe_count > 0;
	for (size_t i = 0; i < report->probe_count; i++)
		up = up && report->probes[i].up;
	return up;
}

/* What nobody asks for, and has in hand. */
static bool is_idle(const struct report *report, const struct site_view *view)
{
	return view->now.arrived <= sites_oldest(report->sites, view)->arrived &&
	       view->now.arrived <= site_ended(&view->now) + view->now.abandoned;
}

/*
 * One of no name only if there is anything to say. Sums of a site outlive its configuration: where sites are fetched,
 * one that is not, and of which there is nothing else to say, is one no more.
 */
static bool is_shown(const struct report *report, const struct site_view *view)
{
	const char *name = view->name;
	if (report_has_episode(report->defender, name))
		return true;
	if (name[0] == '\0')
		return view->now.arrived > 0;
	return report->probe_count == 0 || strcmp(name, "-") == 0 ||
	       probe_find(report->probes, report->probe_count, name) != NULL || mode_of(report, name) != NULL ||
	       !is_idle(report, view);
}

/* A site of the configuration is shown also before its first request. */
void report_status(const struct report *report, struct buffer *out)
{
	static const struct site_view none;
	buffer_byte(out, '{');
	time_add(out);
	json_truth(out, "up", all_up(report));
	json_number(out, "probes", report->probe_count);
	json_number(out, "workers", report->sites->workers);
	watch_add(report, out);
	edge_add(report->edge, out);
	upstream_link_report(report->upstream, out);
	report_packets(report->defender, report->now_ns / CLOCK_NS_PER_MS, out);
	witness_report(report->witness, out);
	connections_add(report->sites, out);
	json_open(out, "sites", '[');
	for (size_t i = 0; i < report->sites->count; i++) {
		const struct site_view *view = &report->sites->views[i];
		if (is_shown(report, view))
			site_add(report, view, out);
	}
	for (size_t i = 0; i < report->probe_count; i++) {
		struct site_view view = none;
		if (is_seen(report, report->probes[i].target.host))
			continue;
		memcpy(view.name, report->probes[i].target.host, PROBE_HOST_BYTES);
		site_add(report, &view, out);
	}
	buffer_text(out, "]}\n");
}

/* ---- top ---- */

/* What countries and operators are taken from, and how old it is. */
static void places_add(const struct places *places, struct buffer *out)
{
	const struct place_image *image = places_image(places);
	char made[16] = "";
	struct tm parts;
	if (image != NULL) {
		time_t seconds = (time_t)image->source.made_s;
		gmtime_r(&seconds, &parts);
		strftime(made, sizeof(made), "%Y-%m-%d", &parts);
	}
	json_open(out, "places", '{');
	json_text(out, "file", places->file);
	json_text(out, "fault", places_fault(places));
	json_text(out, "vendor", image != NULL ? image->source.vendor : "");
	json_text(out, "made", made);
	buffer_byte(out, '}');
}

static void item_add(const struct report *report, const struct ranking_item *item, double all, double seconds,
		     struct buffer *out)
{
	json_comma(out);
	buffer_byte(out, '{');
	if (item->site != SITE_NONE)
		json_text(out, "site", item->site < report->sites->count ? report->sites->views[item->site].name : "");
	json_text(out, "key", item->text);
	json_decimal(out, "per_s", item->count / seconds);
	json_decimal(out, "others_per_s", item->error / seconds);
	json_decimal(out, "percent", all > 0 ? item->count * 100 / all : 0);
	buffer_byte(out, '}');
}

void report_top(const struct report *report, size_t count, struct buffer *out)
{
	struct ranking_item items[REPORT_TOP];
	double all = ranking_requests(report->ranking, report->now_ns);
	double lived = (double)(report->now_ns - report->began_ns) / 1e9;
	double seconds = lived < 1 ? 1 : lived < RANKING_SECONDS ? lived : RANKING_SECONDS;
	buffer_byte(out, '{');
	time_add(out);
	json_decimal(out, "seconds", seconds);
	json_decimal(out, "requests_per_s", all / seconds);
	watch_add(report, out);
	edge_add(report->edge, out);
	upstream_link_report(report->upstream, out);
	report_packets(report->defender, report->now_ns / CLOCK_NS_PER_MS, out);
	connections_add(report->sites, out);
	places_add(report->places, out);
	json_open(out, "sites", '[');
	for (size_t i = 0; i < report->sites->count; i++) {
		json_comma(out);
		buffer_byte(out, '{');
		json_text(out, "site", report->sites->views[i].name);
		rates_add(report->sites, &report->sites->views[i], out);
		buffer_byte(out, '}');
	}
	buffer_byte(out, ']');
	for (unsigned d = 0; d < RANKING_DIMENSIONS; d++) {
		size_t found =
			ranking_top(report->ranking, d, report->now_ns, items, count < REPORT_TOP ? count : REPORT_TOP);
		json_open(out, ranking_dimension_name(d), '[');
		for (size_t i = 0; i < found; i++)
			item_add(report, &items[i], all, seconds, out);
		buffer_byte(out, ']');
	}
	buffer_text(out, "}\n");
}
