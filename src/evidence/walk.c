/*
 * Bundle by bundle, with the hashes of each level's open tile carried along: a tile that fills is held against its
 * file, and in the end those at the edge are. What records say is walk_records.c's, marks are walk_marks.c's.
 */
#include "evidence/walk_inside.h"

#include "base/error.h"
#include "evidence/kept_file.h"
#include "evidence/tail.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOK_AHEAD = 256 }; /* bundles */

/* What the walk carries along: the journal's records, and the hashes of each level's tile that is not full. */
struct path {
	struct walk *walk;
	struct tail tail;
	bool has_tail;
	unsigned counts[TILE_LEVELS];
	struct merkle_hash hashes[TILE_LEVELS][TILE_WIDTH];
};

/* ---- files ---- */

static int read_tile(int folder, struct tile_name name, struct buffer *out)
{
	char path[TILE_PATH_BYTES];
	tile_path(name, path);
	return kept_file_read(folder, path, name.level == TILE_ENTRIES ? BUNDLE_BYTES_MOST : TILE_BYTES, out);
}

/* The widths that there are of a tile that is not full, as bits. */
struct widths {
	uint64_t bits[TILE_WIDTH / 64];
	unsigned most;
};

static void list_widths(int folder, int level, uint64_t number, struct widths *ret_widths)
{
	char path[TILE_PATH_BYTES], name[TILE_PATH_BYTES + 2];
	*ret_widths = (struct widths){.most = 0};
	tile_path((struct tile_name){level, number, TILE_WIDTH}, path);
	snprintf(name, sizeof(name), "%s.p", path);
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL; entry = readdir(list)) {
		uint64_t width;
		if (!decimal_read(slice_from_string(entry->d_name), &width) || width == 0 || width >= TILE_WIDTH)
			continue;
		ret_widths->bits[width / 64] |= UINT64_C(1) << width % 64;
		ret_widths->most = width > ret_widths->most ? (unsigned)width : ret_widths->most;
	}
	if (list != NULL)
		closedir(list);
}

int walk_read_bundle(int folder, uint64_t number, struct buffer *out, unsigned *ret_width)
{
	struct widths widths;
	int r = read_tile(folder, (struct tile_name){TILE_ENTRIES, number, TILE_WIDTH}, out);
	*ret_width = TILE_WIDTH;
	if (r != -ENOENT)
		return r;
	list_widths(folder, TILE_ENTRIES, number, &widths);
	*ret_width = widths.most;
	return widths.most == 0 ? r : read_tile(folder, (struct tile_name){TILE_ENTRIES, number, widths.most}, out);
}

/* ---- tiles of hashes ---- */

enum parent { PARENT_UNKNOWN, PARENT_AGREES, PARENT_DISAGREES };

/* What the hash above says of a tile's hashes: it tells whether records or their hashes are wrong. */
static enum parent ask_parent(struct walk *walk, uint64_t number, const struct merkle_hash *hashes)
{
	struct buffer above = buffer_make(NULL);
	struct merkle_hash root = merkle_root_of(hashes, TILE_WIDTH);
	uint64_t tile = number / TILE_WIDTH;
	size_t at = (size_t)(number % TILE_WIDTH) * MERKLE_HASH_BYTES;
	enum parent answer = PARENT_UNKNOWN;
	struct widths widths;
	if (read_tile(walk->folder, (struct tile_name){1, tile, TILE_WIDTH}, &above) == -ENOENT) {
		list_widths(walk->folder, 1, tile, &widths);
		if (widths.most > 0)
			(void)read_tile(walk->folder, (struct tile_name){1, tile, widths.most}, &above);
	}
	if (above.len >= at + MERKLE_HASH_BYTES)
		answer = memcmp(above.ptr + at, root.bytes, sizeof(root.bytes)) == 0 ? PARENT_AGREES : PARENT_DISAGREES;
	buffer_free(&above);
	return answer;
}

