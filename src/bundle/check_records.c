/* Every record of a bag's WARC files: it is in what was signed, by the hashes and by its own proof. */
#include "bundle/check_inside.h"

#include "base/error.h"
#include "bundle/warc.h"
#include "codec/text.h"
#include "evidence/body_store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROOFS_BYTES_MOST = 1 << 20, HASH_TEXT_BYTES = 44 };

enum { MESSAGE_BODY, MESSAGE_ANSWER, MESSAGES };

struct records {
	struct check *check;
	const char *path; /* of the WARC file */
	struct checked_epoch *epoch;
	uint64_t bundle; /* that was looked up last; UINT64_MAX: none */
	struct buffer tile;
	struct buffer proofs;
	struct slice lines[TILE_WIDTH + 1]; /* of the proofs; the last is the way up */
	unsigned line_count;
	/* The records before were messages: of these commitments, "body" and "answer". */
	bool has_message[MESSAGES];
	struct merkle_hash commitments[MESSAGES];
};

/* ---- proofs ---- */

static bool add_hashes(struct slice text, struct merkle_proof *proof)
{
	struct slice word;
	while (text.len > 0) {
		text = slice_cut(text, ' ', &word);
		if (word.len == 0)
			continue;
		if (proof->count == MERKLE_PROOF_MOST ||
		    !base64_exact(word, proof->hashes[proof->count].bytes, MERKLE_HASH_BYTES))
			return false;
		proof->count++;
	}
	return true;
}

/* FILE PLACE BYTES HASH... */
static bool line_holds(const struct records *r, struct slice line, const struct warc_record *record, uint64_t index,
		       const struct merkle_hash *leaf)
{
	struct slice file, place, bytes, name = slice_from_string(r->path);
	struct merkle_proof proof = {.count = 0};
	uint64_t at, len;
	line = slice_cut(line, ' ', &file);
	line = slice_cut(line, ' ', &place);
	line = slice_cut(line, ' ', &bytes);
	return slice_ends_with(name, file) && decimal_read(place, &at) && at == record->block_at &&
	       decimal_read(bytes, &len) && len == record->block.len && add_hashes(line, &proof) &&
	       add_hashes(slice_after(r->lines[r->line_count - 1], 1), &proof) &&
	       merkle_verify_inclusion(&proof, leaf, index, r->epoch->checkpoint.size, &r->epoch->checkpoint.root);
}

static void part_lines(struct records *r)
{
	struct slice rest = buffer_slice(&r->proofs);
	r->line_count = 0;
	while (rest.len > 0 && r->line_count <= TILE_WIDTH)
		rest = slice_cut(rest, '\n', &r->lines[r->line_count++]);
}

static int look_up(struct records *r, uint64_t bundle)
{
	char path[TILE_PATH_BYTES], full[128];
	unsigned width = tile_width(r->epoch->checkpoint.size, 0, bundle);
	tile_path((struct tile_name){0, bundle, TILE_WIDTH}, path);
	snprintf(full, sizeof(full), "data/proofs/%04u/%s", r->epoch->number, path + sizeof("tile/0/") - 1);
	buffer_clear(&r->tile);
	buffer_clear(&r->proofs);
	r->bundle = bundle;
	int result = check_tile(r->check, r->epoch->number, (struct tile_name){0, bundle, width}, &r->tile);
	if (result == -ENOENT)
		check_find(r->check, FINDING_MISSING, bundle * TILE_WIDTH, "the hashes of its bundle are missing");
	result = result == -ENOENT ? 0 : result;
	if (result == 0 && r->check->finding == FINDING_NONE)
		result = check_read(r->check, full, PROOFS_BYTES_MOST, &r->proofs);
	part_lines(r);
	if (result == 0 && r->check->finding == FINDING_NONE && r->line_count != width + 1)
		check_find(r->check, FINDING_ALTERED, bundle * TILE_WIDTH, "%s has not a line for each record", full);
	if (result != 0 || r->check->finding != FINDING_NONE || bundle >= r->epoch->pyramid->bundles)
		return result;
	struct merkle_hash root = merkle_root_of((const void *)r->tile.ptr, width);
	if (!merkle_hash_equal(&root, &r->epoch->pyramid->levels[0][bundle]))
		check_find(r->check, FINDING_ALTERED, bundle * TILE_WIDTH, "the hashes of its bundle were altered");
	return 0;
}

