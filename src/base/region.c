/* By mmap(2) without a reservation, and MADV_DONTNEED. Both know pages only: a part is rounded inwards. */
#include "base/region.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LARGE_BYTES = 2 << 20 }; /* of x86-64, and of aarch64 with pages of 4 KB */

int region_map(size_t bytes, struct region *ret_region)
{
	void *ptr = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ptr == MAP_FAILED)
		return -ENOMEM;
	*ret_region = (struct region){ptr, bytes};
	return 0;
}

/* What is mapped before the first large page's beginning and behind the last one's end is given back. */
int region_map_large(size_t bytes, struct region *ret_region)
{
	struct region all;
	size_t len = (bytes + LARGE_BYTES - 1) / LARGE_BYTES * LARGE_BYTES;
	if (len < bytes || region_map(len + LARGE_BYTES, &all) != 0)
		return -ENOMEM;
	size_t before = (LARGE_BYTES - (uintptr_t)all.ptr % LARGE_BYTES) % LARGE_BYTES;
	*ret_region = (struct region){all.ptr + before, len};
	if (before > 0)
		(void)munmap(all.ptr, before);
	(void)munmap(ret_region->ptr + len, LARGE_BYTES - before);
	(void)madvise(ret_region->ptr, len, MADV_HUGEPAGE);
	return 0;
}

void region_give_back(const struct region *region, struct slice part)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t from = ((size_t)(part.ptr - region->ptr) + page - 1) / page * page;
	size_t to = (size_t)(part.ptr - region->ptr) + part.len;
	/* Behind the region's end there is nothing else on its last page. */
	to = to == region->len ? (to + page - 1) / page * page : to / page * page;
	if (from < to)
		(void)madvise(region->ptr + from, to - from, MADV_DONTNEED);
}

void region_unmap(struct region *region)
{
	if (region->ptr != NULL)
		(void)munmap(region->ptr, region->len);
	*region = (struct region){0};
}