/* Holds a tile of `width` against the hashes that it should have. */
static int check_tile(struct path *path, struct tile_name name, const struct merkle_hash *hashes, bool required)
{
	struct walk *walk = path->walk;
	struct buffer content = buffer_make(NULL);
	char text[TILE_PATH_BYTES];
	uint64_t first = name.level + 1 < TILE_LEVELS ? name.number << (name.level + 1) * TILE_HEIGHT : 0;
	tile_path(name, text);
	int r = read_tile(walk->folder, name, &content);
	if (r == -ENOENT) {
		if (required)
			walk_find(walk, FINDING_MISSING, first, "%s is missing", text);
	} else if (r == -EFBIG || (r == 0 && content.len != name.width * sizeof(*hashes))) {
		walk_find(walk, FINDING_ALTERED, first, "%s has not the length that it should", text);
	} else if (r == 0 && memcmp(content.ptr, hashes, content.len) != 0) {
		const struct merkle_hash *theirs = (const void *)content.ptr;
		unsigned at = 0;
		while (merkle_hash_equal(&theirs[at], &hashes[at]))
			at++;
		uint64_t record = first + ((uint64_t)at << name.level * TILE_HEIGHT);
		if (name.level == 0 && name.width == TILE_WIDTH &&
		    ask_parent(walk, name.number, hashes) == PARENT_AGREES)
			walk_find(walk, FINDING_ALTERED, record, "%s was altered; the record itself is whole", text);
		else
			walk_find(walk, FINDING_ALTERED, record, "%s",
				  name.level == 0 ? "the record was altered" : text);
	}
	buffer_free(&content);
	return r == -ENOENT || r == -EFBIG ? 0 : r;
}

static int push_up(struct path *path, unsigned level, uint64_t index, struct merkle_hash hash, bool required)
{
	int r = 0;
	for (; level < TILE_LEVELS && r == 0; level++, index /= TILE_WIDTH) {
		unsigned at = (unsigned)(index % TILE_WIDTH);
		path->hashes[level][at] = hash;
		path->counts[level] = at + 1;
		if (at + 1 < TILE_WIDTH)
			return 0;
		r = check_tile(path, (struct tile_name){(int)level, index / TILE_WIDTH, TILE_WIDTH},
			       path->hashes[level], required);
		hash = merkle_root_of(path->hashes[level], TILE_WIDTH);
		path->counts[level] = 0;
	}
	return r;
}

/* Tiles at the right edge, of every width that was ever written, are the beginning of what is there. */
static int check_edge_tiles(struct path *path, unsigned level, uint64_t number, unsigned count, bool required)
{
	struct widths widths;
	int r = 0;
	list_widths(path->walk->folder, (int)level, number, &widths);
	if (required && count > 0)
		widths.bits[count / 64] |= UINT64_C(1) << count % 64;
	for (unsigned width = 1; width < TILE_WIDTH && r == 0; width++) {
		if ((widths.bits[width / 64] >> width % 64 & 1) == 0)
			continue;
		if (width > count)
			walk_find(path->walk, FINDING_TRUNCATED, path->walk->frontier.size,
				  "tile/%u has hashes of more records than there are", level);
		else
			r = check_tile(path, (struct tile_name){(int)level, number, width}, path->hashes[level],
				       required);
	}
	return r;
}

/* ---- records ---- */

static void mark(struct walk *walk)
{
	for (; walk->next_mark < walk->mark_count && walk->marks[walk->next_mark].size == walk->frontier.size;
	     walk->next_mark++) {
		struct walk_mark *mark = &walk->marks[walk->next_mark];
		mark->root = merkle_root(&walk->frontier);
		mark->last_ms = walk->last_ms;
		mark->reached = true;
	}
}

/* A bundle that parts into another number of records than it should: the first whose hash is another is the wrong one.
 */
static void find_in_bundle(struct path *path, uint64_t number, unsigned count, unsigned width)
{
	struct buffer tile = buffer_make(NULL);
	unsigned same = 0;
	if (read_tile(path->walk->folder, (struct tile_name){0, number, width}, &tile) == 0)
		while (same < count && tile.len >= (same + 1) * MERKLE_HASH_BYTES &&
		       memcmp(tile.ptr + same * MERKLE_HASH_BYTES, path->hashes[0][same].bytes, MERKLE_HASH_BYTES) == 0)
			same++;
	buffer_free(&tile);
	walk_find(path->walk, FINDING_ALTERED, number * TILE_WIDTH + same,
		  "its bundle has not as many records as its name says");
}

