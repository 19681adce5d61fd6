/*
 * A fixed list of paths, folders first, read into memory with modes and owners once a gate has ended, and laid down
 * again with the same before another begins.
 */
#include "drill/past.h"

#include "base/error.h"
#include "base/file.h"
#include "watch/defender.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { BYTES_MOST = 64 << 20, MEMORY_AT = PAST_ITEMS - 1 };

/* Folders before what is in them. Bans lie beside the run's folder where the watch is somebody who may do less. */
static const char *const names[PAST_ITEMS] = {"run",
					      "run/events.key",
					      "run/bans",
					      "run.bans",
					      "run/bans/" DEFENDER_MEMORY_FILE,
					      "run.bans/" DEFENDER_MEMORY_FILE};

static void path_of(const char *folder, size_t item, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.3000s/%s", folder, names[item]);
}

static int keep_item(struct past_item *item, const char *path)
{
	if (lstat(path, &item->st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	item->there = true;
	return S_ISREG(item->st.st_mode) ? file_read(path, BYTES_MOST, &item->bytes) : 0;
}

int past_keep(struct past *past, const char *folder)
{
	int r = 0;
	*past = (struct past){0};
	for (size_t i = 0; i < PAST_ITEMS && r == 0; i++) {
		char path[PATH_MAX];
		path_of(folder, i, path);
		past->items[i].bytes = buffer_make(NULL);
		r = keep_item(&past->items[i], path);
	}
	bool remembers = past->items[MEMORY_AT].there || past->items[MEMORY_AT - 1].there;
	return r != 0 ? r : remembers ? 0 : -ENOENT;
}

void past_free(struct past *past)
{
	for (size_t i = 0; i < PAST_ITEMS; i++)
		buffer_free(&past->items[i].bytes);
	*past = (struct past){0};
}

static int lay_item(const struct past_item *item, const char *path)
{
	int r = S_ISREG(item->st.st_mode) ? file_replace(path, buffer_slice(&item->bytes), 0600)
		: mkdir(path, 0700) != 0  ? -errno
					  : 0;
	if (r != 0)
		return r;
	bool ours = item->st.st_uid == geteuid() && item->st.st_gid == getegid();
	if (!ours && lchown(path, item->st.st_uid, item->st.st_gid) != 0)
		return -errno;
	return chmod(path, item->st.st_mode & 07777) == 0 ? 0 : -errno;
}

int past_lay(const struct past *past, const char *folder)
{
	int r = 0;
	for (size_t i = 0; i < PAST_ITEMS && r == 0; i++) {
		char path[PATH_MAX];
		path_of(folder, i, path);
		if (past->items[i].there)
			r = lay_item(&past->items[i], path);
	}
	return r;
}
