#include "evidence/stamper.h"

#include "base/error.h"
#include "base/file.h"
#include "evidence/checkpoint.h"
#include "evidence/timestamp.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { NAME_BYTES = 64 };

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
	uint64_t newest; /* size of the last checkpoint that was set aside to be stamped; the thread's own */
};

static int read_named(const struct stamper *stamper, const char *name, struct buffer *out)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", stamper->folder, name);
	return file_read(path, TIMESTAMP_REPLY_BYTES_MOST, out);
}

static bool exists(const struct stamper *stamper, const char *name)
{
	return faccessat(stamper->folder, name, F_OK, 0) == 0;
}

/* What is signed now is set aside, if it is new. */
static int set_aside(struct stamper *stamper)
{
	struct buffer note = buffer_make(NULL);
	struct checkpoint checkpoint;
	char name[NAME_BYTES];
	int r = read_named(stamper, "checkpoint", &note);
	if (r == 0 && checkpoint_read_note(buffer_slice(&note), &checkpoint) == 0 &&
	    checkpoint.size != stamper->newest) {
		snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".checkpoint", checkpoint.size);
		r = exists(stamper, name) ? 0 : disk_place(stamper->disk, stamper->folder, name, buffer_slice(&note));
		if (r == 0)
			stamper->newest = checkpoint.size;
	}
	buffer_free(&note);
	return r == -ENOENT ? 0 : r;
}

static int stamp(struct stamper *stamper, uint64_t size)
{
	struct buffer note = buffer_make(NULL), query = buffer_make(NULL), reply = buffer_make(NULL);
	char name[NAME_BYTES];
	snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".checkpoint", size);
	int r = read_named(stamper, name, &note);
	if (r == 0)
		r = timestamp_query(buffer_slice(&note), &query);
	if (r == 0)
		r = timestamp_ask(stamper->url, buffer_slice(&query), &reply);
	if (r == 0)
		r = timestamp_answers(buffer_slice(&query), buffer_slice(&reply));
	if (r == 0) {
		snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".tsr", size);
		r = disk_place(stamper->disk, stamper->folder, name, buffer_slice(&reply));
	}
	buffer_free(&note);
	buffer_free(&query);
	buffer_free(&reply);
	return r;
}

/* Whether a name is that of a checkpoint that waits. */
static bool waits(const struct stamper *stamper, const char *entry, uint64_t *ret_size)
{
	char name[NAME_BYTES];
	struct slice number;
	if (!slice_ends_with(slice_from_string(entry), SLICE(".checkpoint")))
		return false;
	(void)slice_cut(slice_from_string(entry), '.', &number);
	if (!decimal_read(number, ret_size))
		return false;
	snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".tsr", *ret_size);
	return !exists(stamper, name);
}

/* All that wait, until one cannot be stamped. */
static void stamp_all(struct stamper *stamper)
{
	uint64_t stamped = 0, backlog = 0, size;
	int error = set_aside(stamper), fd = openat(stamper->folder, "timestamps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL; entry = readdir(list)) {
		if (!waits(stamper, entry->d_name, &size))
			continue;
		error = error != 0 ? error : stamp(stamper, size);
		stamped += error == 0;
		backlog += error != 0;
	}
	if (list != NULL)
		closedir(list);
	pthread_mutex_lock(&stamper->lock);
	stamper->state.stamped += stamped;
	stamper->state.backlog = backlog;
	stamper->state.error = error;
	pthread_mutex_unlock(&stamper->lock);
}

static bool wait_for_turn(struct stamper *stamper)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += stamper->every_ms / 1000;
	until.tv_nsec += (long)(stamper->every_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&stamper->lock);
	while (!stamper->ending && !stamper->hurry)
		if (pthread_cond_timedwait(&stamper->wake, &stamper->lock, &until) != 0)
			break;
	bool ending = stamper->ending;
	stamper->hurry = false;
	pthread_mutex_unlock(&stamper->lock);
	return !ending;
}

static void *run(void *context)
{
	struct stamper *stamper = context;
	bool more = true;
	while (more) {
		more = wait_for_turn(stamper);
		stamp_all(stamper);
	}
	return NULL;
}

int stamper_create(const struct disk_calls *disk, int folder, const char *url, unsigned every_ms,
		   struct stamper **ret_stamper)
{
	pthread_condattr_t attributes;
	struct stamper *stamper = calloc(1, sizeof(*stamper));
	if (stamper == NULL)
		return -ENOMEM;
	*stamper = (struct stamper){.disk = disk, .folder = folder, .url = strdup(url), .every_ms = every_ms};
	pthread_mutex_init(&stamper->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&stamper->wake, &attributes);
	pthread_condattr_destroy(&attributes);
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
