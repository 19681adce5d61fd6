/*
 * The course of an export: the plan, made or taken up; epochs, chunk by chunk; messages, papers, manifests; the log's
 * last word; the name. The log is told of it before there is a plan: what is exported is what was signed with that word
 * in.
 */
#include "bundle/export_inside.h"

#include "base/error.h"
#include "base/file.h"
#include "bundle/bag.h"
#include "bundle/extract.h"
#include "evidence/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAN_FILE ".plan"

enum { PLAN_BYTES_MOST = 64 << 20 };

/* ---- the plan ---- */

/* When an epoch's records are from: of its first, and UINT64_MAX if it goes on. */
static int epoch_begins(int folder, struct view *view, uint64_t *ret_ms)
{
	struct buffer record = buffer_make(NULL);
	struct leaf leaf = {.time_ms = 0};
	int r = view_open(folder, view);
	r = r != 0 ? r : view_record(view, 0, &record);
	r = r == 0 && leaf_read(buffer_slice(&record), &leaf) == LEAF_MALFORMED ? -EBADMSG : r;
	buffer_free(&record);
	*ret_ms = leaf.time_ms;
	return r;
}

static int add_epoch(struct export_plan *plan, unsigned number, const struct view *view, const struct seal_place *begun)
{
	if (plan->epoch_count == PLAN_EPOCHS_MOST)
		return -E2BIG;
	struct export_epoch *epoch = &plan->epochs[plan->epoch_count++];
	bool last = number == begun->epoch;
	*epoch = (struct export_epoch){.number = number, .begun = last ? begun->record : UINT64_MAX};
	buffer_add(&epoch->note, last ? buffer_slice(&begun->note) : buffer_slice(&view->note));
	return epoch->note.error;
}

/* The one in which the export was noted down, and those before it that are of the incident's time. */
static int choose_epochs(struct work *w, const struct seal_place *begun)
{
	uint64_t next_ms = UINT64_MAX;
	int r = 0;
	for (unsigned number = begun->epoch; r == 0 && number > 0; number--) {
		int folder = verify_open_epoch(w->order->log, number);
		uint64_t first_ms = 0;
		struct view view;
		if (folder < 0)
			return folder;
		r = epoch_begins(folder, &view, &first_ms);
		if (r == 0 && (number == begun->epoch || (first_ms <= w->plan.to_ms && next_ms >= w->plan.from_ms)))
			r = add_epoch(&w->plan, number, &view, begun);
		/* One in which nothing was signed has nothing to show. */
		r = r == -ENOENT && number < begun->epoch ? 0 : r;
		next_ms = first_ms;
		view_close(&view);
		close(folder);
	}
	return r;
}

static int write_plan(const struct work *w)
{
	struct buffer text = buffer_make(NULL);
	char path[PATH_MAX + 8];
	export_plan_write(&w->plan, &text);
	snprintf(path, sizeof(path), "%s/" PLAN_FILE, w->part);
	int r = text.error != 0 ? text.error : file_replace(path, buffer_slice(&text), 0640);
	buffer_free(&text);
	return r;
}

static int put(struct work *w, const char *step, const struct merkle_hash *manifest, struct seal_place *ret_place)
{
	const struct seal_entry entry = {step, &w->plan, manifest, w->result->files, w->result->bytes};
	export_at(w, w->order->log);
	int r = seal_put(&w->order->seal, w->order->log, &entry, ret_place);
	r = r == -ETIMEDOUT ? EXPORT_UNSIGNED : r;
	if (r == 0)
		export_at(w, "");
	return r;
}

static int wish(struct work *w)
{
	const struct export_order *order = w->order;
	w->wished = calloc(1, sizeof(*w->wished));
	if (w->wished == NULL)
		return -ENOMEM;
	int r = export_plan_make(order->store, order->record, order->now_ms, w->wished);
	w->wished->user = order->user;
	snprintf(w->wished->why, sizeof(w->wished->why), "%s", order->why);
	snprintf(w->wished->languages, sizeof(w->wished->languages), "%s", order->languages);
	return r;
}

