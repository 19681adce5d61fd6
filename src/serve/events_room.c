#include "serve/events_room.h"

#include "wire/outbox.h"

#include <glob.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEGABYTE = 1 << 20 };

#define UNBOUNDED_BYTES ((uint64_t)1 << 62)

uint64_t events_room_needed_bytes(int64_t workers)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t count = workers > 0 ? (uint64_t)workers : processors > 0 ? (uint64_t)processors : 1;
	return 2 * count * outbox_file_bytes(&outbox_usual_sizes);
}

uint64_t events_room_taken_bytes(const char *path)
{
	char pattern[PATH_MAX + 16];
	struct stat st;
	glob_t found = {0};
	uint64_t bytes = 0;
	snprintf(pattern, sizeof(pattern), "%s/worker-*", path);
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (lstat(found.gl_pathv[i], &st) == 0 && S_ISREG(st.st_mode))
			bytes += (uint64_t)st.st_blocks * 512;
	globfree(&found);
	return bytes;
}

bool events_room_system(const char *path, struct statfs *ret_system)
{
	char above[PATH_MAX];
	if (path[0] != '/' || snprintf(above, sizeof(above), "%s", path) >= (int)sizeof(above))
		return false;
	while (statfs(above, ret_system) != 0)
		if (strcmp(dirname(above), "/") == 0)
			return false;
	return true;
}

uint64_t events_room_free_bytes(const char *path)
{
	struct statfs system;
	if (!events_room_system(path, &system))
		return 0;
	/* A tmpfs without bounds has no blocks. */
	return system.f_blocks > 0 ? (uint64_t)system.f_bavail * (uint64_t)system.f_bsize : UNBOUNDED_BYTES;
}

void events_room_tell(const char *path, bool memory_short, uint64_t needed_bytes, const struct notice *notice)
{
	uint64_t needed = (needed_bytes + MEGABYTE - 1) / MEGABYTE,
		 room = events_room_free_bytes(path) + events_room_taken_bytes(path);
	if (memory_short)
		notice_say(notice,
			   "warning: events need %" PRIu64 " MB in memory, and " EVENTS_MEMORY " has %" PRIu64
			   " MB free: they are kept in %s, where workers may have to wait for a disk",
			   needed, events_room_free_bytes(EVENTS_MEMORY) / MEGABYTE, path);
	if (room < needed_bytes)
		notice_say(notice,
			   "warning: events need %" PRIu64 " MB in %s, where %" PRIu64 " MB are free: a worker that "
			   "finds no room serves without telling the watch, which then sees no attack on it; make "
			   "room, and reload",
			   needed, path, room / MEGABYTE);
}
