/*
 * Reservoirs: one of quiet days, whose count fades by the hour, and one for each window of the last seconds. To be
 * gathered all windows are thinned to the rate of the one that kept least of what it saw.
 */
#include "traffic/sample.h"

#include "base/error.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64 };

struct signature_request sampled_request(const struct sampled *sampled)
{
	struct signature_request request = {.present = sampled->present, .source = sampled->source};
	memcpy(request.field, sampled->field, sizeof(sampled->field));
	signature_complete(&request);
	return request;
}

/* ---- quiet days ---- */

static bool grow(struct quiet_sample *sample)
{
	size_t room = sample->room == 0 ? FIRST_ROOM : sample->room * 2;
	room = room < sample->most ? room : sample->most;
	struct sampled *items = realloc(sample->items, room * sizeof(*items));
	if (items == NULL)
		return false;
	sample->items = items;
	sample->room = room;
	return true;
}

static void fade(struct quiet_sample *sample, uint64_t hour)
{
	if (sample->faded_hour != 0 && hour > sample->faded_hour)
		sample->seen *= exp(-(double)(hour - sample->faded_hour) / SAMPLE_LIFE_HOURS);
	sample->faded_hour = hour;
}

struct sampled *quiet_sample_place(struct quiet_sample *sample, uint64_t wall_s)
{
	if (wall_s / 3600 != sample->faded_hour)
		fade(sample, wall_s / 3600);
	sample->seen++;
	if (sample->count < sample->most) {
		if (sample->count < sample->room || grow(sample))
			return &sample->items[sample->count++];
		return NULL;
	}
	double at = random_unit(&sample->random) * fmax(sample->seen, (double)sample->most);
	return at < (double)sample->count ? &sample->items[(size_t)at] : NULL;
}

void quiet_sample_forget(struct quiet_sample *sample, uint64_t from_s, uint64_t to_s)
{
	size_t kept = 0;
	for (size_t i = 0; i < sample->count; i++)
		if (sample->items[i].at_s < from_s || sample->items[i].at_s > to_s)
			sample->items[kept++] = sample->items[i];
	if (sample->count > 0)
		sample->seen *= (double)kept / (double)sample->count;
	sample->count = kept;
}

void quiet_sample_release(struct quiet_sample *sample)
{
	free(sample->items);
	*sample = (struct quiet_sample){0};
}

/* ---- the last seconds ---- */

int recent_sample_init(struct recent_sample *sample, uint32_t each, uint64_t seed)
{
	*sample = (struct recent_sample){.each = each, .random = seed};
	sample->items = malloc((size_t)each * RECENT_WINDOWS * sizeof(*sample->items));
	return sample->items != NULL ? 0 : -ENOMEM;
}

void recent_sample_release(struct recent_sample *sample)
{
	free(sample->items);
	*sample = (struct recent_sample){0};
}

struct sampled *recent_sample_place(struct recent_sample *sample, uint64_t now_ms)
{
	uint64_t number = now_ms / RECENT_WINDOW_MS;
	struct recent_window *window = &sample->windows[number % RECENT_WINDOWS];
	if (sample->items == NULL)
		return NULL;
	struct sampled *items = sample->items + number % RECENT_WINDOWS * sample->each;
	if (window->number != number)
		*window = (struct recent_window){.number = number};
	window->seen++;
	if (window->count < sample->each)
		return &items[window->count++];
	uint64_t at = (uint64_t)((unsigned __int128)random_next(&sample->random) * window->seen >> 64);
	return at < sample->each ? &items[at] : NULL;
}

/* Whether it lies whole between two times. */
static bool is_within(const struct recent_window *window, uint64_t from_ms, uint64_t now_ms)
{
	return window->seen > 0 && window->number * RECENT_WINDOW_MS >= from_ms &&
	       (window->number + 1) * RECENT_WINDOW_MS <= now_ms &&
	       now_ms - window->number * RECENT_WINDOW_MS <= RECENT_WINDOW_MS * RECENT_WINDOWS;
}

size_t recent_sample_gather(struct recent_sample *sample, uint64_t from_ms, uint64_t now_ms,
			    const struct sampled **places, uint64_t *ret_seen, uint64_t *ret_ms)
{
	double rate = 1;
	size_t count = 0;
	*ret_seen = *ret_ms = 0;
	for (size_t i = 0; i < RECENT_WINDOWS; i++) {
		const struct recent_window *window = &sample->windows[i];
		if (is_within(window, from_ms, now_ms))
			rate = fmin(rate, (double)window->count / (double)window->seen);
	}
	for (size_t i = 0; i < RECENT_WINDOWS && sample->items != NULL; i++) {
		const struct recent_window *window = &sample->windows[i];
		if (!is_within(window, from_ms, now_ms))
			continue;
		*ret_seen += window->seen;
		*ret_ms += RECENT_WINDOW_MS;
		double kept = rate * (double)window->seen / (double)window->count;
		for (size_t j = 0; j < window->count; j++)
			if (kept >= 1 || random_unit(&sample->random) < kept)
				places[count++] = &sample->items[i * sample->each + j];
	}
	return count;
}

const struct sampled *recent_sample_next(const struct recent_sample *sample, uint64_t from_ms, uint64_t now_ms,
					 size_t *cursor)
{
	while (sample->items != NULL && *cursor < (size_t)sample->each * RECENT_WINDOWS) {
		size_t at = (*cursor)++;
		const struct recent_window *window = &sample->windows[at / sample->each];
		if (at % sample->each < window->count && is_within(window, from_ms, now_ms))
			return &sample->items[at];
	}
	return NULL;
}
