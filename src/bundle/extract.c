/*
 * The tree is made of the tiles above bundles where these are full, else of the bundles' own, and must come to the root
 * that was signed. Of which time a bundle is, its first record and that of the next tell: mostly the first bytes of its
 * file are enough to read one.
 */
#include "bundle/extract.h"

#include "base/error.h"
#include "evidence/kept_file.h"
#include "evidence/stamps.h"
#include "evidence/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEAD_BYTES = 512 };

/* ---- the tree ---- */

static int read_tile(int folder, struct tile_name name, struct buffer *out)
{
	char path[TILE_PATH_BYTES];
	tile_path(name, path);
	return kept_file_read(folder, path, TILE_BYTES, out);
}

/* The roots of bundles [first, first + count): of the tile above them where it is full, else of their own hashes. */
static int fill_roots(struct epoch_source *source, uint64_t first, uint64_t count)
{
	struct buffer tile = buffer_make(NULL);
	struct merkle_hash hashes[TILE_WIDTH];
	struct merkle_hash *out = &source->pyramid->levels[0][first];
	unsigned width;
	int r = count < TILE_WIDTH
			? -ENOENT
			: read_tile(source->folder, (struct tile_name){1, first / TILE_WIDTH, TILE_WIDTH}, &tile);
	bool above = r == 0 && tile.len == TILE_BYTES;
	if (above)
		memcpy(out, tile.ptr, tile.len);
	r = r == -ENOENT ? 0 : r;
	for (uint64_t i = 0; r == 0 && !above && i < count; i++) {
		r = view_bundle_hashes(&source->view, first + i, hashes, &width);
		out[i] = merkle_root_of(hashes, TILE_WIDTH);
	}
	buffer_free(&tile);
	return r;
}

static int raise_pyramid(struct epoch_source *source)
{
	const struct checkpoint *checkpoint = &source->view.checkpoint;
	unsigned width;
	int r = pyramid_create(checkpoint->size, &source->pyramid);
	for (uint64_t at = 0; r == 0 && at < source->pyramid->bundles; at += TILE_WIDTH) {
		uint64_t left = source->pyramid->bundles - at;
		r = fill_roots(source, at, left < TILE_WIDTH ? left : TILE_WIDTH);
	}
	if (r == 0 && source->pyramid->edge_count > 0)
		r = view_bundle_hashes(&source->view, source->pyramid->bundles, source->pyramid->edge, &width);
	if (r != 0)
		return r;
	pyramid_raise(source->pyramid);
	struct merkle_hash root = pyramid_root(source->pyramid);
	return merkle_hash_equal(&root, &checkpoint->root) ? 0 : -EBADMSG;
}

/* ---- which bundles ---- */

#define DELETED_MS UINT64_MAX

/* When the first record of a bundle was written, DELETED_MS if it is not there; no more is read than that takes. */
static int first_time(const struct epoch_source *source, uint64_t number, uint64_t *ret_ms)
{
	struct buffer bytes = buffer_make(NULL);
	char path[TILE_PATH_BYTES];
	uint8_t head[HEAD_BYTES];
	struct leaf leaf = {.time_ms = 0};
	struct slice record;
	tile_path((struct tile_name){TILE_ENTRIES, number, TILE_WIDTH}, path);
	int fd = openat(source->folder, path, O_RDONLY | O_CLOEXEC), r = 0;
	ssize_t got = fd < 0 ? 0 : pread(fd, head, sizeof(head), 0);
	struct reader reader = reader_make(slice_make(head, got > 0 ? (size_t)got : 0));
	if (fd >= 0)
		close(fd);
	bool whole = bundle_next(&reader, &record);
	if (!whole) {
		r = view_bundle(&source->view, number, &bytes);
		reader = reader_make(buffer_slice(&bytes));
		r = r == 0 && !bundle_next(&reader, &record) ? -EBADMSG : r;
	}
	if (r == 0 && leaf_read(record, &leaf) == LEAF_MALFORMED)
		r = -EBADMSG;
	buffer_free(&bytes);
	*ret_ms = r == -ENOENT ? DELETED_MS : leaf.time_ms;
	return r == -ENOENT ? 0 : r;
}

/* Times go on from one bundle to the next, and back where the clock was set. */
static bool meets(const struct export_plan *plan, uint64_t first_ms, uint64_t next_ms)
{
	uint64_t low = first_ms < next_ms ? first_ms : next_ms, high = first_ms < next_ms ? next_ms : first_ms;
	return low <= plan->to_ms && high >= plan->from_ms;
}

static void want_papers(void *context, uint64_t number)
{
	const struct epoch_source *source = context;
	if (number < epoch_source_bundles(source) && source->wanted[number] == CHUNK_LEAVES_OUT)
		source->wanted[number] = CHUNK_PAPERS;
}

