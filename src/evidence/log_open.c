/* How a log is taken up again: which epoch, which key, which records, and whether they are what was signed. */
#include "evidence/log.h"

#include "base/error.h"
#include "codec/text.h"
#include "evidence/kept_file.h"
#include "evidence/log_state.h"
#include "evidence/walk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a new epoch says of the one before. */
struct previous {
	char origin[LOG_NAME_BYTES_MOST + 8];
	uint64_t size;
	struct merkle_hash root;
	const char *reason;
};

static void epoch_path(unsigned epoch, char out[8])
{
	snprintf(out, 8, "%04u", epoch);
}

static unsigned last_epoch(const struct log *log)
{
	unsigned epoch = 0;
	char name[8];
	do {
		epoch_path(++epoch, name);
	} while (epoch <= LOG_EPOCHS_MOST && faccessat(log->folder, name, F_OK, 0) == 0);
	return epoch - 1;
}

static int open_epoch(struct log *log, const struct log_config *config, unsigned epoch)
{
	char name[8];
	if (epoch > LOG_EPOCHS_MOST)
		return LOG_FULL;
	epoch_path(epoch, name);
	int r = log->disk->mkdir(log->folder, name, 0755);
	if (r != 0 && r != -EEXIST)
		return r;
	if (log->epoch_folder >= 0)
		close(log->epoch_folder);
	log->epoch_folder = log->disk->open(log->folder, name, O_RDONLY | O_DIRECTORY, 0);
	snprintf(log->origin, sizeof(log->origin), "%s/%u", config->name, epoch);
	log->beginning.epoch = epoch;
	return log->epoch_folder < 0 ? log->epoch_folder : 0;
}

static int read_note(const struct log *log, struct buffer *note)
{
	int r = kept_file_read(log->epoch_folder, "checkpoint", NOTE_BYTES_MOST, note);
	return r == -EFBIG ? 0 : r; /* it is no note */
}

/* The tree when it was of `size`; false where that is not in the tail. */
static bool frontier_at(const struct tail *tail, uint64_t size, struct merkle_frontier *ret_frontier)
{
	struct merkle_frontier frontier = tail->before;
	if (size < frontier.size || size > tail->frontier.size)
		return false;
	for (const struct bundle *bundle = tail->first; bundle != NULL; bundle = bundle->next)
		for (unsigned i = 0; i < bundle->count && frontier.size < size; i++)
			merkle_push(&frontier, &bundle->hashes[i]);
	*ret_frontier = frontier;
	return true;
}

static void remember(struct previous *previous, const struct log *log, uint64_t size, const struct merkle_hash *root,
		     const char *reason)
{
	*previous = (struct previous){.size = size, .root = *root, .reason = reason};
	memcpy(previous->origin, log->origin, sizeof(previous->origin));
}

/* The epoch's first record, from its tile or, before there is one, from the tail. */
static bool first_record(const struct log *log, struct buffer *bytes, struct leaf *ret_leaf)
{
	const struct bundle *bundle = log->tail.first;
	struct slice record;
	unsigned width;
	if (bundle->number == 0)
		buffer_add(bytes, buffer_slice(&bundle->bytes));
	else if (walk_read_bundle(log->epoch_folder, 0, bytes, &width) != 0)
		return false;
	struct reader records = reader_make(buffer_slice(bytes));
	return bundle_next(&records, &record) && leaf_read(record, ret_leaf) != LEAF_MALFORMED;
}

/* The epoch goes on under the name it has. Whether a newer version made it: a format that is not ours, or no epoch. */
static bool take_name(struct log *log)
{
	struct buffer bytes = buffer_make(NULL);
	struct leaf leaf;
	bool newer = false;
	if (first_record(log, &bytes, &leaf)) {
		const struct leaf_value *format = leaf_get(&leaf, "format"), *name = leaf_get(&leaf, "log");
		newer = leaf.kind != LEAF_EPOCH || format->number > LOG_FORMAT;
		if (!newer && name->bytes.len <= LOG_NAME_BYTES_MOST && note_name_valid(name->bytes))
			snprintf(log->origin, sizeof(log->origin), "%.*s/%u", SLICE_ARG(name->bytes),
				 log->beginning.epoch);
	}
	buffer_free(&bytes);
	return newer;
}

