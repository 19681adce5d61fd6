/* A defence is made and taken down, learns of sites, and remembers over restarts. */
#include "incident/inside.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	SOURCES = 1 << 19, /* of whom is remembered when they last came, and since when; as many again of networks */
	QUIET_SAMPLE_MOST = 16384,
	RECENT_EACH_MOST = 256,
	FULL_SITES = 16, /* so many sites have samples as large; of more, each has less */
	QUIET_SAMPLE_LEAST = 512,
	RECENT_EACH_LEAST = 32,
	FIRST_ID = 1 << 30,   /* those below are of people's orders */
	IDS_A_SECOND = 128,   /* more than a watch gives, so that the next one's are others */
	ID_SECONDS = 1 << 22, /* after which they begin anew: seven weeks */
};

/* ---- making ---- */

/* Numbers go on from those of watches before, by the clock. */
static uint32_t first_id(uint64_t wall_ms)
{
	return FIRST_ID + (uint32_t)(wall_ms / 1000 % ID_SECONDS) * IDS_A_SECOND;
}

static int tables_make(struct defence *d)
{
	d->pace = calloc(1, source_pace_bytes(SOURCES));
	if (d->pace == NULL)
		return -ENOMEM;
	source_pace_init(d->pace, SOURCES);
	int r = acquaintances_new(4 * SOURCES, &d->acquaintances);
	return r != 0 ? r : regulars_new(2 * SOURCES, &d->regulars);
}

int defence_new(const struct hash_key *key, struct defence_time now, struct defence **ret_defence)
{
	struct defence *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->key = *key;
	d->began = d->now = now;
	d->last_id = first_id(now.wall_ms);
	int r = tables_make(d);
	if (r == 0)
		*ret_defence = d;
	else
		defence_free(d);
	return r;
}

static void site_free(struct site *site)
{
	if (site == NULL)
		return;
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		signature_free(&site->mitigations[i].signature);
	quiet_sample_release(&site->quiet);
	visits_free(site->visits);
	recent_sample_release(&site->recent);
	free(site);
}

void defence_free(struct defence *defence)
{
	if (defence == NULL)
		return;
	for (size_t i = 0; i < defence->count; i++)
		site_free(defence->sites[i]);
	free(defence->pace);
	acquaintances_free(defence->acquaintances);
	regulars_free(defence->regulars);
	offenders_free(defence->offenders);
	traffic_memory_close(&defence->memory);
	kept_free(defence->kept);
	free(defence->spared);
	free(defence);
}

/* What a sample of the n-th site may hold, so that all of them together stay within bounds. */
static uint32_t share_of(size_t number, uint32_t most, uint32_t least)
{
	size_t share = number < FULL_SITES ? most : (size_t)most * FULL_SITES / (number + 1);
	return share > least ? (uint32_t)share : least;
}

static struct site *site_make(struct defence *d)
{
	struct site *site = calloc(1, sizeof(*site));
	if (site == NULL)
		return NULL;
	site->quiet.most = share_of(d->count, QUIET_SAMPLE_MOST, QUIET_SAMPLE_LEAST);
	site->recent.each = share_of(d->count, RECENT_EACH_MOST, RECENT_EACH_LEAST);
	site->quiet.random = d->key.k0 + d->count;
	site->normal = -1;
	d->sites[d->count++] = site;
	return site;
}

/* Whom an earlier watch knew, as far as it kept their requests. */
static void acquaint(struct defence *d, const struct quiet_sample *quiet)
{
	for (size_t i = 0; i < quiet->count; i++) {
		const struct sampled *item = &quiet->items[i];
		uint64_t ago_ms =
			d->now.wall_ms > item->at_s * UINT64_C(1000) ? d->now.wall_ms - item->at_s * UINT64_C(1000) : 0;
		uint64_t at_ms = d->now.now_ms > ago_ms ? d->now.now_ms - ago_ms : 0;
		uint64_t own = source_hash(d, &item->source);
		uint64_t client = client_hash(d, own, item->field[SIGNATURE_SHAPE], item->field[SIGNATURE_AGENT]);
		(void)acquaintances_meet(d->acquaintances, own, at_ms, true);
		(void)acquaintances_meet(d->acquaintances, client, at_ms, true);
	}
}

int defence_site(struct defence *defence, uint16_t number, const char *name)
{
	while (number < DEFENCE_SITES && defence->count <= number)
		if (site_make(defence) == NULL)
			return -ENOMEM;
	struct site *site = number < DEFENCE_SITES ? defence->sites[number] : NULL;
	if (site == NULL || (site->is_named && strcmp(site->name, name) == 0))
		return 0;
	snprintf(site->name, sizeof(site->name), "%s", name);
	site->is_named = true;
	if (traffic_memory_take(&defence->memory, slice_from_string(site->name), &site->baseline, &site->quiet))
		acquaint(defence, &site->quiet);
	kept_take(defence, site);
	return 0;
}

/* ---- over restarts ---- */

int defence_remember(const struct defence *defence, struct buffer *out)
{
	struct traffic_memory_site sites[DEFENCE_SITES];
	for (size_t i = 0; i < defence->count; i++)
		sites[i] = (struct traffic_memory_site){slice_from_string(defence->sites[i]->name),
							&defence->sites[i]->baseline, &defence->sites[i]->quiet};
	return traffic_memory_write(sites, defence->count, &defence->memory, defence->regulars, &defence->key, out);
}

enum traffic_memory_fault defence_recall(struct defence *defence, struct buffer *bytes)
{
	traffic_memory_close(&defence->memory);
	enum traffic_memory_fault fault = traffic_memory_open(bytes, &defence->key, &defence->memory);
	if (fault == TRAFFIC_MEMORY_GOOD)
		(void)traffic_memory_regulars(&defence->memory, defence->regulars, defence->now.wall_ms / 1000);
	return fault;
}

bool defence_is_calm(const struct defence *defence)
{
	for (size_t i = 0; i < defence->count; i++)
		if (site_has_episode(defence->sites[i]) || defence->sites[i]->onset.began_ms != 0)
			return false;
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		if (defence->packets[i].on)
			return false;
	return true;
}

void defence_stands(struct defence *defence, uint16_t number, const struct defence_standing *standing)
{
	if (number >= defence->count)
		return;
	struct site *site = defence->sites[number];
	traffic_standing(&site->rates, standing->slots, standing->slots_at_most, standing->states);
	traffic_room(&site->rates, standing->connections_at_most);
	uint64_t more = growth_since(&site->shed, (uint64_t)standing->shed);
	if (more > 0)
		decide_shed(defence, number, more);
}

/* ---- time ---- */

void defence_tick(struct defence *defence, struct defence_time now)
{
	struct traffic_tick tick;
	defence->now = now;
	for (uint16_t i = 0; i < defence->count; i++) {
		struct site *site = defence->sites[i];
		while (traffic_rates_tick(&site->rates, now.now_ms, &tick)) {
			tick.crowded = now.now_ms < defence->crowded_until_ms;
			site->signal = onset_tick(&site->onset, &site->baseline, &tick, now.wall_ms / 1000);
			decide_tick(defence, i);
		}
	}
	if (now.now_ms / 1000 == defence->second)
		return;
	defence->second = now.now_ms / 1000;
	mitigations_count_known(defence);
	for (uint16_t i = 0; i < defence->count; i++)
		decide_second(defence, i);
}
