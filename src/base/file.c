/*
 * A file is opened with O_NONBLOCK, for a pipe without a writer would be waited for, and read without. What replaces
 * one is written beside it, as PATH and six characters of mkostemp(3)'s: such a file that was left is of a process that
 * was killed.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, size_t limit_bytes, struct buffer *out)
{
	enum { STEP = 64 * 1024 };
	size_t start = out->len;
	for (;;) {
		if (buffer_reserve(out, STEP) != 0)
			return -ENOMEM;
		ssize_t got = read(fd, out->ptr + out->len, STEP);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		out->len += (size_t)got;
		if (out->len - start > limit_bytes)
			return -EFBIG;
	}
}

int file_read_at(int folder, const char *path, size_t limit_bytes, struct buffer *out)
{
	size_t start = out->len;
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	struct stat about;
	bool pipe = fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode);
	int r = fcntl(fd, F_SETFL, 0) == 0 ? read_all(fd, limit_bytes, out) : -errno;
	close(fd);
	return r == 0 && pipe && out->len == start ? -ENODATA : r;
}

int file_read(const char *path, size_t limit_bytes, struct buffer *out)
{
	return file_read_at(AT_FDCWD, path, limit_bytes, out);
}

static int write_all(int fd, struct slice content)
{
	while (content.len > 0) {
		ssize_t put = write(fd, content.ptr, content.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		content = slice_after(content, (size_t)put);
	}
	return 0;
}

static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
		return -ENAMETOOLONG;
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return r;
}

static int write_aside(int fd, struct slice content, unsigned mode, bool sync)
{
	int r = write_all(fd, content);
	if (r == 0 && fchmod(fd, mode) != 0)
		r = -errno;
	if (r == 0 && sync && fsync(fd) != 0)
		r = -errno;
	if (close(fd) != 0 && r == 0)
		r = -errno;
	return r;
}

static int replace(const char *path, struct slice content, unsigned mode, bool sync)
{
	char aside[PATH_MAX];
	if ((size_t)snprintf(aside, sizeof(aside), "%s.XXXXXX", path) >= sizeof(aside))
		return -ENAMETOOLONG;
	int fd = mkostemp(aside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = write_aside(fd, content, mode, sync);
	if (r == 0 && rename(aside, path) != 0)
		r = -errno;
	if (r != 0) {
		unlink(aside);
		return r;
	}
	return sync ? sync_folder(path) : 0;
}

int file_replace(const char *path, struct slice content, unsigned mode)
{
	return replace(path, content, mode, true);
}

int file_replace_volatile(const char *path, struct slice content, unsigned mode)
{
	return replace(path, content, mode, false);
}

int file_put_aside(const char *path, const char *ending)
{
	char aside[PATH_MAX];
	if ((size_t)snprintf(aside, sizeof(aside), "%s%s", path, ending) >= sizeof(aside))
		return -ENAMETOOLONG;
	return rename(path, aside) == 0 ? 0 : -errno;
}
