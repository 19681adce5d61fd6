/*
 * Whoever writes the log does not say where it put a record. So it is looked for, by the export's id and its step, in
 * what has been signed since, again and again until it is there; and so is a timestamp of what has it.
 */
#include "bundle/seal.h"

#include "base/error.h"
#include "evidence/disk.h"
#include "evidence/kept_file.h"
#include "evidence/stamps.h"
#include "evidence/verify.h"
#include "evidence/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEP_MS = 20 };

void seal_values(const struct seal_entry *entry, uint64_t user, struct leaf_value values[LEAF_FIELDS_MOST])
{
	const struct leaf_value all[] = {
		leaf_text(slice_from_string(entry->plan->id)),
		leaf_text(slice_from_string(entry->step)),
		leaf_number(entry->plan->incident),
		leaf_number(user),
		leaf_text(slice_from_string(entry->plan->why)),
		{.bytes = {entry->manifest == NULL ? NULL : entry->manifest->bytes, MERKLE_HASH_BYTES}},
		{.number = entry->files, .given = entry->manifest != NULL},
		{.number = entry->bytes, .given = entry->manifest != NULL},
	};
	memset(values, 0, LEAF_FIELDS_MOST * sizeof(*values));
	memcpy(values, all, sizeof(all));
}

/* ---- finding the record ---- */

struct last_epoch {
	unsigned number;
	int folder;
};

static struct last_epoch open_last(const char *log)
{
	unsigned number = verify_highest_epoch(log);
	return (struct last_epoch){number, number == 0 ? -ENOENT : verify_open_epoch(log, number)};
}

/* How much was signed; 0 where nothing was. */
static uint64_t signed_size(int folder)
{
	struct view view;
	uint64_t size = view_open(folder, &view) == 0 ? view.checkpoint.size : 0;
	view_close(&view);
	return size;
}

static int look_in(const struct view *view, uint64_t from, struct slice wanted, uint64_t *ret_record)
{
	struct buffer bytes = buffer_make(NULL);
	struct slice record;
	int r = 0;
	for (uint64_t n = from / TILE_WIDTH; r == 0 && n * TILE_WIDTH < view->checkpoint.size; n++) {
		uint64_t index = n * TILE_WIDTH;
		buffer_clear(&bytes);
		r = view_bundle(view, n, &bytes);
		struct reader reader = reader_make(buffer_slice(&bytes));
		for (; r == 0 && index < view->checkpoint.size && bundle_next(&reader, &record); index++)
			if (index >= from && slice_find(record, wanted, 0) < record.len) {
				buffer_free(&bytes);
				*ret_record = index;
				return 0;
			}
	}
	buffer_free(&bytes);
	return r != 0 ? r : -ENOENT;
}

static int look(const char *log, const struct last_epoch *before, uint64_t from, struct slice wanted,
		struct seal_place *place)
{
	struct last_epoch now = open_last(log);
	struct view view;
	if (now.folder < 0)
		return now.folder;
	int r = view_open(now.folder, &view);
	r = r != 0 ? r : look_in(&view, now.number == before->number ? from : 0, wanted, &place->record);
	if (r == 0) {
		place->epoch = now.number;
		buffer_add(&place->note, buffer_slice(&view.note));
		r = place->note.error;
	}
	view_close(&view);
	close(now.folder);
	return r;
}

int seal_put(const struct seal_register *recorder, const char *log, const struct seal_entry *entry,
	     struct seal_place *ret_place)
{
	struct last_epoch before = open_last(log);
	char wanted[128];
	*ret_place = (struct seal_place){.note = buffer_make(NULL)};
	if (before.folder < 0)
		return before.folder;
	uint64_t from = signed_size(before.folder);
	close(before.folder);
	int len = snprintf(wanted, sizeof(wanted), "\"id\":\"%s\",\"step\":\"%s\"", entry->plan->id, entry->step);
	int r = recorder->record(recorder->context, entry);
	if (r != 0)
		return r;
	r = -ENOENT;
	for (unsigned waited = 0; r == -ENOENT && waited < SEAL_SIGNED_WAIT_MS; waited += STEP_MS) {
		r = look(log, &before, from, slice_make(wanted, (size_t)len), ret_place);
		if (r == -ENOENT)
			usleep(STEP_MS * 1000);
	}
	return r == -ENOENT ? -ETIMEDOUT : r;
}

