/* What the bag has of the log: signatures, the tree above the bundles, timestamps, an anchor. */
#include "bundle/check_inside.h"

#include "base/error.h"
#include "evidence/kept_file.h"
#include "evidence/log.h"
#include "evidence/stamps.h"
#include "evidence/timestamp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int check_tile(const struct check *check, unsigned epoch, struct tile_name name, struct buffer *out)
{
	char path[TILE_PATH_BYTES], full[sizeof("data/log/") + 16 + TILE_PATH_BYTES];
	tile_path(name, path);
	snprintf(full, sizeof(full), "data/log/%04u/%s", epoch, path);
	int r = kept_file_read(check->bag, full, TILE_BYTES, out);
	bool other = r == -EFBIG || (r == 0 && out->len != name.width * sizeof(struct merkle_hash));
	return other ? -ENOENT : r;
}

/* ---- the tree ---- */

static int fill_pyramid(struct check *check, struct checked_epoch *epoch)
{
	struct buffer tile = buffer_make(NULL);
	struct pyramid *pyramid = epoch->pyramid;
	unsigned width;
	int r = 0;
	for (uint64_t n = 0; r == 0 && (width = tile_width(pyramid->size, 1, n)) > 0; n++) {
		buffer_clear(&tile);
		r = check_tile(check, epoch->number, (struct tile_name){1, n, width}, &tile);
		if (r == 0)
			memcpy(&pyramid->levels[0][n * TILE_WIDTH], tile.ptr, tile.len);
	}
	buffer_clear(&tile);
	if (r == 0 && pyramid->edge_count > 0)
		r = check_tile(check, epoch->number, (struct tile_name){0, pyramid->bundles, pyramid->edge_count},
			       &tile);
	if (r == 0 && tile.len > 0)
		memcpy(pyramid->edge, tile.ptr, tile.len);
	/* Where hashes are missing nothing is raised: a size that a bag merely claims may be of any number of them. */
	if (r == 0)
		pyramid_raise(pyramid);
	buffer_free(&tile);
	return r;
}

static int check_tree(struct check *check, struct checked_epoch *epoch)
{
	int r = pyramid_create(epoch->checkpoint.size, &epoch->pyramid);
	r = r != 0 ? r : fill_pyramid(check, epoch);
	if (r == -ENOENT) {
		check_find(check, FINDING_MISSING, CHECK_NO_RECORD, "hashes of epoch %u are missing", epoch->number);
		return 0;
	}
	if (r != 0)
		return r;
	struct merkle_hash root = pyramid_root(epoch->pyramid);
	if (!merkle_hash_equal(&root, &epoch->checkpoint.root))
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD,
			   "the hashes of epoch %u do not lead to what was signed", epoch->number);
	return 0;
}

/* The root when the tree was smaller, if the bag has the hashes at that edge. */
static bool root_at(const struct check *check, const struct checked_epoch *epoch, uint64_t size,
		    struct merkle_hash *ret_root)
{
	struct buffer tile = buffer_make(NULL);
	struct pyramid earlier = *epoch->pyramid;
	unsigned full = tile_width(epoch->pyramid->size, 0, size / TILE_WIDTH);
	earlier.size = size;
	earlier.bundles = size / TILE_WIDTH;
	earlier.edge_count = (unsigned)(size % TILE_WIDTH);
	bool known = size <= epoch->pyramid->size &&
		     (earlier.edge_count == 0 ||
		      check_tile(check, epoch->number, (struct tile_name){0, earlier.bundles, full}, &tile) == 0);
	if (known && earlier.edge_count > 0)
		memcpy(earlier.edge, tile.ptr, earlier.edge_count * sizeof(earlier.edge[0]));
	if (known)
		*ret_root = pyramid_root(&earlier);
	buffer_free(&tile);
	return known;
}

/* ---- timestamps ---- */

int check_stamp(struct check *check, const char *reply_path, const char *content_path)
{
	struct buffer reply = buffer_make(NULL), content = buffer_make(NULL);
	uint64_t at_ms;
	int r = check_read(check, reply_path, TIMESTAMP_REPLY_BYTES_MOST, &reply);
	r = r != 0 ? r : check_read(check, content_path, NOTE_BYTES_MOST, &content);
	if (r == 0 && check->finding == FINDING_NONE) {
		const char *authorities = check->options->authorities;
		int told = timestamp_read(buffer_slice(&reply), buffer_slice(&content), &at_ms);
		if (told == 0 && authorities != NULL)
			told = timestamp_verify(buffer_slice(&reply), buffer_slice(&content), authorities);
		r = told < 0 ? told : 0;
		if (told > 0)
			check_find(check, FINDING_BADLY_SIGNED, CHECK_NO_RECORD, "%s is no timestamp of %s%s",
				   reply_path, content_path, authorities != NULL ? " by these authorities" : "");
		check->stamps++;
	}
	buffer_free(&reply);
	buffer_free(&content);
	return r;
}

