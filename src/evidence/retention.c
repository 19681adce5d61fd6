/*
 * Parcels by the times in their names, bundles by the times of their records. Of each all is chosen first, then the log
 * is told, and only then is anything removed.
 */
#include "evidence/retention.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/vector.h"
#include "evidence/body_read.h"
#include "evidence/holds.h"
#include "evidence/leaf.h"
#include "evidence/log.h"
#include "evidence/verify.h"
#include "evidence/view.h"
#include "evidence/walk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct run {
	const struct disk_calls *disk;
	const char *folder;
	uint64_t cutoff_ms;
	char why[64];
	retention_say_fn *say;
	void *context;
	struct holds *holds;
	struct retention_sums *sums;
};

static void set_cutoff(struct run *run, unsigned days, uint64_t now_ms)
{
	run->cutoff_ms = now_ms > days * DAY_MS ? now_ms - days * DAY_MS : 0;
	snprintf(run->why, sizeof(run->why), "older than %u days", days);
}

/*
 * What cannot be removed keeps none of the others. Half of the time the disk is left to those who seal meanwhile: a
 * journal's commit has to wait for what was given free.
 */
static void remove_one(const struct run *run, int folder, const char *path, uint64_t *sum, int *ret_error)
{
	uint64_t began_ns = clock_monotonic_ns();
	int r = run->disk->unlink(folder, path);
	usleep((useconds_t)((clock_monotonic_ns() - began_ns) / 1000));
	*sum += r == 0 ? 1 : 0;
	if (r != 0 && r != -ENOENT && *ret_error == 0)
		*ret_error = r;
}

/*
 * Asked just before each goes, for a run takes long: what is ordered to be held meanwhile stays, though the log has
 * said that it may be gone. Where holds cannot be read, nothing goes.
 */
static bool may_go(const struct run *run, uint64_t from_ms, uint64_t to_ms, int *ret_error)
{
	int r = holds_load(run->folder, run->holds);
	if (r != 0 && *ret_error == 0)
		*ret_error = r;
	bool held = r == 0 && holds_cover(run->holds, from_ms, to_ms);
	run->sums->held += held ? 1 : 0;
	return r == 0 && !held;
}

/* ---- messages ---- */

/* Old enough, and not held: they come to the front. */
static size_t choose_parcels(const struct run *run, struct body_parcels *parcels, uint64_t *ret_from, uint64_t *ret_to)
{
	size_t chosen = 0;
	*ret_from = UINT64_MAX;
	*ret_to = 0;
	for (size_t i = 0; i < parcels->count; i++) {
		uint64_t first, last;
		char *path = parcels->paths[i];
		(void)body_parcel_times(slice_from_string(path), &first, &last);
		bool held = holds_cover(run->holds, first, last);
		run->sums->held += last < run->cutoff_ms && held ? 1 : 0;
		if (last >= run->cutoff_ms || held)
			continue;
		*ret_from = first < *ret_from ? first : *ret_from;
		*ret_to = last > *ret_to ? last : *ret_to;
		parcels->paths[i] = parcels->paths[chosen];
		parcels->paths[chosen++] = path;
	}
	return chosen;
}

