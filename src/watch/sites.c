/*
 * A site's number is its place among the views, given when its name is first seen and never to another. Counters of all
 * outboxes are added up anew each second. Of a writer that is dead what it counted stays, and what it held does not.
 */
#include "watch/sites.h"

#include "base/error.h"

#include <stdlib.h>

int sites_init(struct sites *sites)
{
	*sites = (struct sites){
		.views = calloc(SITES_MAX, sizeof(*sites->views)),
		.control = malloc(sizeof(*sites->control)),
	};
	memset(sites->map, 0xff, sizeof(sites->map));
	if (sites->views != NULL && sites->control != NULL)
		return 0;
	sites_release(sites);
	return -ENOMEM;
}

void sites_release(struct sites *sites)
{
	free(sites->views);
	free(sites->control);
}

/* The number of a name, made if need be; SITE_NONE when there are too many. */
static uint16_t view_find(struct sites *sites, struct slice name)
{
	for (size_t i = 0; i < sites->count; i++)
		if (slice_equal(slice_from_string(sites->views[i].name), name))
			return (uint16_t)i;
	if (sites->count == SITES_MAX)
		return SITE_NONE;
	memcpy(sites->views[sites->count].name, name.ptr, name.len);
	return (uint16_t)sites->count++;
}

static void words_add(uint64_t *to, const void *from, size_t bytes)
{
	uint64_t word;
	for (size_t i = 0; i < bytes / sizeof(word); i++) {
		memcpy(&word, (const uint8_t *)from + i * sizeof(word), sizeof(word));
		to[i] += word;
	}
}

/* Whether their worker lives. */
static bool connections_add(struct connection_sums *to, const struct connection_counters *from,
			    const struct inbox *inbox)
{
	to->accepted += counter_get(&from->accepted);
	to->closed += counter_get(&from->closed);
	to->abandoned += counter_get(&from->abandoned);
	to->silent += counter_get(&from->silent);
	to->kept_waiting += counter_get(&from->kept_waiting);
	for (size_t i = 0; i < SHED_KINDS; i++)
		to->shed[i] += counter_get(&from->shed[i]);
	if (inbox_writer(inbox) == 0)
		return false;
	for (size_t i = 0; i < CONNECTION_STATES; i++)
		to->now[i] += counter_get(&from->now[i]);
	to->at_most += counter_get(&from->at_most);
	return true;
}

uint64_t connection_sums_shed(const struct connection_sums *sums)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < SHED_KINDS; i++)
		sum += i != SHED_TURNED_AWAY ? sums->shed[i] : 0;
	return sum;
}

void sites_take_connections(struct sites *sites, const struct intake *intake)
{
	struct connection_counters counters;
	sites->connections = (struct connection_sums){0};
	for (unsigned box = 0; box < OUTBOX_FILES; box++)
		if (intake_has(intake, box) && inbox_read_connections(&intake->boxes[box], &counters) == 0)
			(void)connections_add(&sites->connections, &counters, &intake->boxes[box]);
}

/* Of what all workers share each has the same number, some a little later; who waits is a worker's own. */
static void load_add(struct site_load *to, const struct load_gauges *gauges, uint64_t asked)
{
	struct site_load load = {0};
	for (unsigned i = 0; i < LOAD_ORIGINS; i++) {
		if ((asked >> i & 1) == 0)
			continue;
		load.in_use += counter_get(&gauges->origins[i].in_use);
		load.at_most += counter_get(&gauges->origins[i].at_most);
		load.waiting += counter_get(&gauges->origins[i].waiting);
	}
	to->in_use = load.in_use > to->in_use ? load.in_use : to->in_use;
	to->at_most = load.at_most > to->at_most ? load.at_most : to->at_most;
	to->waiting += load.waiting;
}

void sites_take_load(struct sites *sites, const struct intake *intake)
{
	struct load_gauges gauges;
	for (size_t i = 0; i < sites->count; i++)
		sites->views[i].load = (struct site_load){0};
	for (unsigned box = 0; box < OUTBOX_FILES; box++) {
		if (!intake_has(intake, box) || inbox_writer(&intake->boxes[box]) == 0 ||
		    inbox_read_load(&intake->boxes[box], &gauges) != 0)
			continue;
		for (uint16_t site = 0; site < OUTBOX_SITES; site++) {
			uint64_t asked = counter_get(&gauges.origins_of[site]);
			uint16_t number = sites->map[box][site];
			if (asked != 0 && number != SITE_NONE)
				load_add(&sites->views[number].load, &gauges, asked);
		}
	}
}

static void box_add(struct sites *sites, const struct inbox *inbox, unsigned box)
{
	if (inbox_read_control(inbox, sites->control) != 0)
		return;
	sites->workers += connections_add(&sites->connections, &sites->control->connections, inbox);
	for (uint16_t i = 0; i < atomic_load(&sites->control->site_count); i++) {
		uint16_t number = view_find(sites, inbox_site_name(sites->control, i));
		sites->map[box][i] = number;
		if (number != SITE_NONE)
			words_add(&sites->views[number].now.arrived, &sites->control->sites[i].counters,
				  sizeof(struct site_counters));
	}
}

void sites_take(struct sites *sites, const struct intake *intake, uint64_t now_ns)
{
	for (size_t i = 0; i < sites->count; i++) {
		struct site_view *view = &sites->views[i];
		memmove(view->past + 1, view->past, sizeof(view->past) - sizeof(view->past[0]));
		view->past[0] = view->now;
		view->now = (struct site_sums){0};
	}
	memmove(sites->at_ns + 1, sites->at_ns, sizeof(sites->at_ns) - sizeof(sites->at_ns[0]));
	if (sites->at_ns[0] != 0 && sites->seconds < SITES_SECONDS)
		sites->seconds++;
	sites->at_ns[0] = now_ns;
	sites->connections = (struct connection_sums){0};
	sites->workers = 0;
	for (unsigned box = 0; box < OUTBOX_FILES; box++)
		if (intake_has(intake, box))
			box_add(sites, &intake->boxes[box], box);
}

double sites_rate(const struct sites *sites, uint64_t now, uint64_t oldest)
{
	if (sites->seconds == 0)
		return 0;
	uint64_t ns = sites->at_ns[0] - sites->at_ns[sites->seconds];
	return ns > 0 ? (double)sums_grown(now, oldest) * 1e9 / (double)ns : 0;
}

const struct site_sums *sites_oldest(const struct sites *sites, const struct site_view *view)
{
	return sites->seconds == 0 ? &view->now : &view->past[sites->seconds - 1];
}

uint64_t site_verdict(const struct site_sums *sums, enum event_verdict verdict)
{
	uint64_t sum = 0;
	for (size_t reason = 0; reason < EVENT_REASONS; reason++)
		sum += sums->ended[verdict][reason];
	return sum;
}

uint64_t site_ended(const struct site_sums *sums)
{
	uint64_t sum = 0;
	for (size_t verdict = 0; verdict < EVENT_VERDICTS; verdict++)
		sum += site_verdict(sums, (enum event_verdict)verdict);
	return sum;
}
