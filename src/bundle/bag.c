/*
 * Lines of manifests, hashes of files, and a walk over folders, all below a folder that is open already. A link at the
 * end of a path is neither hashed nor gone into. Folders are walked sorted, so that a manifest of the same files is the
 * same.
 */
#include "bundle/bag.h"

#include "base/error.h"
#include "codec/byte_class.h"
#include "codec/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024, DEEPEST = 16 };

bool bag_path_valid(struct slice path)
{
	struct slice part, rest = path;
	if (path.len == 0 || path.len >= BAG_PATH_BYTES_MOST || path.ptr[path.len - 1] == '/' ||
	    memchr(path.ptr, 0, path.len) != NULL)
		return false;
	while (rest.len > 0) {
		rest = slice_cut(rest, '/', &part);
		if (part.len == 0 || slice_equal(part, SLICE(".")) || slice_equal(part, SLICE("..")))
			return false;
	}
	return true;
}

/* ---- manifests ---- */

void bag_line_write(const struct merkle_hash *hash, struct slice path, struct buffer *out)
{
	uint8_t hex[2 * MERKLE_HASH_BYTES];
	(void)hex_encode(slice_make(hash->bytes, sizeof(hash->bytes)), hex);
	buffer_add(out, slice_make(hex, sizeof(hex)));
	buffer_text(out, "  ");
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] == '\r' || path.ptr[i] == '\n' || path.ptr[i] == '%')
			buffer_printf(out, "%%%02X", path.ptr[i]);
		else
			buffer_byte(out, path.ptr[i]);
	buffer_byte(out, '\n');
}

/* %0D, %0A and %25 stand for what they encode (RFC 8493, 2.1.3). */
static bool decode(struct slice text, char out[BAG_PATH_BYTES_MOST])
{
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++, len++) {
		if (len + 1 >= BAG_PATH_BYTES_MOST)
			return false;
		out[len] = (char)text.ptr[i];
		struct slice code = slice_sub(text, i + 1, i + 3);
		if (text.ptr[i] != '%' || code.len < 2)
			continue;
		if (slice_equal_nocase(code, SLICE("0d")) || slice_equal_nocase(code, SLICE("0a")) ||
		    slice_equal(code, SLICE("25"))) {
			out[len] = (char)hex_pair_value(code, 0);
			i += 2;
		}
	}
	out[len] = '\0';
	return bag_path_valid(slice_make(out, len));
}

bool bag_line_next(struct reader *manifest, struct bag_line *ret_line)
{
	struct reader at = *manifest;
	struct slice line = reader_until(&at, '\n');
	if (line.len < 2 * MERKLE_HASH_BYTES + 2 || at.bytes.ptr[at.at - 1] != '\n')
		return false;
	if (!hex_exact(slice_sub(line, 0, 2 * MERKLE_HASH_BYTES), ret_line->hash.bytes, MERKLE_HASH_BYTES))
		return false;
	struct slice rest = slice_after(line, 2 * MERKLE_HASH_BYTES);
	if ((rest.ptr[0] != ' ' && rest.ptr[0] != '\t') || !decode(slice_trim(rest), ret_line->path))
		return false;
	*manifest = at;
	return true;
}

/* ---- files ---- */

static int hash_fd(int fd, uint8_t *room, struct merkle_hash *ret_hash, uint64_t *ret_bytes)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint64_t bytes = 0;
	ssize_t got = 0;
	bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
	while (good && (got = read(fd, room, READ_BYTES)) > 0) {
		good = EVP_DigestUpdate(context, room, (size_t)got) == 1;
		bytes += (uint64_t)got;
	}
	int r = got < 0 ? -errno : 0;
	good = good && EVP_DigestFinal_ex(context, ret_hash->bytes, NULL) == 1;
	EVP_MD_CTX_free(context);
	*ret_bytes = bytes;
	return r != 0 ? r : good ? 0 : -ENOMEM;
}

int bag_hash_file(int folder, const char *path, struct merkle_hash *ret_hash, uint64_t *ret_bytes)
{
	struct stat stat;
	int fd = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	uint8_t *room = malloc(READ_BYTES);
	int r = fstat(fd, &stat) != 0 ? -errno : !S_ISREG(stat.st_mode) ? -ELOOP : room == NULL ? -ENOMEM : 0;
	r = r != 0 ? r : hash_fd(fd, room, ret_hash, ret_bytes);
	free(room);
	close(fd);
	return r;
}

struct each {
	int folder;
	bag_file_fn *each;
	void *context;
};

static int visible(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int visit(const struct each *each, const char *below, unsigned depth)
{
	struct dirent **entries = NULL;
	struct stat stat;
	char path[BAG_PATH_BYTES_MOST];
	int count = scandirat(each->folder, below, &entries, visible, by_bytes), r = 0;
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		int len = snprintf(path, sizeof(path), "%s%s%s", strcmp(below, ".") == 0 ? "" : below,
				   strcmp(below, ".") == 0 ? "" : "/", entries[i]->d_name);
		free(entries[i]);
		if (r != 0)
			continue;
		if (len >= (int)sizeof(path) || depth > DEEPEST)
			r = each->each(each->context, path);
		else if (fstatat(each->folder, path, &stat, AT_SYMLINK_NOFOLLOW) != 0)
			r = -errno;
		else
			r = S_ISDIR(stat.st_mode) ? visit(each, path, depth + 1) : each->each(each->context, path);
	}
	free(entries);
	return r;
}

int bag_each_file(int folder, const char *below, bag_file_fn *each, void *context)
{
	const struct each visitor = {folder, each, context};
	return visit(&visitor, below, 0);
}