/* What stands where a checkpoint is to be written may be anything. */
static bool can_be_signed(const struct log *log)
{
	static const char *const names[] = {"checkpoint", "checkpoint.spare"};
	struct stat about;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fstatat(log->epoch_folder, names[i], &about, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(about.st_mode))
			return false;
	return true;
}

/* Whether what was signed is the beginning of what is there. NULL: it is; else why not. */
static const char *compare(const struct log *log, int loaded, bool newer, const struct checkpoint *checkpoint)
{
	struct merkle_frontier then;
	if (loaded == TAIL_NONE)
		return "the journal is missing";
	if (loaded == TAIL_TORN)
		return "the journal is damaged";
	if (newer)
		return "it was written by a newer version of Guia";
	if (!can_be_signed(log))
		return "the checkpoint is no file";
	if (checkpoint == NULL)
		return NULL;
	if (checkpoint->size > log->tail.frontier.size)
		return "signed records are missing";
	if (!frontier_at(&log->tail, checkpoint->size, &then))
		return "the checkpoint is older than the journal";
	struct merkle_hash root = merkle_root(&then);
	return merkle_hash_equal(&root, &checkpoint->root) ? NULL : "records are not those that were signed";
}

/* By the log's key, or by the one whose place it took since. */
static bool signed_by(const struct log *log, struct slice note)
{
	struct public_key key = signing_key_public(log->key), old_key;
	struct checkpoint checkpoint;
	return checkpoint_verify(note, &key, &checkpoint) == 0 ||
	       (log_rotated_to(&log->tail, &key, &old_key) && checkpoint_verify(note, &old_key, &checkpoint) == 0);
}

/*
 * Takes the epoch's records up. *ret_why is NULL if it can be gone on with; else a new one must begin, and
 * *ret_previous is what it commits to: the records that are there, if they are what was signed, else what was signed.
 */
static int take_up(struct log *log, const struct log_config *config, struct previous *ret_previous,
		   const char **ret_why)
{
	struct buffer note = buffer_make(NULL);
	struct checkpoint checkpoint;
	int read = read_note(log, &note), loaded = tail_load(log->epoch_folder, &log->tail);
	bool has_note = read == 0 && checkpoint_read_note(buffer_slice(&note), &checkpoint) == 0;
	if (loaded < 0 || (read < 0 && read != -ENOENT)) {
		buffer_free(&note);
		return loaded < 0 ? loaded : read;
	}
	int finished = loaded == 0 ? log_finish_rotation(log, config->key_path) : 0;
	if (finished != 0) {
		tail_free(&log->tail);
		buffer_free(&note);
		return finished;
	}
	bool newer = loaded != TAIL_NONE && take_name(log);
	*ret_why = compare(log, loaded, newer, has_note ? &checkpoint : NULL);
	struct merkle_hash root = merkle_root(&log->tail.frontier);
	if (*ret_why == NULL && has_note && !signed_by(log, buffer_slice(&note))) {
		*ret_why = "the key is lost";
		remember(ret_previous, log, log->tail.frontier.size, &root, *ret_why);
	} else if (*ret_why != NULL && has_note) {
		remember(ret_previous, log, checkpoint.size, &checkpoint.root, *ret_why);
	} else if (*ret_why != NULL) {
		remember(ret_previous, log, 0, &root, *ret_why);
	}
	if (has_note && *ret_why == NULL)
		log->signed_size = checkpoint.size;
	if (*ret_why != NULL)
		tail_free(&log->tail);
	buffer_free(&note);
	return 0;
}

/* ---- the records that say so ---- */

