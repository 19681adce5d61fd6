/*
 * disk_kernel is what all but tests use. disk_place() writes PATH.new and renames it; folders are made only if that
 * could not be opened for want of them.
 */
#include "evidence/disk.h"

#include "base/error.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int kernel_open(int folder, const char *path, int flags, mode_t mode)
{
	int fd = openat(folder, path, flags | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

static ssize_t kernel_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	ssize_t put = pwritev(fd, parts, count, offset);
	return put < 0 ? -errno : put;
}

static int kernel_fdatasync(int fd)
{
	return fdatasync(fd) == 0 ? 0 : -errno;
}

static int kernel_syncfs(int fd)
{
	return syncfs(fd) == 0 ? 0 : -errno;
}

static int kernel_truncate(int fd, off_t len)
{
	return ftruncate(fd, len) == 0 ? 0 : -errno;
}

static int kernel_mkdir(int folder, const char *path, mode_t mode)
{
	return mkdirat(folder, path, mode) == 0 ? 0 : -errno;
}

static int kernel_rename(int folder, const char *from, const char *to, unsigned flags)
{
	return renameat2(folder, from, folder, to, flags) == 0 ? 0 : -errno;
}

static int kernel_unlink(int folder, const char *path)
{
	return unlinkat(folder, path, 0) == 0 ? 0 : -errno;
}

const struct disk_calls disk_kernel = {
	.open = kernel_open,
	.pwritev = kernel_pwritev,
	.fdatasync = kernel_fdatasync,
	.syncfs = kernel_syncfs,
	.truncate = kernel_truncate,
	.mkdir = kernel_mkdir,
	.rename = kernel_rename,
	.unlink = kernel_unlink,
};

int disk_write(const struct disk_calls *disk, int fd, struct iovec *parts, int count, off_t offset)
{
	while (count > 0) {
		ssize_t put = disk->pwritev(fd, parts, count, offset);
		if (put == -EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? (int)put : -EIO;
		offset += put;
		for (; count > 0 && (size_t)put >= parts->iov_len; parts++, count--)
			put -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (uint8_t *)parts->iov_base + put;
			parts->iov_len -= (size_t)put;
		}
	}
	return 0;
}

int disk_write_slice(const struct disk_calls *disk, int fd, struct slice bytes, off_t offset)
{
	struct iovec part = {(void *)(uintptr_t)bytes.ptr, bytes.len};
	return bytes.len == 0 ? 0 : disk_write(disk, fd, &part, 1, offset);
}

static int make_folders(const struct disk_calls *disk, int folder, const char *path)
{
	char part[PATH_MAX];
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		int r = disk->mkdir(folder, part, 0755);
		if (r != 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

static int place(const struct disk_calls *disk, int folder, const char *path, struct slice content, bool keeps)
{
	char aside[PATH_MAX];
	if ((size_t)snprintf(aside, sizeof(aside), "%s.new", path) >= sizeof(aside))
		return -ENAMETOOLONG;
	int fd = disk->open(folder, aside, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd == -ENOENT) {
		int made = make_folders(disk, folder, path);
		fd = made != 0 ? made : disk->open(folder, aside, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	}
	if (fd < 0)
		return fd;
	int r = disk_write_slice(disk, fd, content, 0);
	if (r == 0 && keeps)
		r = disk->fdatasync(fd);
	if (close(fd) != 0 && r == 0)
		r = -errno;
	if (r == 0)
		r = disk->rename(folder, aside, path, 0);
	if (r != 0)
		(void)disk->unlink(folder, aside);
	return r;
}

int disk_place(const struct disk_calls *disk, int folder, const char *path, struct slice content)
{
	return place(disk, folder, path, content, false);
}

/* Its bytes before its name, or what is left may be a name without bytes. */
int disk_keep(const struct disk_calls *disk, int folder, const char *path, struct slice content)
{
	int r = place(disk, folder, path, content, true);
	return r != 0 ? r : disk->syncfs(folder);
}
