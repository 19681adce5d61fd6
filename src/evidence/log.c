/*
 * Adding, sealing, turning the journal over, signing, closing; log_open.c takes a log up, log_keys.c changes its key.
 * Records lie in the tail's bundles; how far they are sealed is a mark in these, and what is full and sealed goes to
 * the settler.
 */
#include "evidence/log.h"

#include "base/error.h"
#include "evidence/log_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BATCH_BYTES_MOST = 512 * 1024,
	BATCH_BUNDLES_MOST = JOURNAL_PARTS_MOST - 1,
	RESERVE_BYTES_MOST = 64 * 1024,
};

int log_add(struct log *log, enum leaf_kind kind, uint64_t time_ms, struct slice fields)
{
	struct buffer record = buffer_make(NULL);
	leaf_write(kind, time_ms, &log->clock, fields, &record);
	int r = record.error != 0 ? record.error : tail_push(&log->tail, buffer_slice(&record));
	buffer_free(&record);
	return r;
}

int log_add_values(struct log *log, enum leaf_kind kind, uint64_t time_ms, const struct leaf_value *values)
{
	struct buffer fields = buffer_make(NULL);
	leaf_write_fields(kind, values, &fields);
	int r = fields.error != 0 ? fields.error : log_add(log, kind, time_ms, buffer_slice(&fields));
	buffer_free(&fields);
	return r;
}

static size_t unsealed_bytes(const struct log *log)
{
	size_t bytes = 0, from = log->sealed_bytes;
	for (const struct bundle *bundle = log->sealed_in; bundle != NULL; bundle = bundle->next, from = 0)
		bytes += bundle->bytes.len - from;
	return bytes;
}

bool log_batch_full(const struct log *log)
{
	size_t most = log->journal.half_bytes / 8 < BATCH_BYTES_MOST ? log->journal.half_bytes / 8 : BATCH_BYTES_MOST;
	return log->tail.last->number - log->sealed_in->number >= BATCH_BUNDLES_MOST ||
	       (log->tail.frontier.size % 64 == 0 && unsealed_bytes(log) >= most);
}

/* ---- sealing ---- */

void log_hand_over(struct log *log)
{
	struct bundle *first = log->tail.first, *last = NULL;
	while (log->tail.first != log->sealed_in) {
		last = log->tail.first;
		log->tail.first = last->next;
	}
	if (last == NULL)
		return;
	last->next = NULL;
	log->tail.before = log->sealed;
	log->tail.before.size -= log->sealed.size % TILE_WIDTH;
	settler_give(log->settler, first, last);
}

static void mark_sealed(struct log *log)
{
	log->sealed = log->tail.frontier;
	log->sealed_in = log->tail.last;
	log->sealed_bytes = log->tail.last->bytes.len;
	log_hand_over(log);
}

static struct journal_batch batch_of(const struct log *log)
{
	struct journal_batch batch = {.first = log->sealed.size,
				      .count = (uint32_t)(log->tail.frontier.size - log->sealed.size),
				      .root = merkle_root(&log->tail.frontier)};
	size_t from = log->sealed_bytes;
	for (const struct bundle *bundle = log->sealed_in; bundle != NULL; bundle = bundle->next, from = 0) {
		if (bundle->bytes.len == from)
			continue;
		batch.parts[++batch.part_count] = (struct iovec){bundle->bytes.ptr + from, bundle->bytes.len - from};
		batch.bytes += bundle->bytes.len - from;
	}
	return batch;
}

/* The other half begins with the records of the bundle that is sealed in part. */
static int turn(struct log *log)
{
	struct merkle_frontier before = log->sealed;
	unsigned carried = (unsigned)(log->sealed.size % TILE_WIDTH);
	uint64_t needed = log->other_end - log->other_end % TILE_WIDTH;
	if (settler_settled(log->settler) < needed || log->signed_size < needed)
		return -ENOSPC;
	before.size -= carried;
	struct journal aside = log->journal;
	int r = journal_turn(&log->journal, &before);
	if (r == 0 && carried > 0) {
		struct journal_batch batch = {
			.first = before.size, .count = carried, .root = merkle_root(&log->sealed)};
		batch.parts[++batch.part_count] = (struct iovec){log->sealed_in->bytes.ptr, log->sealed_bytes};
		batch.bytes = log->sealed_bytes;
		r = journal_seal(&log->journal, &batch);
	}
	if (r != 0)
		log->journal = aside;
	else
		log->other_end = log->sealed.size;
	return r;
}

