/*
 * BagIt (RFC 8493): a folder whose manifests name each of its files with its SHA-256. Reading takes bags of anyone's
 * making: a manifest cannot name what is outside of its bag.
 */
#ifndef GUIA_BUNDLE_BAG_H
#define GUIA_BUNDLE_BAG_H

#include "base/buffer.h"
#include "base/reader.h"
#include "evidence/merkle.h"

#define BAG_DECLARATION  "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
#define BAG_MANIFEST     "manifest-sha256.txt"
#define BAG_TAG_MANIFEST "tagmanifest-sha256.txt"
#define BAG_SIZES        "sizes.txt" /* "BYTES  PATH" of what manifests name: tells a file that was cut from another */

enum { BAG_PATH_BYTES_MOST = 512, BAG_MANIFEST_BYTES_MOST = 1 << 30 };

/* A path below the bag that stays there: relative, no part of it empty, "." or "..". */
bool bag_path_valid(struct slice path);

struct bag_line {
	struct merkle_hash hash;
	char path[BAG_PATH_BYTES_MOST];
};

void bag_line_write(const struct merkle_hash *hash, struct slice path, struct buffer *out);
/* False at the end, and where what follows is no line of a manifest: then the reader is not at its end. */
bool bag_line_next(struct reader *manifest, struct bag_line *ret_line);

/* SHA-256 and length of a file below a folder. 0, -ENOENT, -ELOOP: it is no regular file; or -errno. */
int bag_hash_file(int folder, const char *path, struct merkle_hash *ret_hash, uint64_t *ret_bytes);

/*
 * Every file below `below`, in the order of bytes, by its path from `folder`; what is deeper, or of a longer path, than
 * anything in a bag by the beginning of its path. What `each` returns other than 0 ends it.
 */
typedef int bag_file_fn(void *context, const char *path);
int bag_each_file(int folder, const char *below, bag_file_fn *each, void *context);

#endif
