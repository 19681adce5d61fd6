/*
 * A bundle comes from its file or from the journal, whichever has more of it. Where a tile of hashes is missing, each
 * of its hashes is made of the tile below, down to records. Nothing is compared with a root here.
 */
#include "evidence/view.h"

#include "base/error.h"
#include "codec/text.h"
#include "evidence/kept_file.h"
#include "evidence/leaf.h"
#include "evidence/walk.h"

static int open_with(int folder, struct view *view)
{
	int r = checkpoint_read_note(buffer_slice(&view->note), &view->checkpoint) != 0 ? -EBADMSG : 0;
	int loaded = r != 0 ? 0 : tail_load(folder, &view->tail);
	view->has_tail = r == 0 && (loaded == 0 || loaded == TAIL_TORN);
	return r != 0 ? r : loaded < 0 ? loaded : 0;
}

int view_open(int folder, struct view *ret_view)
{
	*ret_view = (struct view){.folder = folder, .note = buffer_make(NULL)};
	int r = kept_file_read(folder, "checkpoint", NOTE_BYTES_MOST, &ret_view->note);
	return r != 0 ? r : open_with(folder, ret_view);
}

int view_open_at(int folder, struct slice note, struct view *ret_view)
{
	*ret_view = (struct view){.folder = folder, .note = buffer_make(NULL)};
	buffer_add(&ret_view->note, note);
	return ret_view->note.error != 0 ? ret_view->note.error : open_with(folder, ret_view);
}

void view_close(struct view *view)
{
	if (view->has_tail)
		tail_free(&view->tail);
	view->has_tail = false;
	buffer_free(&view->note);
}

/* ---- records ---- */

/* Those of the journal if it has more. */
int view_bundle(const struct view *view, uint64_t number, struct buffer *out)
{
	unsigned width = 0;
	size_t before = out->len;
	const struct bundle *bundle = view->has_tail ? view->tail.first : NULL;
	int r = walk_read_bundle(view->folder, number, out, &width);
	while (bundle != NULL && bundle->number != number)
		bundle = bundle->next;
	if ((r != 0 && r != -ENOENT) || bundle == NULL || bundle->count == 0 || (r == 0 && width >= bundle->count))
		return r;
	out->len = before;
	buffer_add(out, buffer_slice(&bundle->bytes));
	return out->error;
}

/* Hashes [from, from + count) of a tile of the lowest level. */
static int leaf_hashes(const struct view *view, uint64_t number, unsigned from, unsigned count, struct merkle_hash *out)
{
	struct buffer bytes = buffer_make(NULL);
	struct slice record;
	unsigned at = 0;
	int r = view_bundle(view, number, &bytes);
	struct reader reader = reader_make(buffer_slice(&bytes));
	for (; r == 0 && at < from + count && bundle_next(&reader, &record); at++)
		if (at >= from)
			out[at - from] = merkle_leaf(record);
	buffer_free(&bytes);
	return r == 0 && at < from + count ? -ENOENT : r;
}

int view_record(const struct view *view, uint64_t index, struct buffer *out)
{
	struct buffer bytes = buffer_make(NULL);
	struct slice record;
	int r = view_bundle(view, index / TILE_WIDTH, &bytes);
	struct reader reader = reader_make(buffer_slice(&bytes));
	for (uint64_t i = 0; r == 0 && i <= index % TILE_WIDTH; i++)
		r = bundle_next(&reader, &record) ? 0 : -ENOENT;
	if (r == 0)
		buffer_add(out, record);
	buffer_free(&bytes);
	return r == 0 ? out->error : r;
}

/* ---- hashes ---- */