/* One bundle; *ret_count is how many records it had. */
static int take_bundle(struct path *path, uint64_t number, struct slice bytes, bool from_file, unsigned width,
		       unsigned *ret_count)
{
	struct walk *walk = path->walk;
	struct reader reader = reader_make(bytes);
	struct slice record;
	unsigned count = 0;
	/* First the hashes, so that what is altered is known as such before what it says is read. */
	while (count < TILE_WIDTH && bundle_next(&reader, &record))
		path->hashes[0][count++] = merkle_leaf(record);
	uint64_t first = number * TILE_WIDTH;
	int r = 0;
	if (count > 0 && count == width && count == TILE_WIDTH)
		r = check_tile(path, (struct tile_name){0, number, TILE_WIDTH}, path->hashes[0], from_file);
	else if (from_file && count == width)
		r = check_edge_tiles(path, 0, number, count, false);
	else if (from_file)
		find_in_bundle(path, number, count, width);
	if (r == 0 && count == TILE_WIDTH && ask_parent(walk, number, path->hashes[0]) == PARENT_DISAGREES)
		walk_find(walk, FINDING_ALTERED, first, "its tile is not the one that the tile above names");
	if (r == 0 && !reader_at_end(&reader))
		walk_find(walk, FINDING_ALTERED, first + count, "its bundle does not end with a record");
	for (struct reader again = reader_make(bytes); r == 0 && walk->finding == FINDING_NONE &&
						       walk->frontier.size < first + count &&
						       bundle_next(&again, &record);) {
		walk_look_at(walk, record);
		merkle_push(&walk->frontier, &path->hashes[0][walk->frontier.size - first]);
		mark(walk);
	}
	*ret_count = count;
	return r;
}

static const struct bundle *bundle_in_journal(const struct path *path, uint64_t number)
{
	const struct bundle *bundle = path->has_tail ? path->tail.first : NULL;
	while (bundle != NULL && bundle->number != number)
		bundle = bundle->next;
	return bundle != NULL && bundle->count > 0 ? bundle : NULL;
}

/* Every width of records that was written is the beginning of what there is. */
static int check_entries(struct path *path, uint64_t number, struct slice bytes)
{
	struct buffer content = buffer_make(NULL);
	struct widths widths;
	int r = 0;
	list_widths(path->walk->folder, TILE_ENTRIES, number, &widths);
	for (unsigned width = 1; width < TILE_WIDTH && r == 0; width++) {
		if ((widths.bits[width / 64] >> width % 64 & 1) == 0)
			continue;
		buffer_clear(&content);
		r = read_tile(path->walk->folder, (struct tile_name){TILE_ENTRIES, number, width}, &content);
		struct reader theirs = reader_make(buffer_slice(&content)), ours = reader_make(bytes);
		struct slice a, b;
		unsigned same = 0;
		while (r == 0 && bundle_next(&theirs, &a) && bundle_next(&ours, &b) && slice_equal(a, b))
			same++;
		if (r == -EFBIG || (r == 0 && (same != width || !reader_at_end(&theirs))))
			walk_find(path->walk, FINDING_ALTERED, number * TILE_WIDTH + same,
				  "tile/entries has it in two versions");
		r = r == -EFBIG ? 0 : r;
	}
	buffer_free(&content);
	return r;
}

static int note_gone(struct walk *walk, uint64_t number)
{
	if ((walk->gone_count & (walk->gone_count + 1)) == 0) {
		uint64_t *wider = realloc(walk->gone, (2 * walk->gone_count + 1) * sizeof(*wider));
		if (wider == NULL)
			return -ENOMEM;
		walk->gone = wider;
	}
	walk->gone[walk->gone_count++] = number;
	return 0;
}

/* A bundle of which the hashes are there alone: whether it was deleted, a record says. False: it is none. */
static bool take_hashes(struct path *path, uint64_t number, int *ret_error)
{
	struct walk *walk = path->walk;
	struct buffer tile = buffer_make(NULL);
	bool before_journal = path->has_tail && number < path->tail.before.size / TILE_WIDTH;
	bool there = number > 0 && before_journal &&
		     read_tile(walk->folder, (struct tile_name){0, number, TILE_WIDTH}, &tile) == 0 &&
		     tile.len == TILE_BYTES;
	if (there) {
		memcpy(path->hashes[0], tile.ptr, tile.len);
		if (ask_parent(walk, number, path->hashes[0]) == PARENT_DISAGREES)
			walk_find(walk, FINDING_ALTERED, number * TILE_WIDTH,
				  "its tile is not the one that the tile above names");
		for (unsigned i = 0; i < TILE_WIDTH; i++) {
			merkle_push(&walk->frontier, &path->hashes[0][i]);
			mark(walk);
		}
		*ret_error = note_gone(walk, number);
		if (*ret_error == 0)
			*ret_error = push_up(path, 1, number, merkle_root_of(path->hashes[0], TILE_WIDTH), true);
		path->counts[0] = 0;
		walk->in_tiles = walk->frontier.size;
	}
	buffer_free(&tile);
	return there;
}

