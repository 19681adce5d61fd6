/*
 * Kept by file_replace(). Laid by hand, since the folder may be the workers': made anew under a name aside, by a
 * descriptor of the folder, and renamed.
 */
#include "serve/events_key.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "wire/outbox_layout.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char kept_name[] = "events.key", aside_name[] = OUTBOX_KEY_FILE ".laid";

/* 0 or EVENTS_KEY_REPLACED, or -errno. */
static int key_keep(const char *run_dir, struct hash_key *ret_key)
{
	char path[PATH_MAX];
	struct buffer bytes = buffer_make(NULL);
	if (snprintf(path, sizeof(path), "%s/%s", run_dir, kept_name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int r = file_read(path, sizeof(*ret_key), &bytes);
	bool is_key = r == 0 && bytes.len == sizeof(*ret_key), is_new = r == -ENOENT;
	if (is_key)
		memcpy(ret_key, bytes.ptr, sizeof(*ret_key));
	buffer_free(&bytes);
	if (is_key)
		return 0;
	if (r != 0 && r != -ENOENT && r != -EFBIG)
		return r;
	struct hash_key key = hash_key_random();
	r = file_replace(path, slice_make(&key, sizeof(key)), 0600);
	if (r == 0)
		*ret_key = key;
	return r != 0 ? r : is_new ? 0 : EVENTS_KEY_REPLACED;
}

/* Whoever may look into the folder may read it. */
static int file_fill(int folder, int fd, const struct hash_key *key, const struct passwd *user)
{
	struct stat st;
	if (fstat(folder, &st) != 0 || fchmod(fd, (st.st_mode & S_IRGRP) != 0 ? 0640 : 0600) != 0 ||
	    (user != NULL && fchown(fd, user->pw_uid, (gid_t)-1) != 0))
		return -errno;
	ssize_t put = write(fd, key, sizeof(*key));
	return put < 0 ? -errno : put != (ssize_t)sizeof(*key) ? -ENOSPC : 0;
}

/* The folder may be another's: nothing in it is followed, and what is written was made by us. */
static int key_lay(int folder, const struct hash_key *key, const struct passwd *user)
{
	if (unlinkat(folder, aside_name, 0) != 0 && errno != ENOENT)
		return -errno;
	int fd = openat(folder, aside_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int r = file_fill(folder, fd, key, user);
	if (close(fd) != 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(folder, aside_name, folder, OUTBOX_KEY_FILE) != 0)
		r = -errno;
	if (r != 0)
		(void)unlinkat(folder, aside_name, 0);
	return r;
}

int events_key_lay(const char *run_dir, const char *events_dir, const struct passwd *user)
{
	struct hash_key key;
	int kept = key_keep(run_dir, &key);
	if (kept < 0)
		return kept;
	int folder = open(events_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	int r = key_lay(folder, &key, user);
	close(folder);
	return r != 0 ? r : kept;
}
