/*
 * The delta is read first. If it fits the base that is mapped, and is as new as the word, that is all; else the base is
 * mapped anew, and the delta is kept if it belongs to it.
 */
#include "limit/ban_files.h"

#include "base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void unmap(struct ban_mapping *mapping)
{
	if (mapping->bytes != NULL)
		munmap(mapping->bytes, mapping->len);
	*mapping = (struct ban_mapping){0};
}

static int map_file(const char *path, struct ban_mapping *ret_mapping)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	struct stat status;
	struct ban_mapping mapping = {0};
	int r = fstat(fd, &status) == 0 ? 0 : -errno;
	if (r == 0 && (!S_ISREG(status.st_mode) || status.st_size <= 0))
		r = -ENODATA;
	if (r == 0) {
		mapping.len = (size_t)status.st_size;
		mapping.bytes = mmap(NULL, mapping.len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
		r = mapping.bytes == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (r == 0)
		*ret_mapping = mapping;
	return r;
}

/* Maps and checks; what is bad is written down in the view. */
static bool take(struct ban_view *view, const char *path, const uint8_t boot[IMAGE_BOOT_BYTES],
		 struct ban_mapping *ret_mapping)
{
	struct ban_mapping mapping;
	view->path = path;
	view->fault = IMAGE_GOOD;
	view->error = map_file(path, &mapping);
	if (view->error != 0)
		return false;
	view->fault = ban_image_check(slice_make(mapping.bytes, mapping.len), boot, &mapping.image);
	if (view->fault != IMAGE_GOOD) {
		unmap(&mapping);
		return false;
	}
	view->path = NULL;
	*ret_mapping = mapping;
	return true;
}

static void replace(struct ban_mapping *mapping, struct ban_mapping *with)
{
	unmap(mapping);
	*mapping = *with;
	*with = (struct ban_mapping){0};
}

/* A base that is not older than `least`, unless it is what the word tells of. */
static bool take_base(struct ban_view *view, const char *path, const uint8_t boot[IMAGE_BOOT_BYTES], uint64_t least)
{
	struct ban_mapping base;
	if (!take(view, path, boot, &base))
		return false;
	uint64_t generation = base.image.version.generation;
	if (base.image.version.base != 0 || (generation < least && generation != view->seen)) {
		unmap(&base);
		view->fault = IMAGE_STRANGE;
		view->path = path;
		return false;
	}
	replace(&view->base, &base);
	return true;
}

static bool delta_fits(const struct ban_view *view, const struct ban_mapping *delta)
{
	return view->base.bytes != NULL && delta->bytes != NULL && delta->image.version.base != 0 &&
	       delta->image.version.base == view->base.image.version.generation;
}

/* What there is where the word, now in view->seen, has changed. */
static int take_all(struct ban_view *view, const char *base_path, const char *delta_path,
		    const uint8_t boot[IMAGE_BOOT_BYTES])
{
	struct ban_mapping delta = {0};
	bool have_delta = take(view, delta_path, boot, &delta);
	const struct ban_view of_delta = *view;
	/* A first base has no delta yet, and one of an earlier boot is as good as none. */
	bool bad_delta = !have_delta && view->error != -ENOENT && view->fault != IMAGE_BOOT;
	/* Where the delta is not what the word tells of, a new base is. */
	bool new_base = !delta_fits(view, &delta) || delta.image.version.generation < view->seen;
	if (new_base && !take_base(view, base_path, boot, have_delta ? delta.image.version.base : 0)) {
		unmap(&delta);
		return BAN_VIEW_BAD;
	}
	if (delta_fits(view, &delta))
		replace(&view->delta, &delta);
	else if (!delta_fits(view, &view->delta))
		unmap(&view->delta);
	unmap(&delta);
	view->fault = bad_delta ? of_delta.fault : IMAGE_GOOD;
	view->error = bad_delta ? of_delta.error : 0;
	view->path = bad_delta ? delta_path : NULL;
	return bad_delta ? BAN_VIEW_BAD : BAN_VIEW_NEW;
}

int ban_view_look(struct ban_view *view, const char *base_path, const char *delta_path, const uint64_t *word,
		  const uint8_t boot[IMAGE_BOOT_BYTES])
{
	uint64_t now = __atomic_load_n(word, __ATOMIC_ACQUIRE), before = view->seen;
	if (now == before)
		return BAN_VIEW_SAME;
	view->seen = now;
	int outcome = take_all(view, base_path, delta_path, boot);
	if (outcome == BAN_VIEW_BAD && image_error_passes(view->error))
		view->seen = before;
	return outcome;
}

void ban_view_close(struct ban_view *view)
{
	unmap(&view->base);
	unmap(&view->delta);
}
