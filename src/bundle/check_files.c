/* The files of a bag against its manifests, and the manifests against the log's word. */
#include "bundle/check_inside.h"

#include "base/error.h"
#include "codec/text.h"
#include "evidence/leaf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct sized {
	struct slice path;
	uint64_t bytes;
};

struct listing {
	struct check *check;
	struct buffer sizes_text;
	struct sized *sizes; /* by path */
	size_t size_count;
	struct buffer manifest_text;
	char **paths; /* by path */
	size_t path_count;
};

/* ---- the log's word ---- */

static void check_export_record(struct check *check, struct slice record, const struct merkle_hash *manifest)
{
	struct leaf leaf;
	struct merkle_hash named;
	const struct leaf_value *sha = NULL;
	if (leaf_read(record, &leaf) == 0 && leaf.kind == LEAF_EXPORT)
		sha = leaf_get(&leaf, "sha256");
	if (sha == NULL) {
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD,
			   "export.json is no record of an export that was finished");
		return;
	}
	if (!hex_exact(sha->bytes, named.bytes, MERKLE_HASH_BYTES) || !merkle_hash_equal(&named, manifest))
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD,
			   BAG_TAG_MANIFEST " is not the one that the log names");
}

static void check_export_proof(struct check *check, struct slice record, struct slice proof_text, struct slice note)
{
	struct merkle_hash leaf = merkle_leaf(record);
	struct checkpoint checkpoint;
	struct log_proof proof;
	if (!log_proof_read(proof_text, &proof) || checkpoint_read_note(note, &checkpoint) != 0)
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD, "export.tlog-proof is no proof");
	else if (!slice_equal(proof.note, note))
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD, "export.tlog-proof is not of export.checkpoint");
	else if (proof.index >= checkpoint.size ||
		 !merkle_verify_inclusion(&proof.inclusion, &leaf, proof.index, checkpoint.size, &checkpoint.root))
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD, "export.json is not in what was signed");
}

static void check_export_key(struct check *check, struct slice key_info, struct slice note)
{
	struct public_key key;
	struct checkpoint checkpoint;
	if (!public_key_from_info(key_info, &key) || checkpoint_verify(note, &key, &checkpoint) != 0)
		check_find(check, FINDING_BADLY_SIGNED, CHECK_NO_RECORD,
			   "export.checkpoint is not signed by export.key.der");
}

int check_export(struct check *check)
{
	static const char *const names[] = {"export.json", "export.tlog-proof", "export.checkpoint", "export.key.der",
					    BAG_TAG_MANIFEST};
	enum { RECORD, PROOF, NOTE, KEY, MANIFEST, COUNT };
	struct buffer texts[COUNT];
	int r = 0;
	for (size_t i = 0; i < COUNT; i++)
		texts[i] = buffer_make(NULL);
	for (size_t i = 0; r == 0 && check->finding == FINDING_NONE && i < COUNT; i++)
		r = check_read(check, names[i], NOTE_BYTES_MOST, &texts[i]);
	if (r == 0 && check->finding == FINDING_NONE) {
		struct merkle_hash manifest = merkle_sha256(buffer_slice(&texts[MANIFEST]), slice_make(NULL, 0));
		check_export_key(check, buffer_slice(&texts[KEY]), buffer_slice(&texts[NOTE]));
		check_export_proof(check, buffer_slice(&texts[RECORD]), buffer_slice(&texts[PROOF]),
				   buffer_slice(&texts[NOTE]));
		check_export_record(check, buffer_slice(&texts[RECORD]), &manifest);
	}
	for (size_t i = 0; i < COUNT; i++)
		buffer_free(&texts[i]);
	if (r == 0 && check->finding == FINDING_NONE && faccessat(check->bag, "export.tsr", F_OK, 0) == 0)
		r = check_stamp(check, "export.tsr", "export.checkpoint");
	return r;
}

/* ---- sizes ---- */

static int by_sized_path(const void *a, const void *b)
{
	return slice_compare(((const struct sized *)a)->path, ((const struct sized *)b)->path);
}

/* What is no such line is passed over: sizes only tell how a file was altered. */
static int read_sizes(struct listing *l)
{
	struct slice rest, line, number;
	int r = check_read(l->check, BAG_SIZES, BAG_MANIFEST_BYTES_MOST, &l->sizes_text);
	size_t lines = 0;
	for (size_t i = 0; i < l->sizes_text.len; i++)
		lines += l->sizes_text.ptr[i] == '\n';
	l->sizes = r != 0 ? NULL : calloc(lines + 1, sizeof(*l->sizes));
	if (l->sizes == NULL)
		return r != 0 ? r : -ENOMEM;
	for (rest = buffer_slice(&l->sizes_text); rest.len > 0 && l->size_count <= lines;) {
		rest = slice_cut(rest, '\n', &line);
		struct slice path = slice_trim(slice_cut(line, ' ', &number));
		if (decimal_read(number, &l->sizes[l->size_count].bytes))
			l->sizes[l->size_count++].path = path;
	}
	qsort(l->sizes, l->size_count, sizeof(*l->sizes), by_sized_path);
	return 0;
}

