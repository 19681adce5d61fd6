/* A defence's times are of the boot clock: they are told as the wall's, or in seconds from the onset. */
#include "watch/report_episode.h"

#include "base/clock.h"
#include "mitigate/record_json.h"
#include "watch/json.h"

/* A time of CLOCK_BOOTTIME as people read it. */
static void add_when(struct buffer *out, const char *name, uint64_t at_ms, uint64_t now_ms)
{
	if (at_ms == 0)
		return;
	json_key(out, name);
	record_add_time(clock_now_ms() - (now_ms - at_ms), out);
}

/* Seconds from the onset, where it has come to that. */
static void add_after(struct buffer *out, const char *name, uint64_t at_ms, const struct episode *episode)
{
	if (at_ms < episode->onset_ms)
		return;
	json_key(out, name);
	buffer_printf(out, "%.3f", (double)(at_ms - episode->onset_ms) / 1000);
}

static void add_harm(struct buffer *out, unsigned harm)
{
	static const char *const names[] = {"late", "errors", "no slot", "connections held", "no room at the gate"};
	json_open(out, "harm", '[');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((harm >> i & 1) == 0)
			continue;
		json_comma(out);
		text_add_json(out, slice_from_string(names[i]));
	}
	buffer_byte(out, ']');
}

static void add_changes(struct buffer *out, const struct episode *episode, uint64_t now_ms)
{
	json_open(out, "changes", '[');
	for (size_t i = 0; i < episode->change_count; i++) {
		const struct episode_change *change = &episode->changes[i];
		json_comma(out);
		buffer_byte(out, '{');
		add_when(out, "at", change->at_ms, now_ms);
		json_text(out, "from", episode_state_name(change->from));
		json_text(out, "to", episode_state_name(change->to));
		json_text(out, "cause", episode_cause_name(change->cause));
		buffer_byte(out, '}');
	}
	buffer_byte(out, ']');
}

static void add_mitigation(struct buffer *out, const struct mitigation *mitigation, uint64_t now_ms)
{
	struct buffer words = buffer_make(NULL);
	json_comma(out);
	buffer_byte(out, '{');
	json_number(out, "id", mitigation->id);
	json_text(out, "kind", mitigation_kind_name(mitigation->kind));
	json_text(out, "stage", mitigation_stage_name(mitigation->stage));
	json_decimal(out, "seconds", (double)(now_ms - mitigation->since_ms) / 1000);
	if (mitigation->kind == MITIGATION_SIGNATURE) {
		signature_describe(&mitigation->signature, &words);
		json_key(out, "what");
		text_add_json(out, buffer_slice(&words));
		json_decimal(out, "covers_percent", mitigation->signature.coverage * 100);
		json_key(out, "visitors_at_most_percent");
		buffer_printf(out, "%.3f", mitigation->signature.collateral * 100);
	}
	if (mitigation->kind == MITIGATION_SHEDDING)
		json_text(out, "what", "holds a connection and brings no whole request");
	json_number(out, "seen", mitigation->seen);
	json_number(out, "hits", mitigation->hits);
	json_decimal(out, "per_s", mitigation->rate);
	buffer_byte(out, '}');
	buffer_free(&words);
}

static void add_episode(struct buffer *out, const struct defence_view *view, uint64_t now_ms)
{
	const struct episode *episode = view->episode;
	json_open(out, "episode", '{');
	json_number(out, "id", episode->id);
	json_text(out, "state", episode_state_name(episode->state));
	json_text(out, "nature", traffic_nature_name(episode->nature));
	json_text(out, "nature_now", traffic_nature_name(view->nature));
	add_harm(out, episode->harm);
	add_when(out, "onset", episode->onset_ms, now_ms);
	json_number(out, "onset_boot_ms", episode->onset_ms);
	add_after(out, "detected_after_s", episode->detected_ms, episode);
	add_after(out, "found_after_s", episode->found_ms, episode);
	add_after(out, "mitigated_after_s", episode->mitigated_ms, episode);
	if (episode->state == EPISODE_QUIET)
		add_after(out, "over_after_s", episode->over_ms, episode);
	json_number(out, "searches", view->searches);
	json_number(out, "bans", view->bans);
	json_open(out, "mitigations", '[');
	for (size_t i = 0; i < view->mitigation_count; i++)
		if (view->mitigations[i].stage != MITIGATION_NONE)
			add_mitigation(out, &view->mitigations[i], now_ms);
	buffer_byte(out, ']');
	add_changes(out, episode, now_ms);
	buffer_byte(out, '}');
}

