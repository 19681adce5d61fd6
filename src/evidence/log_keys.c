/*
 * A log's key makes room for another. The record that says so is signed by both, and sealed before the new key's file
 * takes the old one's place: whenever the process dies in between, the record tells which key it is.
 */
#include "evidence/log.h"

#include "base/error.h"
#include "codec/text.h"
#include "evidence/log_state.h"
#include "evidence/walk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { KEY_TEXT_BYTES = (PUBLIC_KEY_INFO_BYTES + 2) / 3 * 4, SIGNATURE_TEXT_BYTES = (SIGNATURE_BYTES + 2) / 3 * 4 };

static struct slice key_text(const struct public_key *key, uint8_t out[KEY_TEXT_BYTES])
{
	uint8_t info[PUBLIC_KEY_INFO_BYTES];
	public_key_info(key, info);
	return slice_make(out, base64_encode(slice_make(info, sizeof(info)), out));
}

static int new_path(const char *key_path, char out[PATH_MAX])
{
	return (size_t)snprintf(out, PATH_MAX, "%s.new", key_path) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int sign_both(const struct log *log, const struct signing_key *next, const struct merkle_hash *root,
		     struct key_signature *ret_old, struct key_signature *ret_new)
{
	struct public_key old_key = signing_key_public(log->key), new_key = signing_key_public(next);
	struct buffer text = buffer_make(NULL);
	key_rotation_text(log->sealed.size, root, &old_key, &new_key, &text);
	int r = text.error;
	if (r == 0)
		r = signing_key_sign(log->key, buffer_slice(&text), ret_old);
	if (r == 0)
		r = signing_key_sign(next, buffer_slice(&text), ret_new);
	buffer_free(&text);
	return r;
}

static int add_rotation(struct log *log, const struct signing_key *next, uint64_t now_ms)
{
	uint8_t keys[2][KEY_TEXT_BYTES], signatures[2][SIGNATURE_TEXT_BYTES];
	struct public_key old_key = signing_key_public(log->key), new_key = signing_key_public(next);
	struct merkle_hash root = merkle_root(&log->sealed);
	struct key_signature old_signature, new_signature;
	int r = sign_both(log, next, &root, &old_signature, &new_signature);
	if (r != 0)
		return r;
	size_t old_len = base64_encode(slice_make(old_signature.bytes, SIGNATURE_BYTES), signatures[0]);
	size_t new_len = base64_encode(slice_make(new_signature.bytes, SIGNATURE_BYTES), signatures[1]);
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_number(log->sealed.size),
							    leaf_text(slice_make(root.bytes, sizeof(root.bytes))),
							    leaf_text(key_text(&old_key, keys[0])),
							    leaf_text(key_text(&new_key, keys[1])),
							    leaf_text(slice_make(signatures[0], old_len)),
							    leaf_text(slice_make(signatures[1], new_len))};
	return log_add_values(log, LEAF_KEY_ROTATION, now_ms, values);
}

int log_rotate(struct log *log, const char *key_path, uint64_t now_ms)
{
	struct signing_key *next = NULL;
	char path[PATH_MAX];
	int r = new_path(key_path, path);
	if (r == 0)
		r = log_seal(log, LOG_KEEPS_RESERVE);
	if (r != 0)
		return r;
	(void)unlink(path);
	r = signing_key_create(path, &next);
	if (r == 0)
		r = add_rotation(log, next, now_ms);
	if (r == 0)
		r = log_seal(log, LOG_KEEPS_RESERVE);
	if (r == 0)
		r = log->disk->rename(AT_FDCWD, path, key_path, 0);
	if (r != 0) {
		(void)log_forget(log);
		signing_key_free(next);
		return r;
	}
	signing_key_free(log->key);
	log->key = next;
	return log_sign(log);
}

/* ---- taking up what was cut off ---- */

static bool is_rotation_to(struct slice record, struct slice key, struct public_key *ret_old)
{
	uint8_t info[PUBLIC_KEY_INFO_BYTES];
	struct leaf leaf;
	return leaf_read(record, &leaf) == 0 && leaf.kind == LEAF_KEY_ROTATION &&
	       slice_equal(leaf_get(&leaf, "new_key")->bytes, key) &&
	       base64_exact(leaf_get(&leaf, "old_key")->bytes, info, sizeof(info)) &&
	       public_key_from_info(slice_make(info, sizeof(info)), ret_old);
}

bool log_rotated_to(const struct tail *tail, const struct public_key *key, struct public_key *ret_old)
{
	uint8_t text[KEY_TEXT_BYTES];
	struct slice wanted = key_text(key, text), record;
	bool found = false;
	for (const struct bundle *bundle = tail->first; bundle != NULL; bundle = bundle->next)
		for (struct reader records = reader_make(buffer_slice(&bundle->bytes)); bundle_next(&records, &record);)
			found |= is_rotation_to(record, wanted, ret_old);
	return found;
}

int log_finish_rotation(struct log *log, const char *key_path)
{
	struct public_key old_key, new_key;
	struct signing_key *next;
	char path[PATH_MAX];
	int r = new_path(key_path, path);
	if (r != 0 || access(path, F_OK) != 0)
		return r;
	r = signing_key_load(path, &next);
	if (r == SIGNING_KEY_BAD)
		return unlink(path) == 0 ? 0 : -errno;
	if (r != 0)
		return r;
	new_key = signing_key_public(next);
	if (!log_rotated_to(&log->tail, &new_key, &old_key)) {
		signing_key_free(next);
		return unlink(path) == 0 ? 0 : -errno;
	}
	r = log->disk->rename(AT_FDCWD, path, key_path, 0);
	if (r != 0) {
		signing_key_free(next);
		return r;
	}
	signing_key_free(log->key);
	log->key = next;
	return 0;
}
