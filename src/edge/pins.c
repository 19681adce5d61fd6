/*
 * The lock is flock(2) on the parent folder, which is looked at again once it is had: the file system there may have
 * been taken down meanwhile. One that is ours is known by its source's name, and goes when it is empty.
 */
#include "edge/pins.h"

#include "base/error.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* By this a mount is known as ours. */
#define MOUNT_SOURCE "guia-edge"
/* No dot: the kernel keeps such names in its BPF file system for itself. */
#define UNFINISHED "-unfinished"

enum { PARENT_MODE = 0711 }; /* also where it is mounted: MOUNT_MODE */
#define MOUNT_MODE "mode=0711"

bool pin_path(const char *directory, const char *name, char path[PIN_PATH_BYTES])
{
	int length = snprintf(path, PIN_PATH_BYTES, "%s/%s", directory, name);
	return length > 0 && length < PIN_PATH_BYTES;
}

/* The directory without slashes at its end, its parent, and the name beside it. */
static int paths_make(const char *directory, struct pins *pins)
{
	size_t length = strlen(directory), parent;
	while (length > 1 && directory[length - 1] == '/')
		length--;
	for (parent = length; parent > 0 && directory[parent - 1] != '/';)
		parent--;
	if (parent == 0 || parent == length)
		return -EINVAL;
	if (length + sizeof(UNFINISHED) > PIN_PATH_BYTES)
		return -ENAMETOOLONG;
	snprintf(pins->directory, PIN_PATH_BYTES, "%.*s", (int)length, directory);
	snprintf(pins->unfinished, PIN_PATH_BYTES, "%.*s" UNFINISHED, (int)length, directory);
	while (parent > 1 && directory[parent - 1] == '/')
		parent--;
	snprintf(pins->parent, PIN_PATH_BYTES, "%.*s", (int)parent, directory);
	return 0;
}

static int is_bpf(int fd)
{
	struct statfs info;
	if (fstatfs(fd, &info) != 0)
		return -errno;
	return (unsigned long)info.f_type == BPF_FS_MAGIC;
}

/* Others reach through it what is theirs, but do not see, nor lock, what is there. */
static int parent_mount(const char *parent)
{
	if (mkdir(parent, PARENT_MODE) != 0 && errno != EEXIST)
		return -errno;
	return mount(MOUNT_SOURCE, parent, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, MOUNT_MODE) == 0 ? 0 : -errno;
}

/* As it is when whoever made it was killed before something was mounted on it, or after that was taken down. */
static void parent_forget(const char *parent)
{
	struct stat is;
	if (stat(parent, &is) == 0 && (is.st_mode & 07777) == PARENT_MODE)
		rmdir(parent);
}

/* A descriptor of the parent, which is a BPF file system's; -ENOENT: it is not, -errno. */
static int parent_open(const char *parent, bool make)
{
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC), bpf = fd < 0 ? -errno : is_bpf(fd);
	if (bpf == 1)
		return fd;
	if (fd >= 0)
		close(fd);
	if (bpf < 0 && bpf != -ENOENT)
		return bpf;
	if (!make)
		parent_forget(parent);
	int error = make ? parent_mount(parent) : -ENOENT;
	return error != 0 ? error : parent_open(parent, false);
}

/* Whether the path is still what the descriptor is of: another process may have taken that file system down. */
static bool is_still(const char *path, int fd)
{
	struct stat there, ours;
	return stat(path, &there) == 0 && fstat(fd, &ours) == 0 && there.st_dev == ours.st_dev &&
	       there.st_ino == ours.st_ino;
}

int pins_lock(const char *directory, bool make, struct pins *ret_pins)
{
	struct pins pins;
	int outcome = paths_make(directory, &pins);
	if (outcome != 0)
		return outcome;
	for (;;) {
		pins.lock = parent_open(pins.parent, make);
		if (pins.lock < 0)
			return pins.lock;
		if (flock(pins.lock, LOCK_EX) != 0) {
			outcome = -errno;
			close(pins.lock);
			return outcome;
		}
		if (is_still(pins.parent, pins.lock))
			break;
		close(pins.lock);
	}
	*ret_pins = pins;
	return 0;
}

/* Whether the topmost mount at that very path is one of ours. */
static bool is_our_mount(const char *path)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char *line = NULL, real[PATH_MAX];
	size_t capacity = 0;
	bool ours = false;
	if (mounts == NULL || realpath(path, real) == NULL) {
		if (mounts != NULL)
			fclose(mounts);
		return false;
	}
	while (getline(&line, &capacity, mounts) > 0) {
		char *rest = NULL, *source = strtok_r(line, " ", &rest), *at = strtok_r(NULL, " ", &rest);
		if (source != NULL && at != NULL && strcmp(at, real) == 0)
			ours = strcmp(source, MOUNT_SOURCE) == 0;
	}
	free(line);
	fclose(mounts);
	return ours;
}

static bool is_empty(const char *path)
{
	DIR *folder = opendir(path);
	bool empty = folder != NULL;
	for (struct dirent *entry; empty && (entry = readdir(folder)) != NULL;)
		/* The kernel's own iterators are in each such file system, if it was built with them. */
		empty = entry->d_name[0] == '.' || strcmp(entry->d_name, "maps.debug") == 0 ||
			strcmp(entry->d_name, "progs.debug") == 0;
	if (folder != NULL)
		closedir(folder);
	return empty;
}

void pins_unlock(struct pins *pins)
{
	while (is_our_mount(pins->parent) && is_empty(pins->parent) && umount2(pins->parent, MNT_DETACH) == 0)
		rmdir(pins->parent);
	close(pins->lock);
	pins->lock = -1;
}

/* 0, also where there is none, or -errno. */
static int folder_remove(const char *path)
{
	char inside[PIN_PATH_BYTES];
	DIR *folder = opendir(path);
	int outcome = 0;
	if (folder == NULL)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    pin_path(path, entry->d_name, inside) && unlink(inside) != 0)
			outcome = -errno;
	closedir(folder);
	return rmdir(path) == 0 || outcome != 0 ? outcome : -errno;
}

int pins_stage(const struct pins *pins)
{
	int outcome = folder_remove(pins->unfinished);
	if (outcome != 0)
		return outcome;
	if (mkdir(pins->unfinished, 0755) != 0)
		return -errno;
	return chmod(pins->unfinished, 0755) == 0 ? 0 : -errno; /* whatever the umask is */
}

int pins_publish(const struct pins *pins)
{
	return rename(pins->unfinished, pins->directory) == 0 ? 0 : -errno;
}

int pins_remove(const struct pins *pins)
{
	int outcome = folder_remove(pins->unfinished);
	if (outcome == 0 && rename(pins->directory, pins->unfinished) != 0 && errno != ENOENT)
		outcome = -errno;
	return outcome != 0 ? outcome : folder_remove(pins->unfinished);
}