static bool was_longer(const struct listing *l, const char *path, uint64_t bytes)
{
	const struct sized wanted = {.path = slice_from_string(path)};
	const struct sized *found =
		l->size_count == 0 ? NULL : bsearch(&wanted, l->sizes, l->size_count, sizeof(wanted), by_sized_path);
	return found != NULL && found->bytes > bytes;
}

/* ---- manifests ---- */

static int check_line(struct listing *l, const struct bag_line *line)
{
	struct merkle_hash hash;
	uint64_t bytes = 0;
	int r = bag_hash_file(l->check->bag, line->path, &hash, &bytes);
	l->check->files++;
	if (r == -ENOENT)
		check_find(l->check, FINDING_MISSING, CHECK_NO_RECORD, "%s is missing", line->path);
	else if (r == -ELOOP)
		check_find(l->check, FINDING_ALTERED, CHECK_NO_RECORD, "%s is no file", line->path);
	else if (r == 0 && !merkle_hash_equal(&hash, &line->hash) && was_longer(l, line->path, bytes))
		check_find(l->check, FINDING_TRUNCATED, CHECK_NO_RECORD, "%s is cut off: %" PRIu64 " bytes are left",
			   line->path, bytes);
	else if (r == 0 && !merkle_hash_equal(&hash, &line->hash))
		check_find(l->check, FINDING_ALTERED, CHECK_NO_RECORD, "%s was altered", line->path);
	return r == -ENOENT || r == -ELOOP ? 0 : r;
}

static int keep_path(struct listing *l, const char *path)
{
	if ((l->path_count & (l->path_count + 1)) == 0) {
		char **wider = realloc(l->paths, (2 * l->path_count + 1) * sizeof(*wider));
		if (wider == NULL)
			return -ENOMEM;
		l->paths = wider;
	}
	l->paths[l->path_count] = strdup(path);
	return l->paths[l->path_count++] == NULL ? -ENOMEM : 0;
}

static int check_manifest(struct listing *l, const char *name)
{
	struct bag_line line;
	buffer_clear(&l->manifest_text);
	int r = check_read(l->check, name, BAG_MANIFEST_BYTES_MOST, &l->manifest_text);
	struct reader reader = reader_make(buffer_slice(&l->manifest_text));
	while (r == 0 && l->check->finding == FINDING_NONE && bag_line_next(&reader, &line)) {
		r = check_line(l, &line);
		r = r != 0 ? r : keep_path(l, line.path);
	}
	if (r == 0 && l->check->finding == FINDING_NONE && !reader_at_end(&reader))
		check_find(l->check, FINDING_ALTERED, CHECK_NO_RECORD, "%s has a line that is none", name);
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What the log's word is read from, and no manifest can name. */
static bool is_of_seal(const char *path)
{
	static const char *const names[] = {"export.json",    "export.tlog-proof", "export.checkpoint",
					    "export.key.der", "export.tsr",        BAG_TAG_MANIFEST};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return false;
}

static int check_listed(void *context, const char *path)
{
	struct listing *l = context;
	if (is_of_seal(path))
		return 0;
	if (l->path_count == 0 || bsearch(&path, l->paths, l->path_count, sizeof(*l->paths), by_text) == NULL)
		check_find(l->check, FINDING_ALTERED, CHECK_NO_RECORD, "no manifest names %s", path);
	return 0;
}

int check_files(struct check *check)
{
	struct listing l = {.check = check};
	int r = read_sizes(&l);
	r = r != 0 ? r : check_manifest(&l, BAG_TAG_MANIFEST);
	if (r == 0 && check->finding == FINDING_NONE)
		r = check_manifest(&l, BAG_MANIFEST);
	if (r == 0 && check->finding == FINDING_NONE) {
		qsort(l.paths, l.path_count, sizeof(*l.paths), by_text);
		r = bag_each_file(check->bag, ".", check_listed, &l);
	}
	for (size_t i = 0; i < l.path_count; i++)
		free(l.paths[i]);
	free(l.paths);
	free(l.sizes);
	buffer_free(&l.sizes_text);
	buffer_free(&l.manifest_text);
	return r;
}
