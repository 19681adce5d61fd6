/*
 * The calls by which a log reaches the disk, as a table, so that tests have each of them fail, be done by half, or be
 * the last before the process dies. All return -errno on failure.
 */
#ifndef GUIA_EVIDENCE_DISK_H
#define GUIA_EVIDENCE_DISK_H

#include "base/slice.h"

#include <sys/types.h>
#include <sys/uio.h>

struct disk_calls {
	int (*open)(int folder, const char *path, int flags, mode_t mode);
	ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, off_t offset);
	int (*fdatasync)(int fd);
	int (*syncfs)(int fd);
	int (*truncate)(int fd, off_t len);
	int (*mkdir)(int folder, const char *path, mode_t mode);
	int (*rename)(int folder, const char *from, const char *to, unsigned flags); /* renameat2's */
	int (*unlink)(int folder, const char *path);
};

extern const struct disk_calls disk_kernel;

/* The whole of it, however the kernel parts it. 0 or -errno. The parts are changed. */
int disk_write(const struct disk_calls *disk, int fd, struct iovec *parts, int count, off_t offset);
int disk_write_slice(const struct disk_calls *disk, int fd, struct slice bytes, off_t offset);

/* A file that appears whole, its folders made where they are missing; whether it outlives a power failure is left open.
 */
int disk_place(const struct disk_calls *disk, int folder, const char *path, struct slice content);
/* The same, and it does: with 0 it is on the disk, and at no time is a file of its name there that is not whole. */
int disk_keep(const struct disk_calls *disk, int folder, const char *path, struct slice content);

#endif
