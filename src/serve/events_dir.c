/*
 * In memory it has a name of its own each time and a lock that we hold: a later guia removes those whose lock is free.
 * Else its name follows from the run directory's. What may be another's is changed by descriptors that follow no link,
 * and removed by a child that has become its owner.
 */
#include "serve/events_dir.h"

#include "base/error.h"
#include "serve/events_room.h"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char prefix[] = EVENTS_MEMORY "/guia-serve-events-", group_name[] = "guia";

void events_dir_remove(const char *path, const struct passwd *user)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (user == NULL || (setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0))
			execl("/bin/rm", "rm", "-rf", "--", path, (char *)NULL);
		_exit(1);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool is_memory(const char *path)
{
	struct statfs system;
	return events_room_system(path, &system) && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

uint64_t events_dir_held_bytes(void)
{
	char pattern[sizeof(prefix) + 8];
	snprintf(pattern, sizeof(pattern), "%s??????", prefix);
	return events_room_taken_bytes(pattern);
}

int events_dir_place(const char *run_dir, const struct passwd *user, uint64_t needed_bytes, struct events_dir *ret_dir)
{
	struct events_dir dir = {.lock = -1};
	bool memory = !is_memory(run_dir) && is_memory(EVENTS_MEMORY) && access(EVENTS_MEMORY, W_OK | X_OK) == 0;
	dir.apart = memory && events_room_free_bytes(EVENTS_MEMORY) >= needed_bytes;
	dir.memory_short = memory && !dir.apart;
	/* A folder of root's is closed to the workers: theirs lies beside it. */
	int len = snprintf(dir.path, sizeof(dir.path),
			   dir.apart      ? "%sXXXXXX"
			   : user != NULL ? "%s.events"
					  : "%s/events",
			   dir.apart ? prefix : run_dir);
	if (len >= (int)sizeof(dir.path))
		return -ENAMETOOLONG;
	*ret_dir = dir;
	return 0;
}

/* Ours, or the workers', and for nobody else to write to. Once it is theirs, they may put anything in its place. */
static int owner_set(const char *path, const struct passwd *user, const char **ret_group)
{
	const struct group *group = user != NULL ? getgrnam(group_name) : NULL;
	const mode_t mode = group != NULL ? 02750 : 0700;
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 || fstat(fd, &st) != 0 ? -errno : 0;
	if (r == 0 && st.st_uid != geteuid() && (user == NULL || st.st_uid != user->pw_uid))
		r = -EPERM;
	if (r == 0 && (st.st_mode & 07777) != mode && fchmod(fd, mode) != 0)
		r = -errno;
	if (r == 0 && user != NULL && fchown(fd, user->pw_uid, group != NULL ? group->gr_gid : user->pw_gid) != 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (r == 0)
		*ret_group = group != NULL ? group_name : NULL;
	return r;
}

/* What a killed guia left, whose lock is free. */
static void sweep(const struct passwd *user)
{
	char pattern[sizeof(prefix) + 8];
	glob_t found = {0};
	struct stat st;
	snprintf(pattern, sizeof(pattern), "%s??????", prefix);
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		bool ours = fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == (user != NULL ? user->pw_uid : geteuid());
		if (ours && flock(fd, LOCK_EX | LOCK_NB) == 0)
			events_dir_remove(found.gl_pathv[i], user);
		if (fd >= 0)
			close(fd);
	}
	globfree(&found);
}

/* Makes it under a name of its own, and holds its lock. */
static int make_apart(struct events_dir *dir)
{
	struct stat held, named;
	for (int i = 0; i < 8; i++) {
		snprintf(dir->path, sizeof(dir->path), "%sXXXXXX", prefix);
		if (mkdtemp(dir->path) == NULL)
			return -errno;
		dir->lock = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir->lock >= 0 && flock(dir->lock, LOCK_EX) == 0 && fstat(dir->lock, &held) == 0 &&
		    lstat(dir->path, &named) == 0 && held.st_ino == named.st_ino)
			return 0;
		if (dir->lock >= 0)
			close(dir->lock); /* another's sweep was faster */
		dir->lock = -1;
	}
	return -EAGAIN;
}

int events_dir_open(const char *run_dir, const struct passwd *user, uint64_t needed_bytes, struct events_dir *ret_dir)
{
	struct events_dir dir;
	sweep(user);
	int r = events_dir_place(run_dir, user, needed_bytes, &dir);
	if (r != 0)
		return r;
	if (dir.apart)
		r = make_apart(&dir);
	else if (mkdir(dir.path, 0700) != 0 && errno != EEXIST)
		return -errno;
	r = r != 0 ? r : owner_set(dir.path, user, &dir.group);
	if (r != 0)
		events_dir_close(&dir, user);
	else
		*ret_dir = dir;
	return r;
}

void events_dir_close(struct events_dir *dir, const struct passwd *user)
{
	if (dir->apart && dir->path[0] != '\0')
		events_dir_remove(dir->path, user);
	if (dir->lock >= 0)
		close(dir->lock);
	*dir = (struct events_dir){.lock = -1};
}
