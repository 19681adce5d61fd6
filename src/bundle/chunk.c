/*
 * Bundle by bundle: its records are hashed and held against the tree before anything of it is written; then come its
 * tile of hashes, its records, each behind the messages that it commits to, and its proofs, a line a record. Packets go
 * into a pcapng file besides.
 */
#include "bundle/chunk.h"

#include "base/error.h"
#include "bundle/warc.h"
#include "codec/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_BYTES = 1 << 20, NAME_BYTES = 64, HASH_TEXT_BYTES = (MERKLE_HASH_BYTES + 2) / 3 * 4 };

struct writing {
	const struct extract *extract;
	char name[NAME_BYTES];
	char info_id[WARC_ID_TEXT_BYTES];
	int fd;
	uint64_t written; /* of the WARC file */
	int error;        /* of the packets' */
	struct buffer warc;
	struct buffer proofs;
	int packets_fd; /* -1: none yet */
	uint64_t packets_written;
	struct bundle_tree tree;
	struct chunk_sums sums;
};

/* ---- the WARC file ---- */

static int flush(struct writing *w)
{
	struct iovec part = {w->warc.ptr, w->warc.len};
	if (w->warc.error != 0 || w->warc.len == 0)
		return w->warc.error;
	int r = disk_write(&disk_kernel, w->fd, &part, 1, (off_t)w->written);
	w->written += r == 0 ? w->warc.len : 0;
	buffer_clear(&w->warc);
	return r;
}

static void add_info(struct writing *w)
{
	struct buffer text = buffer_make(NULL);
	const struct export_plan *plan = w->extract->plan;
	char date[WARC_DATE_BYTES];
	struct merkle_hash id = merkle_sha256(slice_from_string(plan->id), slice_from_string(w->name));
	warc_date_text(plan->at_ms, date);
	warc_id_text(&id, w->info_id);
	buffer_printf(&text,
		      "software: guia %s\r\nformat: WARC file version 1.1\r\nconformsTo: "
		      "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n"
		      "isPartOf: export %s of incident %" PRIu64 "\r\ncreated: %s\r\n",
		      GUIA_VERSION, plan->id, plan->incident, date);
	warc_begin(&w->warc, "warcinfo", w->info_id, plan->at_ms);
	warc_field(&w->warc, "WARC-Filename", slice_from_string(w->name));
	(void)warc_block(&w->warc, "application/warc-fields", buffer_slice(&text));
	buffer_free(&text);
}

