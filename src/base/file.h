/* Whole files: read with a bound, and written so that a reader sees the old one or the new one, never half. */
#ifndef GUIA_BASE_FILE_H
#define GUIA_BASE_FILE_H

#include "base/buffer.h"

/*
 * Appends the file's bytes. 0, -errno, or -EFBIG when it holds more than `limit_bytes`. A pipe is read to its end; one
 * that nobody writes to is -ENODATA rather than waited for.
 */
int file_read(const char *path, size_t limit_bytes, struct buffer *out);

/* The same of a path below an open folder. */
int file_read_at(int folder, const char *path, size_t limit_bytes, struct buffer *out);

/* Writes beside `path`, fsyncs, renames over it, fsyncs the folder. 0 or -errno; nothing is left behind on failure. */
int file_replace(const char *path, struct slice content, unsigned mode);

/* The same without waiting for a disk, for what nobody needs after a power failure: it may then be empty. */
int file_replace_volatile(const char *path, struct slice content, unsigned mode);

/* Gives a file another name, PATH and `ending`, in the place of what has it, so that it outlives what replaces it. 0 or
 * -errno. */
int file_put_aside(const char *path, const char *ending);

#endif
