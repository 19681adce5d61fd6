/*
 * The payload first, then the tags, some of which are made of its sums. sizes.txt is the last of them, for it has the
 * length of all before it; the manifest of tags comes behind, and the log is given its hash.
 */
#include "bundle/export_inside.h"

#include "bundle/bag.h"

#include <inttypes.h>
#include <stdio.h>

struct manifest {
	struct work *work;
	struct buffer text;
	struct buffer sizes;
	uint64_t files, bytes;
};

static int add_file(void *context, const char *path)
{
	struct manifest *manifest = context;
	struct merkle_hash hash;
	uint64_t bytes;
	int r = bag_hash_file(manifest->work->bag, path, &hash, &bytes);
	if (r != 0) {
		export_at(manifest->work, path);
		return r;
	}
	bag_line_write(&hash, slice_from_string(path), &manifest->text);
	buffer_printf(&manifest->sizes, "%" PRIu64 "  %s\n", bytes, path);
	manifest->bytes += bytes;
	if (++manifest->files % 256 == 0)
		export_progress(manifest->work, "manifest", manifest->files, 0);
	return manifest->text.error != 0 ? manifest->text.error : manifest->sizes.error;
}

static int write_payload_manifest(struct work *w, const struct papers *papers, struct manifest *manifest)
{
	int r = bag_each_file(w->bag, "data", add_file, manifest);
	r = r != 0 ? r : disk_place(&disk_kernel, w->bag, BAG_MANIFEST, buffer_slice(&manifest->text));
	w->result->files = manifest->files;
	w->result->bytes = manifest->bytes;
	return r != 0 ? r : papers_tags(papers, manifest->files, manifest->bytes);
}

int export_manifests(struct work *w, const struct papers *papers, struct merkle_hash *ret_hash)
{
	static const char *const tags[] = {"VERIFY.md", "bag-info.txt", "bagit.txt", BAG_MANIFEST, BAG_SIZES};
	struct manifest manifest = {.work = w, .text = buffer_make(NULL), .sizes = buffer_make(NULL)};
	int r = write_payload_manifest(w, papers, &manifest);
	buffer_clear(&manifest.text);
	for (size_t i = 0; r == 0 && i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (strcmp(tags[i], BAG_SIZES) == 0)
			r = disk_place(&disk_kernel, w->bag, BAG_SIZES, buffer_slice(&manifest.sizes));
		r = r != 0 ? r : add_file(&manifest, tags[i]);
	}
	r = r != 0 ? r : disk_place(&disk_kernel, w->bag, BAG_TAG_MANIFEST, buffer_slice(&manifest.text));
	*ret_hash = merkle_sha256(buffer_slice(&manifest.text), slice_make(NULL, 0));
	buffer_free(&manifest.text);
	buffer_free(&manifest.sizes);
	return r;
}
