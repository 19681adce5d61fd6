/*
 * The bag's WARC files are mapped and read once; a record that commits to a message marks all parcels whose span has
 * its time. Beside each span stands the latest end so far: the walk back from where a search by halves came to ends
 * where none before reaches.
 */
#include "bundle/parcels.h"

#include "base/error.h"
#include "bundle/bag.h"
#include "bundle/warc.h"
#include "evidence/leaf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Heads of packets are sealed under the time at which their second ended, and their record is written then. */
enum { PACKETS_BEFORE_MS = 2000 };

struct span {
	uint64_t first_ms, last_ms;
	uint64_t latest_ms; /* the last message of this and all before */
};

struct naming {
	int bag;
	struct span *spans; /* in the order of their first messages */
	size_t count;
	bool *named;
};

static void name_between(const struct naming *naming, uint64_t from_ms, uint64_t to_ms)
{
	size_t low = 0, high = naming->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (naming->spans[middle].first_ms <= to_ms)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0 && naming->spans[low].latest_ms >= from_ms)
		naming->named[low] = naming->named[low] || naming->spans[low].last_ms >= from_ms;
}

static void take_leaf(const struct naming *naming, const struct leaf *leaf)
{
	const struct leaf_value *at = leaf_get(leaf, "at");
	if (leaf_get(leaf, "body") == NULL && leaf_get(leaf, "answer") == NULL)
		return;
	if (at != NULL)
		name_between(naming, at->number, at->number);
	else
		name_between(naming, leaf->time_ms - PACKETS_BEFORE_MS, leaf->time_ms);
}

static void take_file(const struct naming *naming, struct slice bytes)
{
	struct reader reader = reader_make(bytes);
	struct warc_record record;
	struct leaf leaf;
	while (warc_next(&reader, &record))
		if (warc_value(&record, "Guia-Record").ptr != NULL && leaf_read(record.block, &leaf) == 0 &&
		    (leaf.kind == LEAF_BLOCK || leaf.kind == LEAF_PACKETS))
			take_leaf(naming, &leaf);
}

static int take_path(void *context, const char *path)
{
	const struct naming *naming = context;
	struct stat about;
	int fd = openat(naming->bag, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fstat(fd, &about) == 0 ? 0 : -errno;
	size_t len = r == 0 ? (size_t)about.st_size : 0;
	void *map = len == 0 ? MAP_FAILED : mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	r = len > 0 && map == MAP_FAILED ? -errno : r;
	close(fd);
	if (map == MAP_FAILED)
		return r;
	take_file(naming, slice_make(map, len));
	munmap(map, len);
	return 0;
}

int parcels_named(int bag, const struct body_parcels *parcels, bool *ret_named)
{
	struct naming naming = {.bag = bag, .count = parcels->count, .named = ret_named};
	uint64_t latest_ms = 0;
	naming.spans = calloc(parcels->count + 1, sizeof(*naming.spans));
	if (naming.spans == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < parcels->count; i++) {
		struct span *span = &naming.spans[i];
		(void)body_parcel_times(slice_from_string(parcels->paths[i]), &span->first_ms, &span->last_ms);
		latest_ms = span->last_ms > latest_ms ? span->last_ms : latest_ms;
		span->latest_ms = latest_ms;
		ret_named[i] = false;
	}
	int r = bag_each_file(bag, "data/warc", take_path, &naming);
	free(naming.spans);
	return r == -ENOENT ? 0 : r;
}