static int add_epoch(struct log *log, const struct log_config *config, const struct previous *previous, uint64_t now_ms)
{
	uint8_t info[PUBLIC_KEY_INFO_BYTES], encoded[PUBLIC_KEY_INFO_BYTES / 3 * 4 + 4];
	struct public_key key = signing_key_public(log->key);
	bool first = previous->reason == NULL;
	public_key_info(&key, info);
	size_t len = base64_encode(slice_make(info, sizeof(info)), encoded);
	struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(slice_from_string(config->name)),
						      leaf_number(LOG_FORMAT), leaf_text(slice_make(encoded, len)),
						      leaf_text(slice_from_string(log->beginning.why))};
	if (!first) {
		values[4] = leaf_text(slice_from_string(previous->origin));
		values[5] = leaf_number(previous->size);
		values[6] = leaf_text(slice_make(previous->root.bytes, sizeof(previous->root.bytes)));
	}
	return log_add_values(log, LEAF_EPOCH, now_ms, values);
}

static int add_gap(struct log *log, uint64_t now_ms, uint64_t since_ms)
{
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(SLICE("the log was not closed")),
							    {.number = 0},
							    {.number = 0},
							    leaf_number(since_ms),
							    leaf_number(now_ms),
							    leaf_number(log->tail.cut_bytes)};
	return log_add_values(log, LEAF_GAP, now_ms, values);
}

static int add_beginning(struct log *log, const struct log_config *config, const struct previous *previous,
			 uint64_t now_ms)
{
	const struct recent *recent = &log->recent;
	bool anew = log->tail.frontier.size == 0;
	int r = 0;
	if (!anew && recent->last_ms > now_ms) {
		const struct leaf_value step[LEAF_FIELDS_MOST] = {leaf_number(recent->last_ms), leaf_number(now_ms)};
		r = log_add_values(log, LEAF_CLOCK_STEP, now_ms, step);
	}
	if (r == 0 && anew)
		r = add_epoch(log, config, previous, now_ms);
	else if (r == 0 && !recent->closed)
		r = add_gap(log, now_ms, recent->last_ms);
	struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(SLICE(GUIA_VERSION)),
						      leaf_text(anew             ? SLICE("nothing")
								: recent->closed ? SLICE("close")
										 : SLICE("a gap"))};
	return r != 0 ? r : log_add_values(log, LEAF_START, now_ms, values);
}

/* ---- opening ---- */

/* What is no key is as good as lost; somebody may look at what it is. -ENOENT, or another -errno. */
static int put_key_aside(const char *path)
{
	char aside[PATH_MAX];
	if ((size_t)snprintf(aside, sizeof(aside), "%s.damaged", path) >= sizeof(aside))
		return -ENAMETOOLONG;
	return rename(path, aside) == 0 ? -ENOENT : -errno;
}

static int load_key(struct log *log, const struct log_config *config)
{
	struct stat about;
	int r = signing_key_load(config->key_path, &log->key);
	if (r == SIGNING_KEY_BAD)
		r = put_key_aside(config->key_path);
	if (r == -ENOENT)
		r = signing_key_create(config->key_path, &log->key);
	if (r == 0 && stat(config->key_path, &about) == 0)
		log->beginning.key_is_shown = (about.st_mode & 077) != 0;
	return r;
}

static int begin_epoch(struct log *log, const struct log_config *config)
{
	static const struct merkle_frontier nothing;
	log->tail = (struct tail){.first = bundle_create(0)};
	log->tail.last = log->tail.first;
	if (log->tail.first == NULL)
		return -ENOMEM;
	int r = journal_create(&log->journal, log->disk, log->epoch_folder, config->half_bytes);
	return r != 0 ? r : journal_turn(&log->journal, &nothing);
}

static int go_on(struct log *log, const struct log_config *config)
{
	int r = journal_create(&log->journal, log->disk, log->epoch_folder, config->half_bytes);
	log->journal.half = log->tail.half;
	log->journal.at = log->tail.at;
	/* All of both halves may still lack tiles. */
	log->other_end = log->tail.frontier.size;
	return r;
}

/* Beginning an epoch may have been cut off before anything was sealed; then its folder is used. */
static bool never_began(const struct log *log)
{
	struct tail tail;
	int loaded = tail_load(log->epoch_folder, &tail);
	bool empty = loaded == TAIL_NONE || (loaded == 0 && tail.frontier.size == 0);
	if (loaded == 0 || loaded == TAIL_TORN)
		tail_free(&tail);
	return empty && faccessat(log->epoch_folder, "checkpoint", F_OK, 0) != 0;
}