/* The same of any level: where there is no whole tile, each is the root of a whole tile below. */
static int tile_hashes(const struct view *view, unsigned level, uint64_t number, unsigned from, unsigned count,
		       struct merkle_hash *out)
{
	struct buffer tile = buffer_make(NULL);
	struct merkle_hash below[TILE_WIDTH];
	char path[TILE_PATH_BYTES];
	tile_path((struct tile_name){(int)level, number, TILE_WIDTH}, path);
	int r = kept_file_read(view->folder, path, TILE_BYTES, &tile);
	if (r == -EFBIG || (r == 0 && tile.len != TILE_BYTES))
		r = -EBADMSG;
	if (r == 0)
		memcpy(out, tile.ptr + (size_t)from * sizeof(*out), count * sizeof(*out));
	buffer_free(&tile);
	if (r != -ENOENT || level == 0)
		return r == -ENOENT ? leaf_hashes(view, number, from, count, out) : r;
	r = 0;
	for (unsigned i = 0; i < count && r == 0; i++) {
		r = tile_hashes(view, level - 1, number * TILE_WIDTH + from + i, 0, TILE_WIDTH, below);
		out[i] = merkle_root_of(below, TILE_WIDTH);
	}
	return r;
}

static int subtree(void *context, unsigned level, uint64_t index, struct merkle_hash *ret_hash)
{
	struct merkle_hash hashes[TILE_WIDTH];
	unsigned height = level % TILE_HEIGHT, count = 1u << height;
	uint64_t first = index << height;
	int r = tile_hashes(context, level / TILE_HEIGHT, first / TILE_WIDTH, (unsigned)(first % TILE_WIDTH), count,
			    hashes);
	if (r == 0)
		*ret_hash = merkle_root_of(hashes, count);
	return r;
}

struct merkle_source view_source(const struct view *view)
{
	return (struct merkle_source){subtree, (void *)(uintptr_t)view};
}

int view_bundle_hashes(const struct view *view, uint64_t number, struct merkle_hash *out, unsigned *ret_count)
{
	*ret_count = tile_width(view->checkpoint.size, 0, number);
	return *ret_count == 0 ? -ENOENT : tile_hashes(view, 0, number, 0, *ret_count, out);
}

/* ---- keys ---- */

static bool signs(const struct view *view, const struct public_key *key)
{
	struct checkpoint checkpoint;
	return checkpoint_verify(buffer_slice(&view->note), key, &checkpoint) == 0;
}

/* Most bundles have no word of a key, and are not read record by record. */
static int look_for_key(const struct view *view, uint64_t number, struct public_key *key, bool *ret_any,
			bool *ret_found)
{
	struct buffer bytes = buffer_make(NULL);
	struct public_key next;
	struct slice record;
	struct leaf leaf;
	int r = view_bundle(view, number, &bytes);
	*ret_any = r == 0 && slice_find(buffer_slice(&bytes), SLICE("\"kind\":\"key-rotation\""), 0) < bytes.len;
	struct reader reader = reader_make(buffer_slice(&bytes));
	while (*ret_any && !*ret_found && bundle_next(&reader, &record))
		if (leaf_read(record, &leaf) == 0 && leaf.kind == LEAF_KEY_ROTATION &&
		    walk_read_key(&leaf, "new_key", &next)) {
			*key = next;
			*ret_found = signs(view, key);
		}
	buffer_free(&bytes);
	/* What was deleted told of no keys. */
	return r == -ENOENT ? 0 : r;
}

int view_key(const struct view *view, view_rotated_fn *rotated, void *context, struct public_key *ret_key)
{
	struct buffer first = buffer_make(NULL);
	struct public_key key;
	struct leaf leaf;
	int r = view_record(view, 0, &first);
	if (r == 0 && (leaf_read(buffer_slice(&first), &leaf) != 0 || leaf.kind != LEAF_EPOCH ||
		       !walk_read_key(&leaf, "public_key", &key)))
		r = -EBADMSG;
	bool found = r == 0 && signs(view, &key);
	for (uint64_t at = 0; r == 0 && !found && at * TILE_WIDTH < view->checkpoint.size; at++) {
		bool any;
		r = look_for_key(view, at, &key, &any, &found);
		if (any && rotated != NULL)
			rotated(context, at);
	}
	buffer_free(&first);
	if (r == 0 && found)
		*ret_key = key;
	return r != 0 ? r : found ? 0 : -EBADMSG;
}
