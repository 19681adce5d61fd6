/*
 * From the last epoch back, for each names the end of the one before. An epoch is walked once, with a mark at each size
 * that anything vouches for; then what vouches is compared: the checkpoint, the next epoch, the anchor, timestamps.
 */
#include "evidence/verify.h"

#include "base/error.h"
#include "codec/text.h"
#include "evidence/kept_file.h"
#include "evidence/log.h"
#include "evidence/stamps.h"
#include "evidence/tile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The last epoch is looked for beyond so many numbers of which there is none. */
enum { EPOCHS_MISSING_MOST = 100 };

struct verification {
	const char *path;
	const struct verify_options *options;
	struct verify_report *report;
	struct checkpoint anchor;
	bool has_anchor, anchor_is_of_here;
	unsigned last;
	struct walk_spans deleted;
	/* What the epoch after this one says of it. */
	bool has_next;
	char next_previous[LOG_NAME_BYTES_MOST + 8];
	uint64_t next_size;
	struct merkle_hash next_root;
	struct public_key first_key;
	struct buffer told; /* of later epochs, which are read before earlier ones */
};

static int open_folder(const char *path, unsigned epoch)
{
	char name[PATH_MAX];
	snprintf(name, sizeof(name), "%s/%04u", path, epoch);
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

unsigned verify_highest_epoch(const char *path)
{
	char name[PATH_MAX];
	unsigned last = 0;
	for (unsigned epoch = 1; epoch <= LOG_EPOCHS_MOST && epoch <= last + EPOCHS_MISSING_MOST; epoch++) {
		snprintf(name, sizeof(name), "%s/%04u", path, epoch);
		last = faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? epoch : last;
	}
	return last;
}

int verify_open_epoch(const char *path, unsigned epoch)
{
	return open_folder(path, epoch != 0 ? epoch : verify_highest_epoch(path));
}

/* The earliest epoch's word counts. */
static void conclude(struct verification *v, unsigned epoch, enum finding finding, uint64_t record, const char *what)
{
	static const char *const names[] = {[FINDING_ALTERED] = "ALTERED",     [FINDING_MISSING] = "MISSING",
					    [FINDING_TRUNCATED] = "TRUNCATED", [FINDING_BADLY_SIGNED] = "BADLY SIGNED",
					    [FINDING_CLOCK] = "CLOCK",         [FINDING_NEWER] = "NEWER"};
	struct buffer *out = &v->report->text;
	v->report->finding = finding;
	v->report->epoch = epoch;
	v->report->record = record;
	buffer_clear(out);
	buffer_printf(out, "%s: epoch %u, record %" PRIu64 ": %s\n", names[finding], epoch, record, what);
}

/* ---- one epoch ---- */

/* A checkpoint of this epoch, of a size that was reached, against its root and its key. */
static enum finding check_note(const struct walk *walk, struct slice note, const struct checkpoint *checkpoint,
			       const struct walk_mark *mark)
{
	struct checkpoint read;
	const struct public_key *key = walk_key_at(walk, checkpoint->size);
	bool good = key != NULL && checkpoint_verify(note, key, &read) == 0;
	if (good && mark != NULL && mark->reached)
		return merkle_hash_equal(&mark->root, &checkpoint->root) ? FINDING_NONE : FINDING_ALTERED;
	return good ? FINDING_TRUNCATED : FINDING_BADLY_SIGNED;
}

static void check_signed(struct verification *v, unsigned epoch, struct walk *walk, struct slice note)
{
	struct checkpoint checkpoint;
	uint64_t size = walk->frontier.size;
	bool readable = checkpoint_read_note(note, &checkpoint) == 0;
	if (note.len == 0) {
		conclude(v, epoch, FINDING_MISSING, 0, "there is no checkpoint: nothing says what was signed");
		return;
	}
	enum finding finding = !readable ? FINDING_BADLY_SIGNED
					 : check_note(walk, note, &checkpoint, walk_mark_of(walk, checkpoint.size));
	if (finding == FINDING_ALTERED)
		conclude(v, epoch, finding, 0,
			 "the records, tiles and all, are not those that were signed; which of them "
			 "differ cannot be told");
	else if (finding == FINDING_BADLY_SIGNED && size == 0)
		conclude(v, epoch, FINDING_MISSING, 0, "there is not one record");
	else if (finding == FINDING_BADLY_SIGNED)
		conclude(v, epoch, finding, readable ? checkpoint.size : 0,
			 "the checkpoint is not signed by the key that the log names");
	else if (finding == FINDING_TRUNCATED && walk->torn)
		conclude(v, epoch, FINDING_ALTERED, size, "the journal, which has it, was altered or is torn");
	else if (finding == FINDING_TRUNCATED)
		conclude(v, epoch, finding, size, "it and all that follow are missing, though they were signed");
}

static void check_next(struct verification *v, unsigned epoch, const struct walk *walk)
{
	const struct walk_mark *mark = walk_mark_of(walk, v->next_size);
	if (!v->has_next || v->report->epoch == epoch)
		return;
	if (mark == NULL || !mark->reached)
		conclude(v, epoch, FINDING_TRUNCATED, walk->frontier.size,
			 "it and all that follow are missing, though the next epoch names them");
	else if (!merkle_hash_equal(&mark->root, &v->next_root))
		conclude(v, epoch, FINDING_ALTERED, 0, "the records are not those that the next epoch names");
}

static void check_anchor(struct verification *v, unsigned epoch, const struct walk *walk, const char *origin)
{
	const struct walk_mark *mark = walk_mark_of(walk, v->anchor.size);
	struct checkpoint read;
	char what[WALK_WHAT_BYTES];
	if (!v->has_anchor || !slice_equal(v->anchor.origin, slice_from_string(origin)))
		return;
	v->anchor_is_of_here = true;
	const struct public_key *key = walk_key_at(walk, v->anchor.size);
	if (mark == NULL || !mark->reached) {
		snprintf(what, sizeof(what), "it and all that follow are missing: the anchor saw %" PRIu64,
			 v->anchor.size);
		conclude(v, epoch, FINDING_TRUNCATED, walk->frontier.size, what);
	} else if (!merkle_hash_equal(&mark->root, &v->anchor.root)) {
		snprintf(what, sizeof(what),
			 "the log was written anew: its first %" PRIu64 " records are not those that the anchor saw",
			 v->anchor.size);
		conclude(v, epoch, FINDING_ALTERED, 0, what);
	} else if (key == NULL || checkpoint_verify(v->options->anchor, key, &read) != 0) {
		conclude(v, epoch, FINDING_BADLY_SIGNED, v->anchor.size, "the anchor is not signed by the log's key");
	}
}

static void tell(struct verification *v, unsigned epoch, const struct walk *walk, struct slice notes,
		 uint64_t is_signed)
{
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	struct buffer out = buffer_make(NULL);
	uint64_t size = walk->frontier.size;
	buffer_printf(&out, "epoch %u: %" PRIu64 " records, %" PRIu64 " of them signed\n", epoch, size, is_signed);
	for (size_t i = 0; i < walk->key_count; i++) {
		public_key_fingerprint(&walk->keys[i].key, fingerprint);
		buffer_printf(&out, "key from record %" PRIu64 " on: %s\n", walk->keys[i].from, fingerprint);
	}
	for (unsigned kind = 0; kind < LEAF_KINDS; kind++)
		if (walk->counts[kind] > 0)
			buffer_printf(&out, "%12" PRIu64 " %s\n", walk->counts[kind], leaf_row(kind)->name);
	if (walk->counts[LEAF_KINDS] > 0)
		buffer_printf(&out, "%12" PRIu64 " of kinds that are newer than this program\n",
			      walk->counts[LEAF_KINDS]);
	if (walk->gone_count > 0)
		buffer_printf(&out, "%12" PRIu64 " of which the hashes are left\n",
			      (uint64_t)walk->gone_count * TILE_WIDTH);
	text_add_utf8(&out, notes);
	if (is_signed < size)
		buffer_printf(&out,
			      "records %" PRIu64 " to %" PRIu64
			      " are sealed and not signed: that they were not altered, "
			      "or that none is missing, cannot be told\n",
			      is_signed, size - 1);
	buffer_add(&out, buffer_slice(&v->told));
	buffer_free(&v->told);
	v->told = out;
}

static void remember_previous(struct verification *v, const struct walk *walk)
{
	const struct leaf_value *previous = leaf_get(&walk->first, "previous"),
				*size = leaf_get(&walk->first, "previous_size"),
				*root = leaf_get(&walk->first, "previous_root");
	v->has_next = previous != NULL && size != NULL && root != NULL &&
		      hex_exact(root->bytes, v->next_root.bytes, sizeof(v->next_root.bytes));
	if (!v->has_next)
		return;
	snprintf(v->next_previous, sizeof(v->next_previous), "%.*s", SLICE_ARG(previous->bytes));
	v->next_size = size->number;
}

static bool origin_of(const struct walk *walk, unsigned epoch, char *out, size_t room)
{
	const struct leaf_value *log = leaf_get(&walk->first, "log");
	snprintf(out, room, "%.*s/%u", log == NULL ? 0 : (int)log->bytes.len,
		 log == NULL ? "" : (const char *)log->bytes.ptr, epoch);
	return log != NULL;
}

static bool is_deleted(const struct walk_spans *spans, unsigned epoch, uint64_t bundle)
{
	for (size_t i = 0; i < spans->count; i++) {
		const struct walk_span *span = &spans->list[i];
		if (span->epoch == epoch && span->from <= bundle * TILE_WIDTH && (bundle + 1) * TILE_WIDTH <= span->to)
			return true;
	}
	return false;
}

/* Records that are not there must have been deleted, and a record of this epoch or a later one says so. */
static void check_gone(struct verification *v, unsigned epoch, const struct walk *walk)
{
	for (size_t i = 0; i < walk->gone_count && v->report->epoch != epoch; i++)
		if (!is_deleted(&v->deleted, epoch, walk->gone[i]))
			conclude(v, epoch, FINDING_MISSING, walk->gone[i] * TILE_WIDTH,
				 "it is missing, and later records are there");
}

static void judge(struct verification *v, unsigned epoch, struct walk *walk, struct slice note, const char *origin)
{
	struct checkpoint checkpoint = {.size = 0};
	bool readable = checkpoint_read_note(note, &checkpoint) == 0;
	if (walk->finding != FINDING_NONE) {
		conclude(v, epoch, walk->finding, walk->record, walk->what);
		return;
	}
	if (walk->frontier.size > 0 && walk->first.kind != LEAF_EPOCH && walk->counts[LEAF_KINDS] == 0) {
		conclude(v, epoch, FINDING_ALTERED, 0, "the first record opens no epoch");
		return;
	}
	if (walk->first.kind == LEAF_EPOCH && leaf_get(&walk->first, "format")->number > LOG_FORMAT) {
		conclude(v, epoch, FINDING_NEWER, 0, "the log was written by a newer version of Guia");
		return;
	}
	check_gone(v, epoch, walk);
	if (v->report->epoch != epoch)
		check_signed(v, epoch, walk, note);
	if (v->report->epoch != epoch && readable && !slice_equal(checkpoint.origin, slice_from_string(origin)))
		conclude(v, epoch, FINDING_ALTERED, 0, "the checkpoint is of another log or epoch");
	if (v->report->epoch != epoch)
		check_next(v, epoch, walk);
	if (v->report->epoch != epoch)
		check_anchor(v, epoch, walk, origin);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t left = ((const struct walk_mark *)a)->size, right = ((const struct walk_mark *)b)->size;
	return (left > right) - (left < right);
}

/* Of what was signed, of what the next epoch and the anchor name, and of all that was timestamped. */
static int set_marks(const struct verification *v, struct walk *walk, uint64_t is_signed, uint64_t **ret_stamps,
		     size_t *ret_count)
{
	int r = stamps_list(walk->folder, ret_stamps, ret_count);
	if (r != 0)
		return r;
	struct walk_mark *marks = calloc(*ret_count + 3, sizeof(*marks));
	if (marks == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < *ret_count; i++)
		marks[i].size = (*ret_stamps)[i];
	walk->marks = marks;
	walk->mark_count = *ret_count;
	marks[walk->mark_count++].size = is_signed;
	if (v->has_next)
		marks[walk->mark_count++].size = v->next_size;
	if (v->has_anchor)
		marks[walk->mark_count++].size = v->anchor.size;
	qsort(marks, walk->mark_count, sizeof(*marks), by_size);
	return 0;
}

static int judge_stamps(struct verification *v, unsigned epoch, const struct walk *walk, const uint64_t *sizes,
			size_t count, struct buffer *notes)
{
	struct stamps_result result;
	if (walk->finding != FINDING_NONE)
		return 0;
	int r = stamps_check(walk, sizes, count, v->options->authorities, &result, notes);
	if (r == 0 && result.finding != FINDING_NONE && v->report->epoch != epoch)
		conclude(v, epoch, result.finding, result.record, result.what);
	return r;
}

static int verify_epoch(struct verification *v, unsigned epoch, int folder)
{
	struct buffer note = buffer_make(NULL), notes = buffer_make(NULL);
	char origin[LOG_NAME_BYTES_MOST + 16];
	struct checkpoint checkpoint = {.size = UINT64_MAX};
	uint64_t *stamps = NULL;
	size_t stamp_count = 0;
	int r = kept_file_read(folder, "checkpoint", NOTE_BYTES_MOST, &note);
	r = r == -EFBIG ? 0 : r; /* it is no checkpoint */
	if (r == 0)
		(void)checkpoint_read_note(buffer_slice(&note), &checkpoint);
	struct walk *walk = calloc(1, sizeof(*walk));
	if (walk != NULL && (r == 0 || r == -ENOENT)) {
		*walk = (struct walk){.folder = folder, .notes = &notes, .deleted = &v->deleted};
		r = set_marks(v, walk, checkpoint.size, &stamps, &stamp_count);
		r = r != 0 ? r : walk_epoch(walk);
	} else if (walk == NULL) {
		r = -ENOMEM;
	}
	if (r == 0) {
		(void)origin_of(walk, epoch, origin, sizeof(origin));
		judge(v, epoch, walk, buffer_slice(&note), origin);
		r = judge_stamps(v, epoch, walk, stamps, stamp_count, &notes);
		tell(v, epoch, walk, buffer_slice(&notes), checkpoint.size == UINT64_MAX ? 0 : checkpoint.size);
		remember_previous(v, walk);
		if (walk->key_count > 0)
			v->first_key = walk->keys[0].key;
	}
	if (walk != NULL) {
		free(walk->marks);
		walk_free(walk);
	}
	free(walk);
	free(stamps);
	buffer_free(&note);
	buffer_free(&notes);
	return r;
}

/* ---- all of them ---- */

static void check_fingerprint(struct verification *v)
{
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	public_key_fingerprint(&v->first_key, fingerprint);
	if (v->options->fingerprint != NULL && v->report->finding == FINDING_NONE &&
	    !slice_equal_nocase(slice_from_string(v->options->fingerprint), slice_from_string(fingerprint)))
		conclude(v, 1, FINDING_BADLY_SIGNED, 0, "the first key is not the one of that fingerprint");
}

static void tell_limits(struct verification *v)
{
	struct buffer *out = &v->report->text;
	if (v->report->finding == FINDING_NONE)
		buffer_text(out, "WHOLE: every record is what was signed, in order\n");
	buffer_add(out, buffer_slice(&v->told));
	if (v->has_anchor && !v->anchor_is_of_here)
		buffer_printf(out, "the anchor is of another log, %.*s: it says nothing of this one\n",
			      SLICE_ARG(v->anchor.origin));
	if (!v->has_anchor || !v->anchor_is_of_here)
		buffer_text(
			out,
			"without an anchor (a checkpoint kept elsewhere) it cannot be excluded that whoever has the "
			"key wrote the log anew, cut its newest records off and went on, or left out its last "
			"epochs\n");
	if (v->options->fingerprint == NULL)
		buffer_text(out, "that the first key is the one of the log book is for you to compare\n");
}

static void anchor_epoch_exists(struct verification *v)
{
	struct slice origin = v->anchor.origin;
	uint64_t epoch = 0;
	size_t slash = origin.len;
	while (slash > 0 && origin.ptr[slash - 1] != '/')
		slash--;
	if (v->has_anchor && decimal_read(slice_after(origin, slash), &epoch) && epoch > v->last &&
	    v->report->finding == FINDING_NONE)
		conclude(v, (unsigned)(epoch > LOG_EPOCHS_MOST ? LOG_EPOCHS_MOST : epoch), FINDING_MISSING, 0,
			 "the epoch that the anchor saw is missing");
}

int verify_log(const char *path, const struct verify_options *options, struct verify_report *ret_report)
{
	struct verification v = {.path = path, .options = options, .report = ret_report, .told = buffer_make(NULL)};
	int r = 0;
	*ret_report = (struct verify_report){.text = buffer_make(NULL)};
	v.has_anchor = options->anchor.len > 0 && checkpoint_read_note(options->anchor, &v.anchor) == 0;
	v.last = verify_highest_epoch(path);
	if (v.last == 0)
		return -ENOENT;
	for (unsigned epoch = v.last; epoch > 0 && r == 0; epoch--) {
		int folder = open_folder(path, epoch);
		if (folder >= 0) {
			r = verify_epoch(&v, epoch, folder);
			close(folder);
		} else if (folder == -ENOENT || folder == -ENOTDIR || folder == -ELOOP) {
			conclude(&v, epoch, FINDING_MISSING, 0, "the epoch is missing");
			v.has_next = false;
		} else {
			r = folder;
		}
	}
	if (r == 0) {
		anchor_epoch_exists(&v);
		check_fingerprint(&v);
		tell_limits(&v);
		r = ret_report->text.error;
	}
	free(v.deleted.list);
	buffer_free(&v.told);
	return r;
}

void verify_report_free(struct verify_report *report)
{
	buffer_free(&report->text);
}
