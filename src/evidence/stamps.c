/*
 * With sizes times must go up. A checkpoint is held against the walk's key and root at its size, a reply against its
 * checkpoint, and its time against the reply before and the record's own.
 */
#include "evidence/stamps.h"

#include "base/error.h"
#include "base/vector.h"
#include "evidence/kept_file.h"
#include "evidence/timestamp.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* An authority's clock and the gate's may differ by so much before they contradict each other. */
enum { CLOCKS_MS = 60 * 1000, NAME_BYTES = 64 };

struct checking {
	const struct walk *walk;
	const char *authorities;
	struct stamps_result *result;
	uint64_t stamped;
	uint64_t waiting;
	uint64_t first_ms;
	uint64_t last_ms;
};

static int by_size(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

struct sizes {
	uint64_t *items;
	size_t count;
	size_t room;
};

static int add_size(struct sizes *sizes, const char *entry)
{
	struct slice number;
	uint64_t size;
	if (!slice_ends_with(slice_from_string(entry), SLICE(".checkpoint")))
		return 0;
	(void)slice_cut(slice_from_string(entry), '.', &number);
	if (!decimal_read(number, &size))
		return 0;
	int r = vector_grow((void **)&sizes->items, &sizes->room, sizes->count, sizeof(size));
	if (r == 0)
		sizes->items[sizes->count++] = size;
	return r;
}

/* A log that was never timestamped has no such folder. */
static int open_list(int folder, DIR **ret_list)
{
	int fd = openat(folder, "timestamps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_list = fd < 0 ? NULL : fdopendir(fd);
	if (*ret_list != NULL)
		return 0;
	int r = errno == ENOENT ? 0 : -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

int stamps_list(int folder, uint64_t **ret_sizes, size_t *ret_count)
{
	DIR *list;
	struct sizes sizes = {.items = NULL};
	int r = open_list(folder, &list);
	for (struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL && r == 0; entry = readdir(list))
		r = add_size(&sizes, entry->d_name);
	if (list != NULL)
		closedir(list);
	if (r != 0) {
		free(sizes.items);
		return r;
	}
	if (sizes.count > 0)
		qsort(sizes.items, sizes.count, sizeof(*sizes.items), by_size);
	*ret_sizes = sizes.items;
	*ret_count = sizes.count;
	return 0;
}

__attribute__((format(printf, 4, 5))) static void find(struct checking *checking, enum finding finding, uint64_t record,
						       const char *format, ...)
{
	va_list arguments;
	if (checking->result->finding != FINDING_NONE)
		return;
	checking->result->finding = finding;
	checking->result->record = record;
	va_start(arguments, format);
	vsnprintf(checking->result->what, sizeof(checking->result->what), format, arguments);
	va_end(arguments);
}

static int read_named(const struct checking *checking, uint64_t size, const char *ending, struct buffer *out)
{
	char path[NAME_BYTES];
	snprintf(path, sizeof(path), "timestamps/%" PRIu64 ".%s", size, ending);
	int r = kept_file_read(checking->walk->folder, path, TIMESTAMP_REPLY_BYTES_MOST, out);
	return r == -EFBIG ? 0 : r; /* what it should be, it is not */
}

static void check_note(struct checking *checking, uint64_t size, struct slice note)
{
	const struct walk_mark *mark = walk_mark_of(checking->walk, size);
	const struct public_key *key = walk_key_at(checking->walk, size);
	struct checkpoint checkpoint;
	if (key == NULL || checkpoint_verify(note, key, &checkpoint) != 0 || checkpoint.size != size)
		find(checking, FINDING_BADLY_SIGNED, size, "timestamps/%" PRIu64 ".checkpoint is not by the log's key",
		     size);
	else if (mark == NULL || !mark->reached)
		find(checking, FINDING_TRUNCATED, checking->walk->frontier.size,
		     "it and all that follow are missing: %" PRIu64 " were timestamped", size);
	else if (!merkle_hash_equal(&mark->root, &checkpoint.root))
		find(checking, FINDING_ALTERED, 0, "the first %" PRIu64 " records are not those that were timestamped",
		     size);
}

static int check_reply(struct checking *checking, uint64_t size, struct slice note, struct slice reply)
{
	const struct walk_mark *mark = walk_mark_of(checking->walk, size);
	uint64_t time_ms = 0;
	int r = checking->authorities == NULL ? 0 : timestamp_verify(reply, note, checking->authorities);
	if (r < 0)
		return r;
	if (timestamp_read(reply, note, &time_ms) != 0)
		find(checking, FINDING_ALTERED, size, "timestamps/%" PRIu64 ".tsr is not of its checkpoint", size);
	else if (r != 0)
		find(checking, FINDING_BADLY_SIGNED, size,
		     "timestamps/%" PRIu64 ".tsr is not by an authority that you named", size);
	else if (time_ms + 1000 < checking->last_ms)
		find(checking, FINDING_CLOCK, size, "its timestamp is earlier than that of fewer records");
	else if (mark != NULL && mark->last_ms > time_ms + CLOCKS_MS)
		find(checking, FINDING_CLOCK, size - 1, "it states a time that is later than when it was timestamped");
	checking->first_ms = checking->stamped == 0 ? time_ms : checking->first_ms;
	checking->last_ms = time_ms;
	checking->stamped++;
	return 0;
}

static int check_one(struct checking *checking, uint64_t size)
{
	struct buffer note = buffer_make(NULL), reply = buffer_make(NULL);
	int r = read_named(checking, size, "checkpoint", &note);
	if (r == 0) {
		check_note(checking, size, buffer_slice(&note));
		r = read_named(checking, size, "tsr", &reply);
		if (r == 0)
			r = check_reply(checking, size, buffer_slice(&note), buffer_slice(&reply));
		else if (r == -ENOENT) {
			checking->waiting++;
			r = 0;
		}
	}
	buffer_free(&note);
	buffer_free(&reply);
	return r;
}

int stamps_check(const struct walk *walk, const uint64_t *sizes, size_t count, const char *authorities,
		 struct stamps_result *ret_result, struct buffer *told)
{
	struct checking checking = {.walk = walk, .authorities = authorities, .result = ret_result};
	int r = 0;
	*ret_result = (struct stamps_result){.finding = FINDING_NONE};
	for (size_t i = 0; i < count && r == 0; i++)
		r = check_one(&checking, sizes[i]);
	if (r == 0 && checking.stamped > 0)
		buffer_printf(told, "%" PRIu64 " timestamps, from %" PRIu64 " to %" PRIu64 "%s\n", checking.stamped,
			      checking.first_ms, checking.last_ms,
			      authorities == NULL ? "; by whom was not checked" : "");
	if (r == 0 && checking.waiting > 0)
		buffer_printf(told, "%" PRIu64 " checkpoints were never timestamped: the authority was away\n",
			      checking.waiting);
	return r;
}