static void add_packet_flood(struct buffer *out, enum packet_flood_kind kind, const struct packet_flood *flood,
			     uint64_t now_ms)
{
	const struct episode times = {.onset_ms = flood->onset_ms};
	json_comma(out);
	buffer_byte(out, '{');
	json_number(out, "id", flood->id);
	json_text(out, "kind", packet_flood_name(kind));
	json_text(out, "what", packet_flood_text(kind));
	json_truth(out, "on", flood->on);
	json_truth(out, "held", flood->held);
	add_when(out, "onset", flood->onset_ms, now_ms);
	json_number(out, "onset_boot_ms", flood->onset_ms);
	add_after(out, "detected_after_s", flood->detected_ms, &times);
	add_after(out, "held_after_s", flood->held_ms, &times);
	if (!flood->on)
		add_after(out, "over_after_s", flood->over_ms, &times);
	json_number(out, "packets", flood->packets);
	json_decimal(out, "per_s", flood->rate);
	json_decimal(out, "peak_per_s", flood->peak);
	json_number(out, "sampled", flood->traits.sampled);
	json_text(out, "destinations", flood->traits.destinations);
	json_text(out, "ports", flood->traits.ports);
	json_text(out, "from_ports", flood->traits.from_ports);
	json_number(out, "networks_sampled", flood->traits.network_count);
	json_text(out, "networks_may_be_forged", flood->traits.networks);
	buffer_byte(out, '}');
}

void report_packets(const struct defender *defender, uint64_t now_ms, struct buffer *out)
{
	json_open(out, "packets", '[');
	const struct packet_flood *floods = defender->defence != NULL ? defence_packet_floods(defender->defence) : NULL;
	for (enum packet_flood_kind kind = 0; floods != NULL && kind < PACKET_FLOODS; kind++)
		if (floods[kind].id != 0)
			add_packet_flood(out, kind, &floods[kind], now_ms);
	buffer_byte(out, ']');
}

static void add_visitors(struct buffer *out, const struct defence_visitors *visitors)
{
	json_open(out, "visitors", '{');
	json_number(out, "asked", visitors->asked);
	json_number(out, "answered", visitors->answered);
	json_number(out, "copies", visitors->copies);
	if (visitors->asked > 0)
		json_decimal(out, "success_percent", (double)visitors->answered * 100 / (double)visitors->asked);
	buffer_byte(out, '}');
}

static bool find(const struct defender *defender, const char *site, struct defence_view *ret_view)
{
	uint16_t number = 0;
	if (defender->defence == NULL)
		return false;
	while (defence_look(defender->defence, number, ret_view) && strcmp(ret_view->name, site) != 0)
		number++;
	return defence_look(defender->defence, number, ret_view);
}

bool report_has_episode(const struct defender *defender, const char *site)
{
	struct defence_view view;
	return find(defender, site, &view) && view.episode->id != 0;
}

void report_episode(const struct defender *defender, const char *site, uint64_t now_ms, struct buffer *out)
{
	struct defence_view view;
	if (!find(defender, site, &view))
		return;
	json_truth(out, "normal_known", view.known);
	json_number(out, "quiet_requests_kept", view.quiet_requests);
	add_visitors(out, &view.visitors);
	if (view.episode->id != 0)
		add_episode(out, &view, now_ms);
}