static int begin(struct writing *w, uint64_t chunk)
{
	char path[NAME_BYTES + 16];
	snprintf(w->name, sizeof(w->name), "incident-%" PRIu64 "-%04u-%05" PRIu64 ".warc", w->extract->plan->incident,
		 w->extract->epoch->number, chunk);
	snprintf(path, sizeof(path), "data/warc/%s", w->name);
	w->fd = openat(w->extract->folder, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (w->fd < 0)
		return -errno;
	add_info(w);
	return 0;
}

/* The target of a request line; "/" where it has none that begins so. */
static struct slice target_of(struct slice message)
{
	struct slice line, target;
	(void)slice_cut(message, '\n', &line);
	(void)slice_cut(slice_after(line, slice_find_byte(line, ' ', 0) + 1), ' ', &target);
	target = slice_trim(target);
	return target.len > 0 && target.ptr[0] == '/' ? target : SLICE("/");
}

static void add_message(struct writing *w, const struct leaf *leaf, const struct body *body, const char *id,
			const char *about)
{
	bool request = body->what == BODY_REQUEST;
	const struct leaf_value *site = leaf_get(leaf, "site");
	uint8_t salt[(BODY_SALT_BYTES + 2) / 3 * 4];
	size_t salt_len = base64_encode(slice_make(body->salt, sizeof(body->salt)), salt);
	warc_begin(&w->warc, body_what_name(body->what), id, body->at_ms);
	/* No record says whether a message came over TLS. */
	warc_field_uri(&w->warc, "WARC-Target-URI", "http", site != NULL ? site->bytes : slice_make("", 0),
		       request ? target_of(body->message) : SLICE("/"));
	warc_field(&w->warc, "WARC-Concurrent-To", slice_from_string(about));
	warc_field(&w->warc, "WARC-Warcinfo-ID", slice_from_string(w->info_id));
	if (body->cut > 0)
		warc_field(&w->warc, "WARC-Truncated", SLICE("length"));
	warc_field(&w->warc, "Guia-Salt", slice_make(salt, salt_len));
	(void)warc_block(&w->warc, request ? "application/http;msgtype=request" : "application/http;msgtype=response",
			 body->message);
	w->sums.messages++;
}

/* The packets of a second, also behind those of the seconds before, in a file of their own. */
static int add_packets(struct writing *w, const struct body *body, const char *id, const char *about)
{
	char path[NAME_BYTES + 32];
	uint8_t salt[(BODY_SALT_BYTES + 2) / 3 * 4];
	size_t salt_len = base64_encode(slice_make(body->salt, sizeof(body->salt)), salt);
	warc_begin(&w->warc, "resource", id, body->at_ms);
	buffer_printf(&w->warc, "WARC-Target-URI: urn:uuid:%.36s\r\n", id + sizeof("<urn:uuid:") - 1);
	warc_field(&w->warc, "WARC-Concurrent-To", slice_from_string(about));
	warc_field(&w->warc, "WARC-Warcinfo-ID", slice_from_string(w->info_id));
	warc_field(&w->warc, "Guia-Salt", slice_make(salt, salt_len));
	(void)warc_block(&w->warc, "application/x-pcapng", body->message);
	w->sums.messages++;
	if (w->packets_fd < 0) {
		snprintf(path, sizeof(path), "data/packets/%.*s.pcapng", (int)strlen(w->name) - 5, w->name);
		(void)mkdirat(w->extract->folder, "data/packets", 0750);
		w->packets_fd = openat(w->extract->folder, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	}
	int r = w->packets_fd < 0
			? -errno
			: disk_write_slice(&disk_kernel, w->packets_fd, body->message, (off_t)w->packets_written);
	w->packets_written += body->message.len;
	return r;
}

static bool commitment_of(const struct leaf *leaf, const char *name, struct merkle_hash *ret_commitment)
{
	const struct leaf_value *value = leaf_get(leaf, name);
	return value != NULL && hex_exact(value->bytes, ret_commitment->bytes, MERKLE_HASH_BYTES);
}

/* The message that the record commits to in a field, if that may be read: false where there is none. */
static bool add_named(struct writing *w, const struct leaf *leaf, const char *name, const struct merkle_hash *hash,
		      const char *about, char message_id[WARC_ID_TEXT_BYTES])
{
	struct merkle_hash commitment;
	struct body body;
	if (w->extract->bodies == NULL || !commitment_of(leaf, name, &commitment))
		return false;
	if (body_index_find(w->extract->bodies, &commitment, &body) != 0) {
		w->sums.unfound++;
		return false;
	}
	struct merkle_hash id = merkle_sha256(slice_make(hash->bytes, sizeof(hash->bytes)), slice_from_string(name));
	warc_id_text(&id, message_id);
	if (body.what == BODY_PACKETS)
		w->error = add_packets(w, &body, message_id, about);
	else
		add_message(w, leaf, &body, message_id, about);
	return true;
}

/* The record as it is, behind the messages that it commits to. */
static void add_record(struct writing *w, uint64_t index, struct slice record, const struct leaf *leaf,
		       const struct merkle_hash *hash)
{
	static const char *const names[] = {"body", "answer"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	char id[WARC_ID_TEXT_BYTES], message_ids[NAMES][WARC_ID_TEXT_BYTES], number[24];
	bool has_message[NAMES];
	warc_id_text(hash, id);
	for (size_t i = 0; i < NAMES; i++)
		has_message[i] = add_named(w, leaf, names[i], hash, id, message_ids[i]);
	snprintf(number, sizeof(number), "%" PRIu64, index);
	warc_begin(&w->warc, leaf->kind == LEAF_BLOCK ? "metadata" : "resource", id, leaf->time_ms);
	buffer_printf(&w->warc, "WARC-Target-URI: urn:guia:%s:%u:%" PRIu64 "\r\n", w->extract->plan->id,
		      w->extract->epoch->number, index);
	for (size_t i = 0; i < NAMES; i++)
		if (has_message[i])
			warc_field(&w->warc, "WARC-Concurrent-To", slice_from_string(message_ids[i]));
	warc_field(&w->warc, "WARC-Warcinfo-ID", slice_from_string(w->info_id));
	warc_field(&w->warc, "Guia-Log", w->extract->view->checkpoint.origin);
	warc_field(&w->warc, "Guia-Record", slice_from_string(number));
	size_t at = warc_block(&w->warc, "application/json", record);
	buffer_printf(&w->proofs, "%s %" PRIu64 " %zu", w->name, w->written + at, record.len);
	w->sums.records++;
}

/* ---- proofs ---- */

static void add_hashes(const struct merkle_proof *proof, struct buffer *out)
{
	uint8_t text[HASH_TEXT_BYTES];
	for (size_t i = 0; i < proof->count; i++) {
		buffer_byte(out, ' ');
		buffer_add(out, slice_make(text,
					   base64_encode(slice_make(proof->hashes[i].bytes, MERKLE_HASH_BYTES), text)));
	}
}

/* Whether a record belongs into the bag. */
static bool belongs(struct writing *w, enum chunk_wish wish, const struct leaf *leaf)
{
	const struct export_plan *plan = w->extract->plan;
	const struct leaf_value *id = leaf_get(leaf, "id");
	if (leaf->kind == LEAF_EPOCH || leaf->kind == LEAF_KEY_ROTATION)
		return wish >= CHUNK_PAPERS;
	if (leaf->kind == LEAF_EXPORT && id != NULL && slice_equal(id->bytes, slice_from_string(plan->id)))
		return wish >= CHUNK_PAPERS;
	if (wish < CHUNK_ALL || leaf->time_ms < plan->from_ms || leaf->time_ms > plan->to_ms)
		return false;
	enum plan_choice choice = export_plan_choose(plan, leaf);
	w->sums.other_sites += choice == PLAN_OTHER_SITE;
	w->sums.other_incidents += choice == PLAN_OTHER_INCIDENT;
	return choice == PLAN_TAKES;
}

static void add_line(struct writing *w, uint64_t index, struct slice record, enum chunk_wish wish)
{
	struct leaf leaf = {.kind = LEAF_KINDS};
	struct merkle_proof path;
	unsigned at = (unsigned)(index % TILE_WIDTH);
	if (leaf_read(record, &leaf) != LEAF_MALFORMED && belongs(w, wish, &leaf)) {
		add_record(w, index, record, &leaf, &w->tree.levels[0][at]);
		bundle_tree_path(&w->tree, at, &path);
		add_hashes(&path, &w->proofs);
	} else {
		buffer_byte(&w->proofs, '-');
	}
	buffer_byte(&w->proofs, '\n');
}

static void add_way_up(struct writing *w, uint64_t number)
{
	struct merkle_proof path;
	pyramid_path(w->extract->pyramid, number, &path);
	buffer_byte(&w->proofs, '=');
	add_hashes(&path, &w->proofs);
	buffer_byte(&w->proofs, '\n');
}

/* ---- bundles ---- */

static bool is_signed(const struct writing *w, uint64_t number)
{
	const struct pyramid *pyramid = w->extract->pyramid;
	if (number == pyramid->bundles)
		return memcmp(w->tree.levels[0], pyramid->edge, pyramid->edge_count * sizeof(pyramid->edge[0])) == 0;
	return merkle_hash_equal(&w->tree.levels[TILE_HEIGHT][0], &pyramid->levels[0][number]);
}

static int place_tile(const struct writing *w, uint64_t number)
{
	char path[TILE_PATH_BYTES], full[2 * TILE_PATH_BYTES];
	tile_path((struct tile_name){0, number, w->tree.count}, path);
	snprintf(full, sizeof(full), "data/log/%04u/%s", w->extract->epoch->number, path);
	return disk_place(&disk_kernel, w->extract->folder, full,
			  slice_make(w->tree.levels[0], w->tree.count * sizeof(struct merkle_hash)));
}

static int place_proofs(const struct writing *w, uint64_t number)
{
	static const size_t prefix = sizeof("tile/0/") - 1;
	char path[TILE_PATH_BYTES], full[2 * TILE_PATH_BYTES];
	tile_path((struct tile_name){0, number, TILE_WIDTH}, path);
	snprintf(full, sizeof(full), "data/proofs/%04u/%s", w->extract->epoch->number, path + prefix);
	return w->proofs.error != 0 ? w->proofs.error
				    : disk_place(&disk_kernel, w->extract->folder, full, buffer_slice(&w->proofs));
}

static int take_hashes(struct writing *w, uint64_t number, struct slice bytes)
{
	struct reader reader = reader_make(bytes);
	struct slice record;
	w->tree.count = tile_width(w->extract->pyramid->size, 0, number);
	for (unsigned i = 0; i < w->tree.count; i++) {
		if (!bundle_next(&reader, &record))
			return -EBADMSG;
		w->tree.levels[0][i] = merkle_leaf(record);
	}
	bundle_tree_raise(&w->tree);
	return is_signed(w, number) ? 0 : -EBADMSG;
}

static int write_bundle(struct writing *w, uint64_t number)
{
	struct buffer bytes = buffer_make(NULL);
	enum chunk_wish wish = (enum chunk_wish)w->extract->wanted[number];
	struct slice record;
	int r = view_bundle(w->extract->view, number, &bytes);
	r = r != 0 ? r : take_hashes(w, number, buffer_slice(&bytes));
	r = r != 0 ? r : place_tile(w, number);
	struct reader reader = reader_make(buffer_slice(&bytes));
	buffer_clear(&w->proofs);
	for (unsigned at = 0; r == 0 && wish > CHUNK_TILE && at < w->tree.count && bundle_next(&reader, &record);
	     at++) {
		add_line(w, number * TILE_WIDTH + at, record, wish);
		r = w->error != 0 ? w->error : w->warc.len >= FLUSH_BYTES ? flush(w) : w->warc.error;
	}
	if (r == 0 && wish > CHUNK_TILE) {
		add_way_up(w, number);
		r = place_proofs(w, number);
	}
	buffer_free(&bytes);
	return r;
}

unsigned chunk_bundles(const struct extract *extract, uint64_t chunk)
{
	uint64_t bundles = extract->pyramid->bundles + (extract->pyramid->edge_count > 0 ? 1 : 0);
	unsigned count = 0;
	for (uint64_t i = chunk * CHUNK_BUNDLES; i < bundles && i < (chunk + 1) * CHUNK_BUNDLES; i++)
		count += extract->wanted[i] != CHUNK_LEAVES_OUT;
	return count;
}

int chunk_write(const struct extract *extract, uint64_t chunk, struct chunk_sums *ret_sums)
{
	uint64_t bundles = extract->pyramid->bundles + (extract->pyramid->edge_count > 0 ? 1 : 0);
	struct writing *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	*w = (struct writing){
		.extract = extract, .fd = -1, .packets_fd = -1, .warc = buffer_make(NULL), .proofs = buffer_make(NULL)};
	int r = begin(w, chunk);
	for (uint64_t i = chunk * CHUNK_BUNDLES; r == 0 && i < bundles && i < (chunk + 1) * CHUNK_BUNDLES; i++)
		if (extract->wanted[i] != CHUNK_LEAVES_OUT)
			r = write_bundle(w, i);
	r = r != 0 ? r : flush(w);
	/* The disk may begin; it is waited for at the end. */
	if (r == 0)
		(void)sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (w->fd >= 0 && close(w->fd) != 0 && r == 0)
		r = -errno;
	if (w->packets_fd >= 0 && close(w->packets_fd) != 0 && r == 0)
		r = -errno;
	*ret_sums = w->sums;
	buffer_free(&w->warc);
	buffer_free(&w->proofs);
	free(w);
	return r;
}
