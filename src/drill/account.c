/*
 * Each answer is read anew, by Jansson. First moments only move earlier, hits are summed again each time, and what the
 * gate only counts upwards is told from where it was first seen.
 */
#include "drill/account.h"

#include "wire/event.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const account_flood_names[ACCOUNT_FLOODS] = {
	[ACCOUNT_UDP] = "udp", [ACCOUNT_SYN] = "syn", [ACCOUNT_LINK] = "link"};

void account_init(struct account *account)
{
	memset(account, 0, sizeof(*account));
	account->detected_s = account->mitigated_s = account->full_s = account->dark_s = account->kept_out = NAN;
	for (size_t i = 0; i < ACCOUNT_FLOODS; i++)
		account->floods[i] = (struct account_flood){NAN, NAN, NAN};
}

static double number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void earlier(double *value, double other)
{
	if (!isnan(other) && (isnan(*value) || other < *value))
		*value = other;
}

/* Several sites may have one: the first is told of. */
static void take_what(struct account *account, const json_t *mitigations)
{
	const json_t *mitigation, *what;
	size_t i;
	json_array_foreach(mitigations, i, mitigation)
	{
		double hits = number(mitigation, "hits");
		account->hits += isnan(hits) ? 0 : hits;
		what = json_object_get(mitigation, "what");
		if (json_is_string(what) && account->what[0] == '\0')
			snprintf(account->what, sizeof(account->what), "%s", json_string_value(what));
	}
}

static void take_episode(struct account *account, const json_t *episode, double start_ms)
{
	double onset_s = (number(episode, "onset_boot_ms") - start_ms) / 1000;
	size_t changes = json_array_size(json_object_get(episode, "changes"));
	earlier(&account->detected_s, onset_s + number(episode, "detected_after_s"));
	earlier(&account->mitigated_s, onset_s + number(episode, "mitigated_after_s"));
	if (changes > account->changes)
		account->changes = (unsigned)changes;
	take_what(account, json_object_get(episode, "mitigations"));
}

static void take_link(struct account *account, const json_t *link, double now_s)
{
	if (!json_is_true(json_object_get(link, "full")))
		return;
	earlier(&account->full_s, now_s);
	if (number(link, "operators_up") == 0)
		earlier(&account->dark_s, now_s);
}

static void take_flood(struct account *account, const json_t *flood, double start_ms)
{
	const char *kind = json_string_value(json_object_get(flood, "kind"));
	double onset_s = (number(flood, "onset_boot_ms") - start_ms) / 1000;
	for (size_t i = 0; kind != NULL && i < ACCOUNT_FLOODS; i++) {
		if (strcmp(kind, account_flood_names[i]) != 0)
			continue;
		earlier(&account->floods[i].detected_s, onset_s + number(flood, "detected_after_s"));
		earlier(&account->floods[i].held_s, onset_s + number(flood, "held_after_s"));
		account->floods[i].over_s = onset_s + number(flood, "over_after_s");
	}
}

/* For want of a slot, or by a mode: a copy or an error was the answer. What nginx keeps for a second anyway is none. */
static double kept_from_origin(const json_t *ended)
{
	const char *verdict;
	json_t *reasons;
	double sum = json_is_object(ended) ? 0 : NAN;
	json_object_foreach((json_t *)(uintptr_t)ended, verdict, reasons)
	{
		double crowded = number(reasons, event_reason_name(EVENT_CROWDED_OUT));
		double by_mode = number(reasons, event_reason_name(EVENT_BY_MODE));
		sum += (isnan(crowded) ? 0 : crowded) + (isnan(by_mode) ? 0 : by_mode);
	}
	return sum;
}

bool account_take(struct account *account, struct slice json, uint64_t start_boot_ms, uint64_t now_boot_ms)
{
	json_t *status = json_loadb((const char *)json.ptr, json.len, 0, NULL);
	const json_t *sites = json_object_get(status, "sites"), *site, *flood;
	uint64_t second = now_boot_ms > start_boot_ms ? (now_boot_ms - start_boot_ms) / 1000 : 0;
	struct account_second sums = {.told = true};
	bool good = json_is_array(sites);
	double kept_out = 0;
	size_t i;
	account->hits = 0;
	take_link(account, json_object_get(status, "link"), ((double)now_boot_ms - (double)start_boot_ms) / 1000);
	json_array_foreach(json_object_get(status, "packets"), i, flood)
		take_flood(account, flood, (double)start_boot_ms);
	json_array_foreach(sites, i, site)
	{
		const json_t *visitors = json_object_get(site, "visitors"), *episode = json_object_get(site, "episode");
		kept_out += kept_from_origin(json_object_get(site, "ended"));
		if (json_is_object(visitors)) {
			sums.asked += number(visitors, "asked");
			sums.answered += number(visitors, "answered");
		}
		if (json_is_object(episode))
			take_episode(account, episode, (double)start_boot_ms);
	}
	if (!isnan(kept_out) && good) {
		account->kept_out_before = isnan(account->kept_out) ? kept_out : account->kept_out_before;
		account->kept_out = kept_out - account->kept_out_before;
	}
	if (good && second < ACCOUNT_SECONDS)
		account->seconds[second] = sums;
	json_decref(status);
	return good;
}

double account_estimate(const struct account *account, double from_s, double to_s)
{
	double asked = 0, answered = 0;
	for (size_t i = 0; i < ACCOUNT_SECONDS; i++) {
		const struct account_second *second = &account->seconds[i];
		if (!second->told || (double)i < from_s || (double)i >= to_s)
			continue;
		asked += second->asked;
		answered += second->answered;
	}
	return asked > 0 ? 100 * answered / asked : NAN;
}
