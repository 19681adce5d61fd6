/*
 * Which chunks of an export are done: a file for each in the bag's folder .done, with its sums and the boot it was of.
 */
#include "bundle/export_inside.h"

#include "base/file.h"

#include <inttypes.h>
#include <stdio.h>

static void done_path(unsigned epoch, uint64_t chunk, char out[64])
{
	snprintf(out, 64, EXPORT_DONE_FOLDER "/%04u-%05" PRIu64, epoch, chunk);
}

/* What was done holds until the machine goes down: only then may files that were written not be there. */
struct done_note {
	struct chunk_sums sums;
	char boot[48];
};

static void boot_name(char out[48])
{
	struct buffer text = buffer_make(NULL);
	memset(out, 0, 48);
	if (file_read("/proc/sys/kernel/random/boot_id", 47, &text) == 0)
		memcpy(out, text.ptr, text.len);
	buffer_free(&text);
}

int export_done_put(const struct work *w, unsigned epoch, uint64_t chunk, const struct chunk_sums *sums)
{
	char path[64];
	struct done_note note;
	memset(&note, 0, sizeof(note));
	note.sums = *sums;
	boot_name(note.boot);
	done_path(epoch, chunk, path);
	return disk_place(&disk_kernel, w->bag, path, slice_make(&note, sizeof(note)));
}

bool export_done_get(const struct work *w, unsigned epoch, uint64_t chunk, struct chunk_sums *ret_sums)
{
	char path[64], boot[48];
	struct buffer bytes = buffer_make(NULL);
	struct done_note note;
	done_path(epoch, chunk, path);
	bool done = file_read_at(w->bag, path, sizeof(note), &bytes) == 0 && bytes.len == sizeof(note);
	if (done)
		memcpy(&note, bytes.ptr, sizeof(note));
	boot_name(boot);
	done = done && memcmp(note.boot, boot, sizeof(boot)) == 0;
	if (done)
		*ret_sums = note.sums;
	buffer_free(&bytes);
	return done;
}