static int remove_one(void *context, const char *path)
{
	const struct work *w = context;
	return unlinkat(w->bag, path, 0) == 0 ? 0 : -errno;
}

/* One that was whole but for its name, when its plan had gone already: nothing of it may stay beside what is made anew.
 */
static int clear(struct work *w)
{
	return faccessat(w->bag, "export.json", F_OK, 0) == 0 ? bag_each_file(w->bag, ".", remove_one, w) : 0;
}

static int begin_plan(struct work *w)
{
	struct seal_place begun;
	w->plan = *w->wished;
	int r = clear(w);
	r = r != 0 ? r : export_plan_name(&w->plan);
	if (r != 0)
		return r;
	r = put(w, "begun", NULL, &begun);
	r = r != 0 ? r : choose_epochs(w, &begun);
	r = r != 0 ? r : write_plan(w);
	seal_place_free(&begun);
	return r;
}

static int make_plan(struct work *w)
{
	struct buffer text = buffer_make(NULL);
	char path[PATH_MAX + 8];
	w->wished->messages = export_messages_wish(w);
	snprintf(path, sizeof(path), "%s/" PLAN_FILE, w->part);
	int r = file_read(path, PLAN_BYTES_MOST, &text);
	if (r == -ENOENT) {
		r = begin_plan(w);
	} else if (r == 0) {
		w->result->resumed = true;
		r = export_plan_read(buffer_slice(&text), &w->plan) && export_plan_same(&w->plan, w->wished)
			    ? 0
			    : EXPORT_OTHER;
	}
	buffer_free(&text);
	return r;
}

/* ---- chunks ---- */

static void sum_up(struct work *w, const struct chunk_sums *sums)
{
	w->result->sums.records += sums->records;
	w->result->sums.other_sites += sums->other_sites;
	w->result->sums.other_incidents += sums->other_incidents;
	w->result->sums.messages += sums->messages;
	w->result->sums.unfound += sums->unfound;
}

static int take_chunks(struct work *w, const struct extract *extract, uint64_t bundles)
{
	int r = 0;
	for (uint64_t chunk = 0; r == 0 && chunk * CHUNK_BUNDLES < bundles; chunk++) {
		struct chunk_sums sums;
		unsigned wanted = chunk_bundles(extract, chunk);
		if (wanted == 0)
			continue;
		if (!export_done_get(w, extract->epoch->number, chunk, &sums)) {
			r = chunk_write(extract, chunk, &sums);
			r = r != 0 ? r : export_done_put(w, extract->epoch->number, chunk, &sums);
		}
		if (r == 0)
			sum_up(w, &sums);
		w->done += wanted;
		export_progress(w, "records", w->done * TILE_WIDTH, w->of * TILE_WIDTH);
	}
	return r;
}

static uint64_t count_wanted(const struct epoch_source *source)
{
	uint64_t count = 0;
	for (uint64_t i = 0; i < epoch_source_bundles(source); i++)
		count += source->wanted[i] != CHUNK_LEAVES_OUT;
	return count;
}

static int take_epoch(struct work *w, const struct export_epoch *epoch)
{
	struct epoch_source source;
	int r = epoch_source_open(w->order->log, &w->plan, epoch, &source);
	if (r == 0) {
		const struct extract extract = {.plan = &w->plan,
						.epoch = epoch,
						.view = &source.view,
						.pyramid = source.pyramid,
						.bodies = w->bodies,
						.folder = w->bag,
						.wanted = source.wanted};
		w->of += count_wanted(&source);
		r = take_chunks(w, &extract, epoch_source_bundles(&source));
		r = r != 0 ? r : epoch_source_place(&source, epoch, w->bag);
	}
	epoch_source_free(&source);
	return r == -EBADMSG ? EXPORT_ALTERED : r;
}