static int settle(struct log *log)
{
	return settler_create(log->disk, log->epoch_folder, &log->tail.before, &log->settler);
}

/* It ends with what is there, which is what was signed. */
static int leave(struct log *log, struct previous *ret_previous, const char *why)
{
	struct merkle_hash root = merkle_root(&log->tail.frontier);
	remember(ret_previous, log, log->tail.frontier.size, &root, why);
	tail_free(&log->tail);
	return 0;
}

static int choose_epoch(struct log *log, const struct log_config *config, struct previous *previous)
{
	const char *why = NULL;
	unsigned epoch = last_epoch(log);
	bool unused = false;
	int r = 0;
	if (epoch > 0) {
		r = open_epoch(log, config, epoch);
		unused = r == 0 && never_began(log);
	}
	if (r == 0 && epoch > 0 && unused && --epoch > 0)
		r = open_epoch(log, config, epoch);
	if (r == 0 && epoch > 0)
		r = take_up(log, config, previous, &why);
	if (r == 0 && epoch > 0 && why == NULL)
		r = unused ? leave(log, previous, "an epoch was about to begin") : settle(log);
	if (r == -EBADMSG)
		r = leave(log, previous, "a tile is damaged");
	if (r != 0 || log->settler != NULL)
		return r != 0 ? r : go_on(log, config);
	log->signed_size = 0;
	r = open_epoch(log, config, epoch + 1);
	r = r != 0 ? r : begin_epoch(log, config);
	log->beginning.why = previous->reason != NULL ? previous->reason : "a new log";
	return r != 0 ? r : settle(log);
}

static int open_folder(struct log *log, const struct log_config *config)
{
	int r = log->disk->mkdir(AT_FDCWD, config->path, 0700);
	if (r != 0 && r != -EEXIST)
		return r;
	log->folder = log->disk->open(AT_FDCWD, config->path, O_RDONLY | O_DIRECTORY, 0);
	if (log->folder < 0)
		return log->folder;
	log->lock = log->disk->open(log->folder, "lock", O_RDWR | O_CREAT, 0600);
	if (log->lock < 0)
		return log->lock;
	return flock(log->lock, LOCK_EX | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int begin(struct log *log, const struct log_config *config, uint64_t now_ms)
{
	struct previous previous = {.reason = NULL};
	int r = open_folder(log, config);
	if (r == 0)
		r = load_key(log, config);
	if (r == 0)
		r = choose_epoch(log, config, &previous);
	if (r != 0)
		return r;
	log->clock = clock_state_read();
	log->sealed = log->tail.frontier;
	log->sealed_in = log->tail.last;
	log->sealed_bytes = log->tail.last->bytes.len;
	log->beginning.recent = &log->recent;
	r = recent_read(&log->tail, &log->recent);
	if (r != 0)
		return r;
	/* The half that is written may be full already, and the other one free only once these have tiles. */
	log_hand_over(log);
	return add_beginning(log, config, &previous, now_ms);
}

const char *log_fault_text(int fault)
{
	switch (fault) {
	case LOG_NAME_BAD:
		return "the log's name will not do";
	case LOG_FULL:
		return "it has as many epochs as there may be";
	case -EBUSY:
		return "somebody else writes it";
	default:
		return strerror(-fault);
	}
}

int log_open(const struct log_config *config, uint64_t now_ms, struct log **ret_log)
{
	struct slice name = slice_from_string(config->name);
	if (!note_name_valid(name) || name.len > LOG_NAME_BYTES_MOST)
		return LOG_NAME_BAD;
	struct log *log = malloc(sizeof(*log));
	if (log == NULL)
		return -ENOMEM;
	*log = (struct log){.disk = config->disk,
			    .folder = -1,
			    .lock = -1,
			    .epoch_folder = -1,
			    .journal = {.fds = {-1, -1}},
			    .checkpoint_fds = {-1, -1}};
	int r = begin(log, config, now_ms);
	if (r != 0) {
		log_close(log);
		return r;
	}
	*ret_log = log;
	return 0;
}