static int delete_parcels(const struct run *run)
{
	char bodies[PATH_MAX];
	struct body_parcels parcels;
	uint64_t from, to;
	snprintf(bodies, sizeof(bodies), "%s/" BODY_FOLDER, run->folder);
	int r = body_parcels_list(bodies, 0, run->cutoff_ms, &parcels);
	if (r != 0)
		return r;
	size_t count = choose_parcels(run, &parcels, &from, &to);
	int folder = count == 0 ? -1 : open(bodies, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (count > 0 && folder < 0)
		r = -errno;
	if (folder >= 0 && run->say(run->context, "messages", from, to, run->why))
		for (size_t i = 0; i < count; i++) {
			(void)body_parcel_times(slice_from_string(parcels.paths[i]), &from, &to);
			if (may_go(run, from, to, &r))
				remove_one(run, folder, parcels.paths[i], &run->sums->parcels, &r);
		}
	if (folder >= 0)
		close(folder);
	body_parcels_free(&parcels);
	return r;
}

/* ---- records ---- */

struct glance {
	bool there; /* not deleted before */
	bool of_keys;
	uint64_t first_ms;          /* when its first record was written */
	uint64_t least_ms, most_ms; /* any of them: the clock may have been set back */
};

/* Of its records, the first one's time and the bounds of all. What cannot be read may be of any time. */
static int times_of(struct slice bundle, struct glance *glance)
{
	struct reader reader = reader_make(bundle);
	struct slice record;
	struct leaf leaf;
	if (!bundle_next(&reader, &record) || leaf_read(record, &leaf) == LEAF_MALFORMED)
		return -EBADMSG;
	glance->first_ms = glance->least_ms = glance->most_ms = leaf.time_ms;
	while (bundle_next(&reader, &record)) {
		bool read = leaf_read(record, &leaf) != LEAF_MALFORMED;
		uint64_t least_ms = read ? leaf.time_ms : 0, most_ms = read ? leaf.time_ms : UINT64_MAX;
		glance->least_ms = least_ms < glance->least_ms ? least_ms : glance->least_ms;
		glance->most_ms = most_ms > glance->most_ms ? most_ms : glance->most_ms;
	}
	return 0;
}

static int glance_at(const struct view *view, uint64_t number, struct glance *ret_glance)
{
	struct buffer bytes = buffer_make(NULL);
	struct glance glance = {.there = false};
	int r = view_bundle(view, number, &bytes);
	r = r != 0 ? r : times_of(buffer_slice(&bytes), &glance);
	glance.there = r == 0;
	glance.of_keys = slice_find(buffer_slice(&bytes), SLICE("\"kind\":\"key-rotation\""), 0) < bytes.len;
	*ret_glance = glance;
	buffer_free(&bytes);
	return r == -ENOENT ? 0 : r;
}

/* Bundles [from, to) that are not there any more, or are about to be deleted. */
struct span {
	uint64_t from, to;
};

struct doomed {
	uint64_t number;
	uint64_t least_ms, most_ms;
};

struct choice {
	struct doomed *bundles; /* about to be deleted */
	size_t count, room;
	struct span *spans; /* with those that were deleted before: what is held or of keys lies between two */
	size_t span_count, span_room;
};

static int add_bundle(struct choice *choice, uint64_t number, const struct glance *glance)
{
	int r = vector_grow((void **)&choice->bundles, &choice->room, choice->count, sizeof(*choice->bundles));
	if (r == 0)
		choice->bundles[choice->count++] = (struct doomed){number, glance->least_ms, glance->most_ms};
	return r;
}

static int add_to_spans(struct choice *choice, uint64_t number)
{
	struct span *last = choice->span_count > 0 ? &choice->spans[choice->span_count - 1] : NULL;
	if (last != NULL && last->to == number) {
		last->to++;
		return 0;
	}
	int r = vector_grow((void **)&choice->spans, &choice->span_room, choice->span_count, sizeof(*choice->spans));
	if (r == 0)
		choice->spans[choice->span_count++] = (struct span){number, number + 1};
	return r;
}

static bool has_tile(const struct view *view, uint64_t number)
{
	char path[TILE_PATH_BYTES];
	tile_path((struct tile_name){0, number, TILE_WIDTH}, path);
	return faccessat(view->folder, path, F_OK, 0) == 0;
}

/*
 * Bundles whose records are all older: the next one begins before the cutoff. Never the first, which has the key, nor
 * what may not have a tile yet: a whole tile of hashes stands for each that goes.
 */
static int choose_bundles(const struct run *run, const struct view *view, struct choice *ret_choice)
{
	/* Those that the journal has too, it has until it has turned over them. */
	uint64_t signed_bundles = view->checkpoint.size / TILE_WIDTH;
	uint64_t settled = view->has_tail ? view->tail.before.size / TILE_WIDTH : 0;
	uint64_t bundles = settled < signed_bundles ? settled : signed_bundles;
	struct glance here, next;
	int r = bundles < 3 ? 0 : glance_at(view, 1, &here);
	for (uint64_t n = 1; r == 0 && n + 1 < bundles; n++, here = next) {
		r = glance_at(view, n + 1, &next);
		if (r != 0 || (next.there && next.first_ms >= run->cutoff_ms))
			break;
		if (here.there && (here.of_keys || !has_tile(view, n)))
			continue;
		bool held = here.there && holds_cover(run->holds, here.least_ms, here.most_ms);
		run->sums->held += held ? 1 : 0;
		if (held)
			continue;
		r = here.there ? add_bundle(ret_choice, n, &here) : 0;
		r = r != 0 ? r : add_to_spans(ret_choice, n);
	}
	return r;
}

/* What was deleted before is told again: the words of then are deleted with what is as old. */
static bool say_spans(const struct run *run, unsigned epoch, const struct choice *choice)
{
	char of[32];
	bool said = true;
	snprintf(of, sizeof(of), WALK_DELETED_RECORDS "%u", epoch);
	for (size_t i = 0; said && i < choice->span_count; i++)
		said = run->say(run->context, of, choice->spans[i].from * TILE_WIDTH, choice->spans[i].to * TILE_WIDTH,
				run->why);
	return said;
}

static void delete_bundle(const struct run *run, int folder, const struct doomed *bundle, int *ret_error)
{
	char path[TILE_PATH_BYTES];
	tile_path((struct tile_name){TILE_ENTRIES, bundle->number, TILE_WIDTH}, path);
	if (may_go(run, bundle->least_ms, bundle->most_ms, ret_error))
		remove_one(run, folder, path, &run->sums->bundles, ret_error);
}

static int delete_bundles_of(const struct run *run, unsigned epoch, int folder)
{
	struct choice choice = {.count = 0};
	struct view view;
	int r = view_open(folder, &view);
	r = r != 0 ? r : choose_bundles(run, &view, &choice);
	if (r == 0 && choice.count > 0 && say_spans(run, epoch, &choice))
		for (size_t i = 0; i < choice.count; i++)
			delete_bundle(run, folder, &choice.bundles[i], &r);
	free(choice.bundles);
	free(choice.spans);
	view_close(&view);
	return r == -ENOENT ? 0 : r;
}

static int delete_records(const struct run *run)
{
	int r = 0;
	for (unsigned epoch = 1; r == 0 && epoch <= LOG_EPOCHS_MOST; epoch++) {
		int folder = verify_open_epoch(run->folder, epoch);
		if (folder < 0)
			break;
		r = delete_bundles_of(run, epoch, folder);
		close(folder);
	}
	return r;
}

int retention_run(const struct disk_calls *disk, const char *folder, const struct retention_policy *policy,
		  uint64_t now_ms, retention_say_fn *say, void *context, struct retention_sums *ret_sums)
{
	struct holds *holds = malloc(sizeof(*holds));
	struct run run = {
		.disk = disk, .folder = folder, .say = say, .context = context, .holds = holds, .sums = ret_sums};
	*ret_sums = (struct retention_sums){.parcels = 0};
	int r = holds == NULL ? -ENOMEM : holds_load(folder, holds);
	if (r == 0 && policy->messages_days > 0) {
		set_cutoff(&run, policy->messages_days, now_ms);
		r = delete_parcels(&run);
	}
	if (r == 0 && policy->records_days > 0) {
		set_cutoff(&run, policy->records_days, now_ms);
		r = delete_records(&run);
	}
	free(holds);
	return r;
}
