/* The proof of one record, from tiles where they are, from the journal where they are not yet. */
#include "evidence/verify.h"

#include "base/error.h"
#include "base/file.h"
#include "evidence/tail.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

struct prover {
	int folder;
	struct tail tail;
	bool has_tail;
};

static int read_named(int folder, const char *path, struct buffer *out)
{
	char name[PATH_MAX];
	snprintf(name, sizeof(name), "/proc/self/fd/%d/%s", folder, path);
	return file_read(name, BUNDLE_BYTES_MOST, out);
}

/* The records of bundle `number`; those of the journal if it has more. */
static int read_bundle(struct prover *prover, uint64_t number, struct buffer *out)
{
	unsigned width = 0;
	const struct bundle *bundle = prover->has_tail ? prover->tail.first : NULL;
	int r = walk_read_bundle(prover->folder, number, out, &width);
	while (bundle != NULL && bundle->number != number)
		bundle = bundle->next;
	if ((r != 0 && r != -ENOENT) || bundle == NULL || bundle->count == 0 || (r == 0 && width >= bundle->count))
		return r;
	buffer_clear(out);
	buffer_add(out, buffer_slice(&bundle->bytes));
	return out->error;
}

/* Hashes [from, from + count) of a tile of the lowest level. */
static int leaf_hashes(struct prover *prover, uint64_t number, unsigned from, unsigned count, struct merkle_hash *out)
{
	struct buffer bytes = buffer_make(NULL);
	struct slice record;
	unsigned at = 0;
	int r = read_bundle(prover, number, &bytes);
	struct reader reader = reader_make(buffer_slice(&bytes));
	for (; r == 0 && at < from + count && bundle_next(&reader, &record); at++)
		if (at >= from)
			out[at - from] = merkle_leaf(record);
	buffer_free(&bytes);
	return r == 0 && at < from + count ? -ENOENT : r;
}

/* The same of any level: where there is no whole tile, each is the root of a whole tile below. */
static int tile_hashes(struct prover *prover, unsigned level, uint64_t number, unsigned from, unsigned count,
		       struct merkle_hash *out)
{
	struct buffer tile = buffer_make(NULL);
	struct merkle_hash below[TILE_WIDTH];
	char path[TILE_PATH_BYTES];
	tile_path((struct tile_name){(int)level, number, TILE_WIDTH}, path);
	int r = read_named(prover->folder, path, &tile);
	if (r == 0 && tile.len == TILE_BYTES)
		memcpy(out, tile.ptr + (size_t)from * sizeof(*out), count * sizeof(*out));
	buffer_free(&tile);
	if (r != -ENOENT || level == 0)
		return r == -ENOENT ? leaf_hashes(prover, number, from, count, out) : r;
	r = 0;
	for (unsigned i = 0; i < count && r == 0; i++) {
		r = tile_hashes(prover, level - 1, number * TILE_WIDTH + from + i, 0, TILE_WIDTH, below);
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

static int read_record(struct prover *prover, uint64_t index, struct buffer *out)
{
	struct buffer bytes = buffer_make(NULL);
	struct slice record;
	int r = read_bundle(prover, index / TILE_WIDTH, &bytes);
	struct reader reader = reader_make(buffer_slice(&bytes));
	for (uint64_t i = 0; r == 0 && i <= index % TILE_WIDTH; i++)
		r = bundle_next(&reader, &record) ? 0 : -ENOENT;
	if (r == 0)
		buffer_add(out, record);
	buffer_free(&bytes);
	return r == 0 ? out->error : r;
}

int verify_prove(int folder, uint64_t index, struct buffer *proof, struct buffer *record)
{
	struct prover prover = {.folder = folder};
	struct buffer note = buffer_make(NULL);
	const struct merkle_source source = {subtree, &prover};
	struct log_proof made = {.index = index};
	struct checkpoint checkpoint;
	int loaded = tail_load(folder, &prover.tail), r = read_named(folder, "checkpoint", &note);
	prover.has_tail = loaded == 0 || loaded == TAIL_TORN;
	if (r == 0)
		r = checkpoint_read_note(buffer_slice(&note), &checkpoint) != 0 ? -EBADMSG : 0;
	if (r == 0)
		r = index < checkpoint.size ? read_record(&prover, index, record) : -ENOENT;
	if (r == 0)
		r = merkle_prove_inclusion(&source, index, checkpoint.size, &made.inclusion);
	struct merkle_hash leaf = merkle_leaf(buffer_slice(record));
	if (r == 0 && !merkle_verify_inclusion(&made.inclusion, &leaf, index, checkpoint.size, &checkpoint.root))
		r = -EBADMSG;
	if (r == 0) {
		made.note = buffer_slice(&note);
		log_proof_write(&made, proof);
		r = proof->error;
	}
	if (prover.has_tail)
		tail_free(&prover.tail);
	buffer_free(&note);
	return r;
}