static size_t reserve_bytes(const struct log *log)
{
	return log->journal.half_bytes / 16 < RESERVE_BYTES_MOST ? log->journal.half_bytes / 16 : RESERVE_BYTES_MOST;
}

int log_seal(struct log *log, enum log_reserve reserve)
{
	struct journal_batch batch = batch_of(log);
	if (batch.count == 0)
		return 0;
	size_t needed = batch.bytes + (reserve == LOG_KEEPS_RESERVE ? reserve_bytes(log) : 0);
	if (needed > journal_room(&log->journal)) {
		int turned = turn(log);
		if (turned != 0 && (turned != -ENOSPC || reserve == LOG_KEEPS_RESERVE))
			return turned;
	}
	int r = journal_seal(&log->journal, &batch);
	if (r == 0)
		mark_sealed(log);
	return r;
}

uint64_t log_forget(struct log *log)
{
	uint64_t forgotten = log->tail.frontier.size - log->sealed.size;
	if (forgotten > 0)
		tail_cut_back(&log->tail, &log->sealed);
	return forgotten;
}

/* ---- signing ---- */

static int open_checkpoint(struct log *log, const char *name, struct slice note)
{
	int fd = log->disk->open(log->epoch_folder, name, O_RDWR, 0);
	if (fd != -ENOENT)
		return fd;
	int r = disk_place(log->disk, log->epoch_folder, name, note);
	return r != 0 ? r : log->disk->open(log->epoch_folder, name, O_RDWR, 0);
}

static int open_checkpoints(struct log *log, struct slice note)
{
	static const char *const names[2] = {"checkpoint", "checkpoint.spare"};
	for (int i = 0; i < 2; i++) {
		if (log->checkpoint_fds[i] < 0)
			log->checkpoint_fds[i] = open_checkpoint(log, names[i], note);
		if (log->checkpoint_fds[i] < 0)
			return log->checkpoint_fds[i];
	}
	return 0;
}

/* The spare file has its room already: it is written over and takes the other's place, which a full disk allows. */
static int publish(struct log *log, struct slice note)
{
	int r = open_checkpoints(log, note);
	if (r != 0)
		return r;
	int spare = log->checkpoint_fds[1];
	r = disk_write_slice(log->disk, spare, note, 0);
	if (r == 0)
		r = log->disk->truncate(spare, (off_t)note.len);
	if (r == 0)
		r = log->disk->fdatasync(spare);
	if (r == 0)
		r = log->disk->rename(log->epoch_folder, "checkpoint.spare", "checkpoint", RENAME_EXCHANGE);
	if (r != 0)
		return r;
	log->checkpoint_fds[1] = log->checkpoint_fds[0];
	log->checkpoint_fds[0] = spare;
	return 0;
}

int log_sign(struct log *log)
{
	struct checkpoint checkpoint = {slice_from_string(log->origin), log->sealed.size, merkle_root(&log->sealed)};
	struct buffer note = buffer_make(NULL);
	if (log->signed_size == log->sealed.size)
		return 0;
	int r = checkpoint_sign(&checkpoint, log->key, &note);
	if (r == 0)
		r = publish(log, buffer_slice(&note));
	if (r == 0)
		log->signed_size = checkpoint.size;
	buffer_free(&note);
	return r;
}

struct log_sizes log_sizes(const struct log *log)
{
	return (struct log_sizes){log->tail.frontier.size, log->sealed.size, log->signed_size};
}

struct log_beginning log_beginning(const struct log *log)
{
	return log->beginning;
}

void log_look_at_clock(struct log *log)
{
	log->clock = clock_state_read();
}

int log_folder(const struct log *log)
{
	return log->epoch_folder;
}

struct public_key log_public_key(const struct log *log)
{
	return signing_key_public(log->key);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void log_close(struct log *log)
{
	if (log == NULL)
		return;
	if (log->tail.first != NULL && log->settler != NULL)
		(void)log_forget(log);
	settler_end(log->settler, log->tail.last);
	tail_free(&log->tail);
	journal_close(&log->journal);
	signing_key_free(log->key);
	close_fd(log->checkpoint_fds[0]);
	close_fd(log->checkpoint_fds[1]);
	close_fd(log->epoch_folder);
	close_fd(log->lock);
	close_fd(log->folder);
	recent_free(&log->recent);
	free(log);
}
