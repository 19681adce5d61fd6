/* A SHA-256 for each file's bytes, or for the list of paths that a pattern matched. Times of files do not count. */
#include "seclang/dependency.h"

#include "base/file.h"

#include <errno.h>
#include <openssl/sha.h>

static int add(struct dependencies *list, struct arena *arena, const char *path, bool is_pattern, struct slice content)
{
	struct dependency *dependency = arena_zalloc(arena, 1, sizeof(*dependency));
	if (dependency == NULL)
		return -ENOMEM;
	dependency->path = arena_string(arena, slice_from_string(path));
	if (dependency->path == NULL)
		return -ENOMEM;
	dependency->is_pattern = is_pattern;
	SHA256(content.ptr, content.len, dependency->sha256);
	dependency->next = list->first;
	list->first = dependency;
	return 0;
}

int dependencies_add_file(struct dependencies *list, struct arena *arena, const char *path, struct slice content)
{
	return add(list, arena, path, false, content);
}

static void found_text(const glob_t *found, struct buffer *out)
{
	for (size_t i = 0; i < found->gl_pathc; i++) {
		buffer_text(out, found->gl_pathv[i]);
		buffer_byte(out, '\0');
	}
}

int dependencies_add_pattern(struct dependencies *list, struct arena *arena, const char *pattern, const glob_t *found)
{
	struct buffer text = buffer_make(NULL);
	found_text(found, &text);
	int r = text.error != 0 ? text.error : add(list, arena, pattern, true, buffer_slice(&text));
	buffer_free(&text);
	return r;
}

static int read_now(const struct dependency *dependency, struct buffer *out)
{
	if (!dependency->is_pattern)
		return file_read(dependency->path, DEPENDENCY_FILE_BYTES, out);
	glob_t found = {0};
	int outcome = glob(dependency->path, GLOB_ERR, NULL, &found);
	if (outcome == 0 || outcome == GLOB_NOMATCH)
		found_text(&found, out);
	globfree(&found);
	return outcome == 0 || outcome == GLOB_NOMATCH ? out->error : -EIO;
}

bool dependencies_unchanged(const struct dependencies *list)
{
	bool same = true;
	for (const struct dependency *d = list->first; d != NULL && same; d = d->next) {
		uint8_t sha256[32];
		struct buffer content = buffer_make(NULL);
		same = read_now(d, &content) == 0;
		if (same) {
			SHA256(content.ptr, content.len, sha256);
			same = memcmp(sha256, d->sha256, sizeof(sha256)) == 0;
		}
		buffer_free(&content);
	}
	return same;
}