/* The records of one bundle, of its file or of the journal, and what lies beside and above it. */
static int take_records(struct path *path, uint64_t number, struct slice bytes, bool from_file, unsigned width,
			bool *ret_end)
{
	struct walk *walk = path->walk;
	unsigned count = 0;
	int r = take_bundle(path, number, bytes, from_file, width, &count);
	bool partial = count > 0 && count < TILE_WIDTH;
	if (from_file && r == 0)
		walk->in_tiles = walk->frontier.size;
	if (r == 0 && walk->finding == FINDING_NONE && partial)
		r = check_entries(path, number, bytes);
	if (r == 0 && walk->finding == FINDING_NONE && partial && !from_file)
		r = check_edge_tiles(path, 0, number, count, false);
	if (r == 0 && walk->finding == FINDING_NONE && count == TILE_WIDTH) {
		r = push_up(path, 1, number, merkle_root_of(path->hashes[0], TILE_WIDTH), from_file);
		*ret_end = false;
	}
	path->counts[0] = count % TILE_WIDTH;
	return r;
}

static int take_next(struct path *path, uint64_t number, bool *ret_end)
{
	struct walk *walk = path->walk;
	struct buffer content = buffer_make(NULL);
	unsigned width;
	int r = walk_read_bundle(walk->folder, number, &content, &width);
	const struct bundle *journal = bundle_in_journal(path, number);
	*ret_end = true;
	if (r == -EFBIG) {
		walk_find(walk, FINDING_ALTERED, number * TILE_WIDTH, "its bundle is larger than one can be");
		r = 0;
	} else if (r == 0 && (journal == NULL || width >= journal->count)) {
		r = take_records(path, number, buffer_slice(&content), true, width, ret_end);
	} else if ((r == 0 || r == -ENOENT) && journal != NULL) {
		r = take_records(path, number, buffer_slice(&journal->bytes), false, journal->count, ret_end);
	} else if (r == -ENOENT) {
		r = 0;
		*ret_end = !take_hashes(path, number, &r);
	}
	buffer_free(&content);
	return r;
}

/* Where the records end and others follow further on, some are missing in between. */
static void look_beyond(struct walk *walk)
{
	struct buffer bytes = buffer_make(NULL);
	uint64_t number = walk->frontier.size / TILE_WIDTH;
	unsigned width;
	for (unsigned ahead = 1; ahead <= LOOK_AHEAD && walk->finding == FINDING_NONE; ahead++) {
		buffer_clear(&bytes);
		if (walk_read_bundle(walk->folder, number + ahead, &bytes, &width) == 0)
			walk_find(walk, FINDING_MISSING, walk->frontier.size,
				  "it is missing, and later records are there");
	}
	buffer_free(&bytes);
}

/* A log that was closed has the tiles of its right edge too. */
static int check_edge(struct path *path)
{
	struct walk *walk = path->walk;
	uint64_t size = walk->frontier.size;
	int r = 0;
	bool whole = walk->closed && walk->in_tiles == size;
	for (unsigned level = 0; level < TILE_LEVELS && r == 0 && walk->finding == FINDING_NONE; level++)
		r = check_edge_tiles(path, level, tile_at_edge(size, level), path->counts[level], whole);
	return r;
}

static int begin(struct path *path)
{
	int r = tail_load(path->walk->folder, &path->tail);
	path->has_tail = r == 0 || r == TAIL_TORN;
	path->walk->torn = path->has_tail && path->tail.cut_bytes > 0;
	return r < 0 ? r : 0;
}

int walk_epoch(struct walk *walk)
{
	struct path *path = calloc(1, sizeof(*path));
	bool end = false;
	if (path == NULL)
		return -ENOMEM;
	path->walk = walk;
	walk->first.kind = LEAF_KINDS;
	walk->first_text = buffer_make(NULL);
	int r = begin(path);
	mark(walk);
	for (uint64_t number = 0; r == 0 && !end && walk->finding == FINDING_NONE; number++)
		r = take_next(path, number, &end);
	if (r == 0 && walk->finding == FINDING_NONE)
		look_beyond(walk);
	if (r == 0 && walk->finding == FINDING_NONE)
		r = check_edge(path);
	if (path->has_tail)
		tail_free(&path->tail);
	free(path);
	return r != 0 ? r : walk->error;
}

void walk_free(struct walk *walk)
{
	buffer_free(&walk->first_text);
	free(walk->gone);
}
