/*
 * A file is a preamble and the content. All goes through the descriptor of the folder that was checked; writing too, by
 * its path under /proc/self/fd.
 */
#include "match/scan_cache.h"

#include "base/error.h"
#include "base/file.h"
#include "codec/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	CONTENT_MAX_BYTES = 512 * 1024 * 1024,
	DAY_S = 24 * 3600,
	UNUSED_MOST_S = 90 * DAY_S,
};

/* What a file begins with; the digest covers everything after it, and the key. */
struct preamble {
	char magic[8];
	uint8_t sha256[32];
};
static const char magic[8] = {'G', 'U', 'I', 'A', 'S', 'C', 'A', 'N'};

struct scan_cache {
	int fd; /* the folder, so that what was checked is what is used */
	char folder[];
};

static void warn(struct diagnostics *diagnostics, const char *folder, const char *what)
{
	if (diagnostics != NULL)
		diagnostics_add(diagnostics, DIAGNOSTIC_WARNING, (struct source_place){.file = folder},
				"rules work without the cache, but each start takes seconds longer",
				"the cache of compiled patterns is not used: %s", what);
}

/* One file that is not used leaves the others in use, and is replaced. */
static void warn_file(struct diagnostics *diagnostics, const struct scan_cache *cache, const char *name,
		      const char *what)
{
	char path[PATH_MAX];
	if (diagnostics == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%s", cache->folder, name);
	diagnostics_add(diagnostics, DIAGNOSTIC_WARNING, (struct source_place){.file = path}, NULL,
			"this file of the cache of compiled patterns is made anew: %s", what);
}

/* NULL if nobody but root and us can have put it there; else why it is not to be trusted. */
static const char *distrust(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs to another user";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "its group or others can write to it";
	return NULL;
}

/* Whoever can rename a folder above ours can put another in its place. A sticky one, like /tmp, keeps them from it. */
static const char *distrust_parents(const char *folder)
{
	char path[PATH_MAX];
	if (realpath(folder, path) == NULL)
		return strerror(errno);
	for (char *slash = strrchr(path, '/'); slash != NULL; slash = strrchr(path, '/')) {
		struct stat st;
		*slash = 0;
		if (stat(path[0] != 0 ? path : "/", &st) != 0)
			return strerror(errno);
		bool sticky = (st.st_mode & S_ISVTX) != 0 && (st.st_uid == 0 || st.st_uid == geteuid());
		if (distrust(&st) != NULL && !sticky)
			return "a folder above it can be changed by other users";
	}
	return NULL;
}

/* Why the folder cannot be used, or NULL with *ret_fd open. */
static const char *open_folder(const char *folder, int *ret_fd)
{
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return strerror(errno);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? "it is no folder, or a symbolic link" : strerror(errno);
	struct stat st;
	const char *why = fstat(fd, &st) != 0 ? strerror(errno) : distrust(&st);
	if (why == NULL)
		why = distrust_parents(folder);
	if (why != NULL) {
		close(fd);
		return why;
	}
	*ret_fd = fd;
	return NULL;
}

int scan_cache_open(const char *folder, struct diagnostics *diagnostics, struct scan_cache **ret_cache)
{
	size_t len = strlen(folder);
	struct scan_cache *cache = malloc(sizeof(*cache) + len + 1);
	if (cache == NULL)
		return -ENOMEM;
	memcpy(cache->folder, folder, len + 1);
	const char *why = open_folder(folder, &cache->fd);
	if (why != NULL) {
		warn(diagnostics, folder, why);
		free(cache);
		*ret_cache = NULL;
		return 1;
	}
	*ret_cache = cache;
	return 0;
}

static const char suffix[] = ".scan";

/* A file's time is when it was last loaded, to a day. */
static void note_use(int fd, const struct stat *st)
{
	if (time(NULL) - st->st_mtime > DAY_S)
		(void)futimens(fd, NULL);
}

/* What cannot be removed stays: it may be root's, and we another. */
static void remove_unused(const struct scan_cache *cache)
{
	int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd >= 0 ? fdopendir(fd) : NULL;
	if (files == NULL && fd >= 0)
		close(fd);
	for (const struct dirent *file; files != NULL && (file = readdir(files)) != NULL;) {
		struct stat st;
		if (slice_ends_with(slice_from_string(file->d_name), slice_from_string(suffix)) &&
		    fstatat(cache->fd, file->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    time(NULL) - st.st_mtime > UNUSED_MOST_S)
			(void)unlinkat(cache->fd, file->d_name, 0);
	}
	if (files != NULL)
		closedir(files);
}

void scan_cache_close(struct scan_cache *cache)
{
	if (cache == NULL)
		return;
	remove_unused(cache);
	close(cache->fd);
	free(cache);
}

enum { NAME_BYTES = 2 * sizeof(struct scan_cache_key) + sizeof(suffix) };

static void name_of(const struct scan_cache_key *key, char ret_name[NAME_BYTES])
{
	size_t len = hex_encode(slice_make(key->sha256, sizeof(key->sha256)), (uint8_t *)ret_name);
	memcpy(ret_name + len, suffix, sizeof(suffix));
}

static int digest(const struct scan_cache_key *key, struct slice content, uint8_t ret_sha256[32])
{
	EVP_MD_CTX *d = EVP_MD_CTX_new();
	bool fine = d != NULL && EVP_DigestInit_ex(d, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(d, key->sha256, sizeof(key->sha256)) == 1 &&
		    EVP_DigestUpdate(d, content.ptr, content.len) == 1 && EVP_DigestFinal_ex(d, ret_sha256, NULL) == 1;
	EVP_MD_CTX_free(d);
	return fine ? 0 : -EIO;
}

static int read_exactly(int fd, uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t got = read(fd, bytes, len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EIO;
		bytes += got;
		len -= (size_t)got;
	}
	return 0;
}

/* Reads an open file's content behind `out`. 0, -ENOMEM, or 1 with *ret_why set. */
static int load_open(int fd, const struct scan_cache_key *key, struct buffer *out, const char **ret_why)
{
	struct stat st;
	struct preamble preamble;
	uint8_t sha256[32];
	*ret_why = fstat(fd, &st) != 0 ? strerror(errno) : distrust(&st);
	if (*ret_why != NULL)
		return 1;
	*ret_why = "it is damaged";
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(preamble) || st.st_size > CONTENT_MAX_BYTES)
		return 1;
	size_t len = (size_t)st.st_size - sizeof(preamble);
	if (buffer_reserve(out, len + 1) != 0)
		return -ENOMEM;
	if (read_exactly(fd, (uint8_t *)&preamble, sizeof(preamble)) != 0 ||
	    read_exactly(fd, out->ptr + out->len, len) != 0)
		return 1;
	if (memcmp(preamble.magic, magic, sizeof(magic)) != 0 ||
	    digest(key, slice_make(out->ptr + out->len, len), sha256) != 0 ||
	    memcmp(preamble.sha256, sha256, sizeof(sha256)) != 0)
		return 1;
	out->len += len;
	note_use(fd, &st);
	return 0;
}

int scan_cache_load(const struct scan_cache *cache, const struct scan_cache_key *key, struct diagnostics *diagnostics,
		    struct buffer *out)
{
	char name[NAME_BYTES];
	const char *why;
	if (cache == NULL)
		return 0;
	name_of(key, name);
	int fd = openat(cache->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			warn_file(diagnostics, cache, name, errno == ELOOP ? "it is a symbolic link" : strerror(errno));
		return 0;
	}
	int r = load_open(fd, key, out, &why);
	close(fd);
	if (r == 1)
		warn_file(diagnostics, cache, name, why);
	return r == 0 ? 1 : r == 1 ? 0 : r;
}

static int write_content(const struct scan_cache *cache, const struct scan_cache_key *key, struct slice content)
{
	char name[NAME_BYTES], path[PATH_MAX];
	struct preamble preamble;
	struct buffer bytes = buffer_make(NULL);
	name_of(key, name);
	/* Through the open folder, should the path have come to mean another since it was checked. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", cache->fd, name);
	memcpy(preamble.magic, magic, sizeof(magic));
	int r = digest(key, content, preamble.sha256);
	if (r != 0)
		return r;
	buffer_add(&bytes, slice_make(&preamble, sizeof(preamble)));
	buffer_add(&bytes, content);
	r = bytes.error != 0 ? bytes.error : file_replace(path, buffer_slice(&bytes), 0600);
	buffer_free(&bytes);
	return r;
}

int scan_cache_store(const struct scan_cache *cache, const struct scan_cache_key *key, struct slice content,
		     struct diagnostics *diagnostics)
{
	if (cache == NULL)
		return 0;
	int r = content.len > CONTENT_MAX_BYTES - sizeof(struct preamble) ? -EFBIG : write_content(cache, key, content);
	if (r != 0 && r != -ENOMEM)
		warn(diagnostics, cache->folder, strerror(-r));
	return r == -ENOMEM ? r : 0;
}