/* ---- keys ---- */

static bool signature_of(const struct leaf *leaf, const char *name, const struct public_key *key, struct slice text)
{
	struct key_signature signature;
	const struct leaf_value *value = leaf_get(leaf, name);
	return value != NULL && base64_exact(value->bytes, signature.bytes, sizeof(signature.bytes)) &&
	       public_key_verify(key, text, &signature);
}

static bool rotates(const struct leaf *leaf, const struct public_key *from, struct public_key *ret_key)
{
	struct public_key old_key;
	struct buffer text = buffer_make(NULL);
	struct merkle_hash root;
	if (!walk_read_key(leaf, "old_key", &old_key) || !walk_read_key(leaf, "new_key", ret_key) ||
	    !public_key_equal(&old_key, from) ||
	    !hex_exact(leaf_get(leaf, "root")->bytes, root.bytes, sizeof(root.bytes)))
		return false;
	key_rotation_text(leaf_get(leaf, "size")->number, &root, from, ret_key, &text);
	bool good = text.error == 0 && signature_of(leaf, "old_signature", from, buffer_slice(&text)) &&
		    signature_of(leaf, "new_signature", ret_key, buffer_slice(&text));
	buffer_free(&text);
	return good;
}

static void follow_key(struct records *r, const struct leaf *leaf, uint64_t index)
{
	struct checked_epoch *epoch = r->epoch;
	struct public_key key;
	if (leaf->kind == LEAF_EPOCH && index == 0 && walk_read_key(leaf, "public_key", &key)) {
		epoch->first_key = key;
		epoch->led_key = key;
		epoch->key_known = true;
	} else if (leaf->kind == LEAF_KEY_ROTATION) {
		if (!epoch->key_known || !rotates(leaf, &epoch->led_key, &key))
			check_find(r->check, FINDING_BADLY_SIGNED, index, "a key takes over without the one before it");
		else
			epoch->led_key = key;
	}
}

/* ---- records ---- */

static void check_message(struct records *r, const struct leaf *leaf, uint64_t index)
{
	static const char *const names[MESSAGES] = {[MESSAGE_BODY] = "body", [MESSAGE_ANSWER] = "answer"};
	uint8_t hex[2 * MERKLE_HASH_BYTES];
	for (size_t i = 0; i < MESSAGES; i++) {
		const struct leaf_value *named = leaf_get(leaf, names[i]);
		if (!r->has_message[i])
			continue;
		r->has_message[i] = false;
		(void)hex_encode(slice_make(r->commitments[i].bytes, MERKLE_HASH_BYTES), hex);
		if (named == NULL || !slice_equal(named->bytes, slice_make(hex, sizeof(hex))))
			check_find(r->check, FINDING_ALTERED, index,
				   "the message before it is not the one that it names");
	}
}

static int check_leaf(struct records *r, const struct warc_record *record, struct slice log, uint64_t index)
{
	struct merkle_hash hash = merkle_leaf(record->block);
	struct leaf leaf;
	unsigned at = (unsigned)(index % TILE_WIDTH);
	if (!slice_equal(log, r->epoch->checkpoint.origin) || index >= r->epoch->checkpoint.size) {
		check_find(r->check, FINDING_ALTERED, index, "%s: it is of another log, or of later", r->path);
		return 0;
	}
	int result = index / TILE_WIDTH != r->bundle ? look_up(r, index / TILE_WIDTH) : 0;
	if (result != 0 || r->check->finding != FINDING_NONE)
		return result;
	if (memcmp(r->tile.ptr + at * sizeof(hash), hash.bytes, sizeof(hash)) != 0)
		check_find(r->check, FINDING_ALTERED, index, "%s: the record was altered", r->path);
	else if (!line_holds(r, r->lines[at], record, index, &hash))
		check_find(r->check, FINDING_ALTERED, index, "%s: its proof does not hold", r->path);
	else if (leaf_read(record->block, &leaf) == LEAF_MALFORMED)
		check_find(r->check, FINDING_ALTERED, index, "%s: it is no record", r->path);
	if (r->check->finding != FINDING_NONE)
		return 0;
	check_message(r, &leaf, index);
	follow_key(r, &leaf, index);
	r->epoch->records++;
	return 0;
}

