#include "edge/pins.h"

#include "base/error.h"

#include <dirent.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* By this a mount is known as ours. */
#define MOUNT_SOURCE "guia-edge"

bool pin_path(const char *directory, const char *name, char path[PIN_PATH_BYTES])
{
	int length = snprintf(path, PIN_PATH_BYTES, "%s/%s", directory, name);
	return length > 0 && length < PIN_PATH_BYTES;
}

static int parent_of(const char *directory, char path[PIN_PATH_BYTES])
{
	size_t length = strlen(directory);
	while (length > 1 && directory[length - 1] == '/')
		length--;
	while (length > 0 && directory[length - 1] != '/')
		length--;
	while (length > 1 && directory[length - 1] == '/')
		length--;
	if (length == 0 || length >= PIN_PATH_BYTES)
		return length == 0 ? -EINVAL : -ENAMETOOLONG;
	memcpy(path, directory, length);
	path[length] = '\0';
	return 0;
}

static int is_bpf(const char *path)
{
	struct statfs info;
	if (statfs(path, &info) != 0)
		return -errno;
	return (unsigned long)info.f_type == BPF_FS_MAGIC;
}

int pins_make(const char *directory)
{
	char parent[PIN_PATH_BYTES];
	int outcome = parent_of(directory, parent);
	if (outcome != 0)
		return outcome;
	if ((outcome = is_bpf(parent)) < 0)
		return outcome;
	if (outcome == 0 && mount(MOUNT_SOURCE, parent, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") != 0)
		return -errno;
	if (mkdir(directory, 0755) != 0)
		return -errno;
	return chmod(directory, 0755) == 0 ? 0 : -errno; /* whatever the umask is */
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

int pins_remove(const char *directory)
{
	char path[PIN_PATH_BYTES];
	DIR *folder = opendir(directory);
	int outcome = 0;
	if (folder == NULL)
		return -errno;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    pin_path(directory, entry->d_name, path) && unlink(path) != 0)
			outcome = -errno;
	closedir(folder);
	if (rmdir(directory) != 0)
		return outcome != 0 ? outcome : -errno;
	if (parent_of(directory, path) == 0 && is_our_mount(path) && is_empty(path))
		umount(path);
	return outcome;
}
