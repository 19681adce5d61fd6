/* The files of a log or a bundle as they are read back, from a folder that may be of anyone's making. */
#ifndef GUIA_EVIDENCE_KEPT_FILE_H
#define GUIA_EVIDENCE_KEPT_FILE_H

#include "base/buffer.h"

/*
 * Appends the bytes of folder/path. -ENOENT where there is none, or what is no file: a folder, a pipe, a link that
 * leads nowhere. -EFBIG: it is longer than `limit_bytes`, of which more than so many are there. Another -errno: it
 * cannot be told.
 */
int kept_file_read(int folder, const char *path, size_t limit_bytes, struct buffer *out);

#endif