static void take_message(struct records *r, const struct warc_record *record)
{
	uint8_t salt[BODY_SALT_BYTES];
	bool answer = slice_equal(warc_value(record, "WARC-Type"), SLICE("response"));
	bool salted = base64_exact(warc_value(record, "Guia-Salt"), salt, sizeof(salt));
	size_t i = answer ? MESSAGE_ANSWER : MESSAGE_BODY;
	if (!salted || r->has_message[i]) {
		check_find(r->check, FINDING_ALTERED, CHECK_NO_RECORD,
			   salted ? "%s: two messages of one record" : "%s: a message has no salt", r->path);
		return;
	}
	r->has_message[i] = true;
	r->commitments[i] = body_commitment(salt, record->block);
	r->check->messages++;
}

static int check_record(struct records *r, const struct warc_record *record)
{
	struct slice type = warc_value(record, "WARC-Type"), log = warc_value(record, "Guia-Log");
	uint64_t index, epoch;
	size_t slash = log.len;
	if (slice_equal(type, SLICE("warcinfo")))
		return 0;
	if (slice_equal(type, SLICE("request")) || slice_equal(type, SLICE("response")) ||
	    warc_value(record, "Guia-Salt").ptr != NULL) {
		take_message(r, record);
		return 0;
	}
	while (slash > 0 && log.ptr[slash - 1] != '/')
		slash--;
	if (!decimal_read(warc_value(record, "Guia-Record"), &index) ||
	    !decimal_read(slice_after(log, slash), &epoch) || check_epoch(r->check, epoch) == NULL) {
		check_find(r->check, FINDING_ALTERED, CHECK_NO_RECORD,
			   "%s: a record does not say where in the log it is", r->path);
		return 0;
	}
	if (r->epoch == NULL || r->epoch->number != epoch)
		r->bundle = UINT64_MAX;
	r->epoch = check_epoch(r->check, epoch);
	return check_leaf(r, record, log, index);
}

static int check_mapped(struct records *r, struct slice bytes)
{
	struct reader reader = reader_make(bytes);
	struct warc_record record;
	int result = 0;
	while (result == 0 && r->check->finding == FINDING_NONE && warc_next(&reader, &record))
		result = check_record(r, &record);
	if (result == 0 && r->check->finding == FINDING_NONE && !reader_at_end(&reader))
		check_find(r->check, FINDING_ALTERED, CHECK_NO_RECORD, "%s: what follows byte %zu is no WARC record",
			   r->path, reader.at);
	return result;
}

static int check_warc(void *context, const char *path)
{
	struct records *r = context;
	struct stat stat;
	int fd = openat(r->check->bag, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), result = 0;
	if (fd < 0 || r->check->finding != FINDING_NONE || fstat(fd, &stat) != 0 || stat.st_size == 0) {
		if (fd >= 0)
			close(fd);
		return fd < 0 ? -errno : 0;
	}
	r->path = path;
	size_t len = (size_t)stat.st_size;
	void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	result = check_mapped(r, slice_make(map, len));
	munmap(map, len);
	return result;
}

int check_records(struct check *check)
{
	struct records *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->check = check;
	r->bundle = UINT64_MAX;
	int result = bag_each_file(check->bag, "data/warc", check_warc, r);
	buffer_free(&r->tile);
	buffer_free(&r->proofs);
	free(r);
	for (size_t i = 0; result == 0 && i < check->epoch_count; i++) {
		const struct checked_epoch *epoch = &check->epochs[i];
		if (!epoch->key_known)
			check_find(check, FINDING_MISSING, CHECK_NO_RECORD,
				   "the first record of epoch %u, which names its key, is missing", epoch->number);
		else if (!public_key_equal(&epoch->led_key, &epoch->key))
			check_find(check, FINDING_BADLY_SIGNED, CHECK_NO_RECORD,
				   "the key of epoch %u is not the one that its records name", epoch->number);
	}
	return result;
}
