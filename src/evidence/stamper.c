/*
 * A checkpoint is set aside as a file, and on the disk, before it is stamped: what waits is found again in the folder
 * by the next writer. The oldest goes first, and none after one of more records: with sizes times must go up.
 */
#include "evidence/stamper.h"

#include "base/condition.h"
#include "base/error.h"
#include "base/file.h"
#include "base/vector.h"
#include "evidence/checkpoint.h"
#include "evidence/stamps.h"
#include "evidence/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 64, LAST_MS = 5000 };

struct stamper {
	const struct disk_calls *disk;
	int folder;
	char *url;
	unsigned every_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool hurry;
	bool ending;
	struct stamper_state state;
	/* The thread's own: sizes of checkpoints that were set aside and wait, the oldest first; and the newest of all.
	 */
	uint64_t *waiting;
	size_t waiting_count;
	size_t waiting_room;
	uint64_t newest;
};

static int read_named(const struct stamper *stamper, const char *name, struct buffer *out)
{
	return file_read_at(stamper->folder, name, TIMESTAMP_REPLY_BYTES_MOST, out);
}

/* An empty one, as a power failure may have left of a file that was not on the disk yet, is none, and removed. */
static bool exists(const struct stamper *stamper, const char *name)
{
	struct stat about;
	if (fstatat(stamper->folder, name, &about, 0) != 0)
		return false;
	if (S_ISREG(about.st_mode) && about.st_size == 0)
		(void)stamper->disk->unlink(stamper->folder, name);
	return !S_ISREG(about.st_mode) || about.st_size > 0;
}

static int wait_add(struct stamper *stamper, uint64_t size)
{
	int r = vector_grow((void **)&stamper->waiting, &stamper->waiting_room, stamper->waiting_count, sizeof(size));
	if (r == 0)
		stamper->waiting[stamper->waiting_count++] = size;
	return r;
}

/* What is signed now is set aside, if it is new. */
static int set_aside(struct stamper *stamper)
{
	struct buffer note = buffer_make(NULL);
	struct checkpoint checkpoint;
	char name[NAME_BYTES];
	int r = read_named(stamper, "checkpoint", &note);
	if (r == 0 && checkpoint_read_note(buffer_slice(&note), &checkpoint) == 0 &&
	    checkpoint.size > stamper->newest) {
		snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".checkpoint", checkpoint.size);
		r = exists(stamper, name) ? 0 : disk_keep(stamper->disk, stamper->folder, name, buffer_slice(&note));
		if (r == 0)
			r = wait_add(stamper, checkpoint.size);
		if (r == 0)
			stamper->newest = checkpoint.size;
	}
	buffer_free(&note);
	return r == -ENOENT ? 0 : r;
}

/* -EBADMSG: it is none, or another's. */
static int read_aside(const struct stamper *stamper, uint64_t size, struct buffer *note)
{
	struct checkpoint checkpoint;
	char name[NAME_BYTES];
	snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".checkpoint", size);
	int r = read_named(stamper, name, note);
	if (r == 0 && (checkpoint_read_note(buffer_slice(note), &checkpoint) != 0 || checkpoint.size != size))
		r = -EBADMSG;
	return r;
}

/* *ret_lost: what was set aside cannot be read, which no other day will mend. */
static int stamp(struct stamper *stamper, uint64_t size, bool *ret_lost)
{
	struct buffer note = buffer_make(NULL), query = buffer_make(NULL), reply = buffer_make(NULL);
	char name[NAME_BYTES];
	int r = read_aside(stamper, size, &note);
	*ret_lost = r != 0 && r != -ENOMEM && r != -EMFILE && r != -ENFILE;
	if (r == 0)
		r = timestamp_query(buffer_slice(&note), &query);
	if (r == 0)
		r = timestamp_ask(stamper->url, buffer_slice(&query), &reply);
	if (r == 0)
		r = timestamp_answers(buffer_slice(&query), buffer_slice(&reply));
	if (r == 0) {
		snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".tsr", size);
		r = disk_keep(stamper->disk, stamper->folder, name, buffer_slice(&reply));
	}
	buffer_free(&note);
	buffer_free(&query);
	buffer_free(&reply);
	return r;
}

static int list_one(struct stamper *stamper, uint64_t size)
{
	char note[NAME_BYTES], reply[NAME_BYTES];
	snprintf(note, sizeof(note), "timestamps/%" PRIu64 ".checkpoint", size);
	snprintf(reply, sizeof(reply), "timestamps/%" PRIu64 ".tsr", size);
	bool is_stamped = exists(stamper, reply);
	if (!exists(stamper, note))
		return 0;
	stamper->newest = size;
	if (!is_stamped)
		return wait_add(stamper, size);
	stamper->waiting_count = 0; /* those of fewer records are known as never stamped */
	return 0;
}