static int check_stamped(struct check *check, const struct checked_epoch *epoch, uint64_t size)
{
	char reply[96], content[96];
	struct buffer note = buffer_make(NULL);
	struct checkpoint checkpoint;
	struct merkle_hash root;
	snprintf(content, sizeof(content), "data/log/%04u/timestamps/%" PRIu64 ".checkpoint", epoch->number, size);
	snprintf(reply, sizeof(reply), "data/log/%04u/timestamps/%" PRIu64 ".tsr", epoch->number, size);
	int r = check_read(check, content, NOTE_BYTES_MOST, &note);
	if (r == 0 && check->finding == FINDING_NONE) {
		bool good = checkpoint_read_note(buffer_slice(&note), &checkpoint) == 0 && checkpoint.size == size &&
			    slice_equal(checkpoint.origin, epoch->checkpoint.origin);
		if (!good || (root_at(check, epoch, size, &root) && !merkle_hash_equal(&root, &checkpoint.root)))
			check_find(check, FINDING_ALTERED, size, "%s is not of these records", content);
	}
	buffer_free(&note);
	if (r == 0 && check->finding == FINDING_NONE && faccessat(check->bag, reply, F_OK, 0) == 0)
		r = check_stamp(check, reply, content);
	return r;
}

static int check_stamps(struct check *check, const struct checked_epoch *epoch)
{
	char path[64];
	uint64_t *sizes = NULL;
	size_t count = 0;
	snprintf(path, sizeof(path), "data/log/%04u", epoch->number);
	int folder = openat(check->bag, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = folder < 0 ? -errno : stamps_list(folder, &sizes, &count);
	for (size_t i = 0; r == 0 && check->finding == FINDING_NONE && i < count; i++)
		r = check_stamped(check, epoch, sizes[i]);
	if (folder >= 0)
		close(folder);
	free(sizes);
	return r;
}

/* ---- an anchor ---- */

static void check_anchor(struct check *check, const struct checked_epoch *epoch)
{
	struct checkpoint anchor;
	struct merkle_hash root;
	if (checkpoint_read_note(check->options->anchor, &anchor) != 0 ||
	    !slice_equal(anchor.origin, epoch->checkpoint.origin))
		return;
	check->anchor_is_of_here = true;
	if (anchor.size > epoch->checkpoint.size)
		buffer_printf(&check->told, "the anchor is of later than this bundle, and says nothing of it: hold it "
					    "against the log\n");
	else if (!root_at(check, epoch, anchor.size, &root))
		buffer_printf(&check->told,
			      "the anchor is of a moment whose hashes this bundle has not: hold it against the log\n");
	else if (!merkle_hash_equal(&root, &anchor.root))
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD,
			   "the log was written anew: its first %" PRIu64 " records are not those that the anchor saw",
			   anchor.size);
	else {
		check->anchored = true;
		buffer_printf(&check->told, "the anchor agrees: its %" PRIu64 " records are the first of this log\n",
			      anchor.size);
	}
}

/* ---- epochs ---- */

static int check_one(struct check *check, unsigned number)
{
	struct buffer key = buffer_make(NULL);
	char path[64];
	struct checked_epoch *epoch = &check->epochs[check->epoch_count++];
	*epoch = (struct checked_epoch){.number = number, .note = buffer_make(NULL)};
	snprintf(path, sizeof(path), "data/log/%04u/checkpoint", number);
	int r = check_read(check, path, NOTE_BYTES_MOST, &epoch->note);
	snprintf(path, sizeof(path), "data/log/%04u/key.der", number);
	r = r != 0 ? r : check_read(check, path, PUBLIC_KEY_INFO_BYTES, &key);
	bool good = r == 0 && public_key_from_info(buffer_slice(&key), &epoch->key) &&
		    checkpoint_verify(buffer_slice(&epoch->note), &epoch->key, &epoch->checkpoint) == 0;
	buffer_free(&key);
	if (r == 0 && !good)
		check_find(check, FINDING_BADLY_SIGNED, CHECK_NO_RECORD,
			   "the checkpoint of epoch %u is not signed by its key", number);
	if (r != 0 || check->finding != FINDING_NONE)
		return r;
	r = check_tree(check, epoch);
	if (r == 0 && check->finding == FINDING_NONE)
		r = check_stamps(check, epoch);
	if (r == 0 && check->finding == FINDING_NONE)
		check_anchor(check, epoch);
	return r;
}

int check_logs(struct check *check)
{
	char path[64];
	int r = 0;
	for (unsigned number = 1; r == 0 && check->finding == FINDING_NONE && number <= LOG_EPOCHS_MOST; number++) {
		snprintf(path, sizeof(path), "data/log/%04u", number);
		if (faccessat(check->bag, path, F_OK, 0) == 0 && check->epoch_count < CHECK_EPOCHS_MOST)
			r = check_one(check, number);
	}
	if (r == 0 && check->finding == FINDING_NONE && check->epoch_count == 0)
		check_find(check, FINDING_MISSING, CHECK_NO_RECORD, "nothing of the log is there");
	return r;
}

struct checked_epoch *check_epoch(struct check *check, uint64_t number)
{
	for (size_t i = 0; i < check->epoch_count; i++)
		if (check->epochs[i].number == number)
			return &check->epochs[i];
	return NULL;
}