static int choose(struct epoch_source *source, const struct export_plan *plan, const struct export_epoch *epoch)
{
	uint64_t bundles = epoch_source_bundles(source), first_ms, next_ms = 0;
	int r = first_time(source, 0, &first_ms);
	source->first_wanted = bundles;
	for (uint64_t i = 0; r == 0 && i < bundles; i++, first_ms = next_ms) {
		next_ms = UINT64_MAX;
		r = i + 1 < bundles ? first_time(source, i + 1, &next_ms) : 0;
		bool wanted = first_ms != DELETED_MS && meets(plan, first_ms, next_ms);
		source->wanted[i] = wanted ? CHUNK_ALL : CHUNK_LEAVES_OUT;
		if (source->wanted[i] == CHUNK_LEAVES_OUT)
			continue;
		source->first_wanted = i < source->first_wanted ? i : source->first_wanted;
		source->last_wanted = i;
	}
	struct public_key key;
	r = r != 0 ? r : view_key(&source->view, want_papers, source, &key);
	if (r != 0)
		return r;
	want_papers(source, 0);
	want_papers(source, epoch->begun / TILE_WIDTH);
	if (source->pyramid->edge_count > 0 && source->wanted[bundles - 1] == CHUNK_LEAVES_OUT)
		source->wanted[bundles - 1] = CHUNK_TILE;
	return 0;
}

int epoch_source_open(const char *log, const struct export_plan *plan, const struct export_epoch *epoch,
		      struct epoch_source *ret_source)
{
	struct epoch_source *source = ret_source;
	*source = (struct epoch_source){.folder = verify_open_epoch(log, epoch->number), .first_wanted = 1};
	if (source->folder < 0)
		return source->folder;
	int r = view_open_at(source->folder, buffer_slice(&epoch->note), &source->view);
	r = r == 0 && source->view.checkpoint.size == 0 ? -EBADMSG : r;
	r = r != 0 ? r : raise_pyramid(source);
	if (r != 0)
		return r;
	source->wanted = calloc(epoch_source_bundles(source), 1);
	return source->wanted == NULL ? -ENOMEM : choose(source, plan, epoch);
}

void epoch_source_free(struct epoch_source *source)
{
	view_close(&source->view);
	pyramid_free(source->pyramid);
	free(source->wanted);
	if (source->folder >= 0)
		close(source->folder);
}

/* ---- papers of the log ---- */

static int place(int bag, unsigned epoch, const char *path, struct slice content)
{
	char full[PATH_MAX];
	snprintf(full, sizeof(full), "data/log/%04u/%s", epoch, path);
	return disk_place(&disk_kernel, bag, full, content);
}

static int place_tiles(const struct pyramid *pyramid, unsigned epoch, int bag)
{
	char path[TILE_PATH_BYTES];
	int r = 0;
	for (unsigned level = 1; level < TILE_LEVELS && pyramid->size >> level * TILE_HEIGHT > 0; level++) {
		const struct merkle_hash *hashes = pyramid->levels[(level - 1) * TILE_HEIGHT];
		unsigned width;
		for (uint64_t n = 0; r == 0 && (width = tile_width(pyramid->size, level, n)) > 0; n++) {
			tile_path((struct tile_name){(int)level, n, width}, path);
			r = place(bag, epoch, path, slice_make(&hashes[n * TILE_WIDTH], width * sizeof(*hashes)));
		}
	}
	return r;
}

static int copy(int from, unsigned epoch, const char *path, int bag)
{
	struct buffer content = buffer_make(NULL);
	int r = kept_file_read(from, path, NOTE_BYTES_MOST, &content);
	r = r != 0 ? r : place(bag, epoch, path, buffer_slice(&content));
	buffer_free(&content);
	return r;
}

static int copy_stamp(const struct epoch_source *source, unsigned epoch, uint64_t size, int bag)
{
	char path[64];
	snprintf(path, sizeof(path), "timestamps/%" PRIu64 ".checkpoint", size);
	int r = copy(source->folder, epoch, path, bag);
	snprintf(path, sizeof(path), "timestamps/%" PRIu64 ".tsr", size);
	int s = r != 0 ? r : copy(source->folder, epoch, path, bag);
	return s == -ENOENT ? 0 : s;
}

/* Those of the incident's time, with one before and one after, and the last. */
static int place_stamps(const struct epoch_source *source, unsigned epoch, int bag)
{
	uint64_t *sizes = NULL, from = source->first_wanted * TILE_WIDTH, to = (source->last_wanted + 1) * TILE_WIDTH;
	size_t count = 0, next = 0;
	int r = stamps_list(source->folder, &sizes, &count);
	while (r == 0 && count > 0 && sizes[count - 1] > source->pyramid->size)
		count--;
	while (r == 0 && next + 1 < count && sizes[next + 1] < from)
		next++;
	for (bool after = false; r == 0 && next < count; next++) {
		if (!after || next + 1 == count)
			r = copy_stamp(source, epoch, sizes[next], bag);
		after = after || sizes[next] >= to;
	}
	free(sizes);
	return r;
}

static int place_key(const struct epoch_source *source, unsigned epoch, int bag)
{
	uint8_t info[PUBLIC_KEY_INFO_BYTES];
	struct public_key key;
	int r = view_key(&source->view, NULL, NULL, &key);
	if (r != 0)
		return r;
	public_key_info(&key, info);
	return place(bag, epoch, "key.der", slice_make(info, sizeof(info)));
}

int epoch_source_place(const struct epoch_source *source, const struct export_epoch *epoch, int bag)
{
	int r = place_tiles(source->pyramid, epoch->number, bag);
	r = r != 0 ? r : place(bag, epoch->number, "checkpoint", buffer_slice(&epoch->note));
	r = r != 0 ? r : place_key(source, epoch->number, bag);
	return r != 0 ? r : place_stamps(source, epoch->number, bag);
}
