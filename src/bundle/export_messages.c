/*
 * Messages come in at three times: which there are, for the plan; what is in them, before records are taken; and those
 * that stay sealed, once it is known by the bag's records which are named (parcels.h).
 */
#include "bundle/export_inside.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "bundle/bag.h"
#include "bundle/parcels.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	/* From a message to its parcel, a disk in order. */
	PARCEL_LATEST_MS = BODY_PARCEL_MS + 500,
};

enum plan_messages export_messages_wish(const struct work *w)
{
	if (w->parcels.count == 0)
		return PLAN_NONE;
	return w->key != NULL ? PLAN_CLEAR : PLAN_SEALED;
}

static int list(struct work *w, const struct export_plan *plan)
{
	body_parcels_free(&w->parcels);
	return body_parcels_list(w->bodies_path, plan->from_ms, plan->to_ms, &w->parcels);
}

int export_messages_open(struct work *w)
{
	snprintf(w->bodies_path, sizeof(w->bodies_path), "%s/" BODY_FOLDER, w->order->log);
	int r = list(w, w->wished);
	if (r != 0 || w->order->key == NULL)
		return r;
	export_at(w, w->order->key);
	r = export_key_load(w->order->key, &w->key);
	if (r == 0)
		export_at(w, "");
	return r == ENVELOPE_BAD ? EXPORT_KEY_BAD : r;
}

/* Messages of the last records that the bag is of may wait for their parcel, while the incident is on. */
static void wait_for_parcels(const struct work *w)
{
	uint64_t now_ms = clock_now_ms(), from_ms = w->plan.at_ms, until_ms = w->plan.at_ms + PARCEL_LATEST_MS;
	if (w->plan.to_ms >= from_ms && now_ms >= from_ms && now_ms < until_ms)
		(void)poll(NULL, 0, (int)(until_ms - now_ms));
}

int export_messages_index(struct work *w)
{
	if (w->plan.messages == PLAN_NONE)
		return 0;
	wait_for_parcels(w);
	int r = list(w, &w->plan);
	if (r != 0 || w->plan.messages != PLAN_CLEAR)
		return r;
	export_progress(w, "messages", 0, w->parcels.count);
	r = body_index_create(w->bodies_path, &w->parcels, w->key, &w->bodies);
	w->result->unopened_parcels = r == 0 ? body_index_sums(w->bodies).unopened : 0;
	return r;
}

/* One that retention takes meanwhile is not there. */
static int copy_parcel(struct work *w, const char *name)
{
	struct buffer sealed = buffer_make(NULL);
	char from[2 * PATH_MAX], to[PATH_MAX];
	snprintf(from, sizeof(from), "%s/%s", w->bodies_path, name);
	snprintf(to, sizeof(to), "data/messages/%s", name);
	int r = file_read(from, 2 * BODY_PARCEL_BYTES_MOST, &sealed);
	if (r == 0) {
		r = disk_place(&disk_kernel, w->bag, to, buffer_slice(&sealed));
		w->result->sealed_parcels += r == 0 ? 1 : 0;
	}
	buffer_free(&sealed);
	return r == -ENOENT ? 0 : r;
}

int export_messages_copy(struct work *w)
{
	if (w->plan.messages == PLAN_NONE || (w->bodies != NULL && w->result->unopened_parcels == 0))
		return 0;
	bool *named = calloc(w->parcels.count + 1, sizeof(*named));
	int r = named == NULL ? -ENOMEM : parcels_named(w->bag, &w->parcels, named);
	for (size_t i = 0; r == 0 && i < w->parcels.count; i++) {
		if (named[i] && (w->bodies == NULL || body_index_is_unopened(w->bodies, i)))
			r = copy_parcel(w, w->parcels.paths[i]);
		export_progress(w, "sealed messages", i + 1, w->parcels.count);
	}
	free(named);
	return r;
}