/* What an earlier writer set aside: those that wait. */
static int list_waiting(struct stamper *stamper)
{
	uint64_t *sizes = NULL;
	size_t count = 0;
	int r = stamps_list(stamper->folder, &sizes, &count);
	for (size_t i = 0; i < count && r == 0; i++)
		r = list_one(stamper, sizes[i]);
	free(sizes);
	return r;
}

/* With the lock held. */
static void tell_waiting(struct stamper *stamper)
{
	bool waits = stamper->waiting_count > 0;
	stamper->state.backlog = stamper->waiting_count;
	if (!waits || stamper->state.waits_since_ns == 0)
		stamper->state.waits_since_ns = waits ? clock_monotonic_ns() : 0;
}

/* All that wait, until the authority or the disk refuses one or it is time. What is lost is passed over, and told once.
 */
static void stamp_all(struct stamper *stamper, uint64_t due_ns)
{
	size_t done = 0, stamped = 0;
	int error = set_aside(stamper), lost_error = 0;
	while (error == 0 && done < stamper->waiting_count && clock_monotonic_ns() < due_ns) {
		bool lost;
		error = stamp(stamper, stamper->waiting[done], &lost);
		stamped += error == 0;
		lost_error = lost ? error : lost_error;
		error = lost ? 0 : error;
		done += error == 0;
	}
	stamper->waiting_count -= done;
	if (done > 0)
		memmove(stamper->waiting, stamper->waiting + done, stamper->waiting_count * sizeof(*stamper->waiting));
	pthread_mutex_lock(&stamper->lock);
	stamper->state.stamped += stamped;
	tell_waiting(stamper);
	stamper->state.error = error != 0 ? error : lost_error;
	pthread_mutex_unlock(&stamper->lock);
}

static bool wait_for_turn(struct stamper *stamper)
{
	uint64_t until_ns = clock_monotonic_ns() + (uint64_t)stamper->every_ms * CLOCK_NS_PER_MS;
	pthread_mutex_lock(&stamper->lock);
	while (!stamper->ending && !stamper->hurry && condition_wait(&stamper->wake, &stamper->lock, until_ns))
		;
	bool ending = stamper->ending;
	stamper->hurry = false;
	pthread_mutex_unlock(&stamper->lock);
	return !ending;
}

static void *run(void *context)
{
	struct stamper *stamper = context;
	bool more = true;
	if (list_waiting(stamper) != 0)
		stamper->waiting_count = 0; /* those are known as never stamped */
	pthread_mutex_lock(&stamper->lock);
	tell_waiting(stamper);
	pthread_mutex_unlock(&stamper->lock);
	while (more) {
		more = wait_for_turn(stamper);
		/* What is still waiting when a writer ends is the next one's. */
		stamp_all(stamper, more ? UINT64_MAX : clock_monotonic_ns() + (uint64_t)LAST_MS * CLOCK_NS_PER_MS);
	}
	return NULL;
}

int stamper_create(const struct disk_calls *disk, int folder, const char *url, unsigned every_ms,
		   struct stamper **ret_stamper)
{
	struct stamper *stamper = calloc(1, sizeof(*stamper));
	if (stamper == NULL)
		return -ENOMEM;
	*stamper = (struct stamper){.disk = disk, .folder = folder, .url = strdup(url), .every_ms = every_ms};
	pthread_mutex_init(&stamper->lock, NULL);
	condition_init(&stamper->wake);
	int r = stamper->url == NULL ? -ENOMEM : -pthread_create(&stamper->thread, NULL, run, stamper);
	if (r != 0) {
		free(stamper->url);
		free(stamper);
		return r;
	}
	*ret_stamper = stamper;
	return 0;
}

static void tell(struct stamper *stamper, bool *what)
{
	pthread_mutex_lock(&stamper->lock);
	*what = true;
	pthread_cond_signal(&stamper->wake);
	pthread_mutex_unlock(&stamper->lock);
}

void stamper_hurry(struct stamper *stamper)
{
	tell(stamper, &stamper->hurry);
}

void stamper_end(struct stamper *stamper)
{
	if (stamper == NULL)
		return;
	tell(stamper, &stamper->ending);
	pthread_join(stamper->thread, NULL);
	pthread_mutex_destroy(&stamper->lock);
	pthread_cond_destroy(&stamper->wake);
	free(stamper->waiting);
	free(stamper->url);
	free(stamper);
}

struct stamper_state stamper_state(struct stamper *stamper)
{
	pthread_mutex_lock(&stamper->lock);
	struct stamper_state state = stamper->state;
	pthread_mutex_unlock(&stamper->lock);
	return state;
}