void seal_place_free(struct seal_place *place)
{
	buffer_free(&place->note);
}

/* ---- the bag's signature ---- */

static int read_stamp(int folder, uint64_t size, const char *what, struct buffer *out)
{
	char path[64];
	buffer_clear(out);
	snprintf(path, sizeof(path), "timestamps/%" PRIu64 ".%s", size, what);
	return kept_file_read(folder, path, NOTE_BYTES_MOST, out);
}

/* A stamp of what was signed with the record in: takes the place of the note. */
static bool find_stamp(int folder, uint64_t record, struct buffer *note, struct buffer *reply)
{
	uint64_t *sizes = NULL;
	size_t count = 0;
	bool found = false;
	if (stamps_list(folder, &sizes, &count) != 0)
		return false;
	for (size_t i = 0; i < count && !found; i++)
		found = sizes[i] > record && read_stamp(folder, sizes[i], "tsr", reply) == 0 &&
			read_stamp(folder, sizes[i], "checkpoint", note) == 0;
	free(sizes);
	return found;
}

static int place_proof(const struct view *view, uint64_t index, int bag)
{
	struct buffer record = buffer_make(NULL), proof = buffer_make(NULL);
	const struct merkle_source source = view_source(view);
	struct log_proof made = {.index = index, .note = buffer_slice(&view->note)};
	int r = view_record(view, index, &record);
	r = r != 0 ? r : merkle_prove_inclusion(&source, index, view->checkpoint.size, &made.inclusion);
	if (r == 0)
		log_proof_write(&made, &proof);
	r = r != 0 ? r : proof.error;
	r = r != 0 ? r : disk_place(&disk_kernel, bag, "export.json", buffer_slice(&record));
	r = r != 0 ? r : disk_place(&disk_kernel, bag, "export.tlog-proof", buffer_slice(&proof));
	r = r != 0 ? r : disk_place(&disk_kernel, bag, "export.checkpoint", buffer_slice(&view->note));
	buffer_free(&record);
	buffer_free(&proof);
	return r;
}

static int place_key(const struct view *view, int bag)
{
	uint8_t info[PUBLIC_KEY_INFO_BYTES];
	struct public_key key;
	int r = view_key(view, NULL, NULL, &key);
	if (r != 0)
		return r;
	public_key_info(&key, info);
	return disk_place(&disk_kernel, bag, "export.key.der", slice_make(info, sizeof(info)));
}

int seal_write(const struct seal_register *recorder, const char *log, const struct seal_place *place, int bag,
	       bool *ret_stamped)
{
	struct buffer note = buffer_make(NULL), reply = buffer_make(NULL);
	struct view view = {.note = buffer_make(NULL)};
	int folder = verify_open_epoch(log, place->epoch);
	if (folder < 0)
		return folder;
	*ret_stamped = find_stamp(folder, place->record, &note, &reply);
	for (unsigned waited = 0; !*ret_stamped && waited < recorder->stamp_wait_ms; waited += STEP_MS) {
		usleep(STEP_MS * 1000);
		*ret_stamped = find_stamp(folder, place->record, &note, &reply);
	}
	int r = view_open_at(folder, *ret_stamped ? buffer_slice(&note) : buffer_slice(&place->note), &view);
	r = r != 0 ? r : place_proof(&view, place->record, bag);
	r = r != 0 ? r : place_key(&view, bag);
	if (r == 0 && *ret_stamped)
		r = disk_place(&disk_kernel, bag, "export.tsr", buffer_slice(&reply));
	view_close(&view);
	close(folder);
	buffer_free(&note);
	buffer_free(&reply);
	return r;
}