/* ---- the whole of it ---- */

static int open_part(struct work *w)
{
	static const char *const folders[] = {"data", "data/warc", EXPORT_DONE_FOLDER};
	struct stat stat;
	if (lstat(w->order->to, &stat) == 0)
		return EXPORT_EXISTS;
	if (snprintf(w->part, sizeof(w->part), "%s.part", w->order->to) >= (int)sizeof(w->part))
		return -ENAMETOOLONG;
	export_at(w, w->part);
	if (mkdir(w->part, 0750) != 0 && errno != EEXIST)
		return -errno;
	w->bag = open(w->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->bag < 0)
		return -errno;
	if (flock(w->bag, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? EXPORT_UNFINISHED : -errno;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdirat(w->bag, folders[i], 0750) != 0 && errno != EEXIST)
			return -errno;
	export_at(w, "");
	return 0;
}

static int take_name(struct work *w)
{
	int r = bag_each_file(w->bag, EXPORT_DONE_FOLDER, remove_one, w);
	if (r == 0 && (unlinkat(w->bag, EXPORT_DONE_FOLDER, AT_REMOVEDIR) != 0 || unlinkat(w->bag, PLAN_FILE, 0) != 0))
		r = -errno;
	if (r == 0 &&
	    (syncfs(w->bag) != 0 || renameat2(AT_FDCWD, w->part, AT_FDCWD, w->order->to, RENAME_NOREPLACE) != 0))
		r = errno == EEXIST ? EXPORT_EXISTS : -errno;
	return r == 0 && syncfs(w->bag) != 0 ? -errno : r;
}

static int finish(struct work *w, const struct papers *papers)
{
	struct merkle_hash manifest;
	struct seal_place place = {.note = buffer_make(NULL)};
	int r = export_manifests(w, papers, &manifest);
	r = r == 0 && syncfs(w->bag) != 0 ? -errno : r;
	r = r != 0 ? r : put(w, "finished", &manifest, &place);
	if (r == 0)
		export_progress(w, "timestamp", 0, 0);
	r = r != 0 ? r : seal_write(&w->order->seal, w->order->log, &place, w->bag, &w->result->stamped);
	seal_place_free(&place);
	return r != 0 ? r : take_name(w);
}

static int fill(struct work *w)
{
	int r = export_messages_index(w);
	for (size_t i = 0; r == 0 && i < w->plan.epoch_count; i++)
		r = take_epoch(w, &w->plan.epochs[i]);
	r = r != 0 ? r : export_messages_copy(w);
	const struct papers papers = {.plan = &w->plan,
				      .store = w->order->store,
				      .record = w->order->record,
				      .incident = w->order->incident,
				      .sums = w->result->sums,
				      .sealed_parcels = w->result->sealed_parcels,
				      .unopened_parcels = w->result->unopened_parcels,
				      .bag = w->bag};
	int told = r != 0 ? 0 : papers_reports(&papers);
	r = r != 0 ? r : told > 0 ? -EIO : told;
	r = r != 0 ? r : papers_custody(&papers);
	return r != 0 ? r : finish(w, &papers);
}

int export_run(const struct export_order *order, struct export_result *ret_result)
{
	struct work *w = calloc(1, sizeof(*w));
	*ret_result = (struct export_result){.files = 0};
	if (w == NULL)
		return -ENOMEM;
	w->order = order;
	w->result = ret_result;
	w->bag = -1;
	int r = wish(w);
	r = r != 0 ? r : export_messages_open(w);
	r = r != 0 ? r : open_part(w);
	r = r != 0 ? r : make_plan(w);
	r = r != 0 ? r : fill(w);
	if (w->bag >= 0)
		close(w->bag);
	body_index_free(w->bodies);
	body_parcels_free(&w->parcels);
	export_key_free(w->key);
	export_plan_free(&w->plan);
	free(w->wished);
	free(w);
	return r;
}
