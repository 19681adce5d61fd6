/*
 * An order reads the whole file, changes it and replaces it. A line that cannot be read spoils all of it: otherwise a
 * hold would be gone and nobody would see it.
 */
#include "evidence/holds.h"

#include "base/error.h"
#include "base/file.h"
#include "evidence/checkpoint.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static int path_of(const char *folder, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/" HOLDS_FILE, folder) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool read_line(struct slice line, struct hold *ret_hold)
{
	struct slice incident, from;
	line = slice_cut(line, ' ', &incident);
	struct slice to = slice_cut(line, ' ', &from);
	return decimal_read(incident, &ret_hold->incident) && decimal_read(from, &ret_hold->from_ms) &&
	       decimal_read(to, &ret_hold->to_ms);
}

int holds_load(const char *folder, struct holds *ret_holds)
{
	struct buffer text = buffer_make(NULL);
	char path[PATH_MAX];
	int r = path_of(folder, path);
	ret_holds->count = 0;
	r = r != 0 ? r : file_read(path, HOLDS_MOST * 80, &text);
	struct slice rest = buffer_slice(&text), line;
	while (r == 0 && rest.len > 0) {
		rest = slice_cut(rest, '\n', &line);
		if (ret_holds->count == HOLDS_MOST || !read_line(line, &ret_holds->holds[ret_holds->count++]))
			r = HOLDS_DAMAGED;
	}
	buffer_free(&text);
	return r == -ENOENT ? 0 : r == -EFBIG ? HOLDS_DAMAGED : r;
}

static int store(const char *folder, const struct holds *holds)
{
	struct buffer text = buffer_make(NULL);
	char path[PATH_MAX];
	for (size_t i = 0; i < holds->count; i++)
		buffer_printf(&text, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", holds->holds[i].incident,
			      holds->holds[i].from_ms, holds->holds[i].to_ms);
	int r = path_of(folder, path);
	r = r != 0 ? r : text.error != 0 ? text.error : file_replace(path, buffer_slice(&text), 0600);
	buffer_free(&text);
	return r;
}

static size_t find(const struct holds *holds, uint64_t incident)
{
	size_t at = 0;
	while (at < holds->count && holds->holds[at].incident != incident)
		at++;
	return at;
}

/* The file as it is, and where the incident is in it, or would be. */
static int look(const char *folder, uint64_t incident, bool held, struct holds *ret_holds, size_t *ret_at)
{
	int r = holds_load(folder, ret_holds);
	if (r != 0)
		return r;
	*ret_at = find(ret_holds, incident);
	if (held)
		return *ret_at == HOLDS_MOST ? HOLDS_FULL : 0;
	return *ret_at == ret_holds->count ? HOLDS_NONE : 0;
}

int holds_check(const char *folder, uint64_t incident, bool held)
{
	struct holds holds;
	size_t at;
	return look(folder, incident, held, &holds, &at);
}

int holds_put(const char *folder, const struct hold *hold)
{
	struct holds holds;
	size_t at;
	int r = look(folder, hold->incident, true, &holds, &at);
	if (r != 0)
		return r;
	holds.holds[at] = *hold;
	holds.count += at == holds.count ? 1 : 0;
	return store(folder, &holds);
}

int holds_lift(const char *folder, uint64_t incident)
{
	struct holds holds;
	size_t at;
	int r = look(folder, incident, false, &holds, &at);
	if (r != 0)
		return r;
	holds.holds[at] = holds.holds[--holds.count];
	return store(folder, &holds);
}

bool holds_cover(const struct holds *holds, uint64_t from_ms, uint64_t to_ms)
{
	for (size_t i = 0; i < holds->count; i++)
		if (holds->holds[i].from_ms <= to_ms && holds->holds[i].to_ms >= from_ms)
			return true;
	return false;
}
