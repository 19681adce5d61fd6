/* Regions: whole pages of one, and that large ones begin and end with large pages. */
#include "base/region.h"

#include "base/test.h"

#include <errno.h>
#include <unistd.h>

static void region_gives_back_whole_pages_within(void **state)
{
	(void)state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct region region;
	assert_int_equal(region_map(3 * page + 10, &region), 0);
	memset(region.ptr, 'x', region.len);
	region_give_back(&region, slice_make(region.ptr + 1, 2 * page));
	assert_int_equal(region.ptr[page - 1], 'x');
	assert_int_equal(region.ptr[page], 0);
	assert_int_equal(region.ptr[2 * page - 1], 0);
	assert_int_equal(region.ptr[2 * page], 'x');
	region_give_back(&region, slice_make(region.ptr + 3, 10));
	assert_int_equal(region.ptr[3], 'x');
	region_give_back(&region, slice_make(region.ptr + 2 * page + 1, page + 9));
	assert_int_equal(region.ptr[2 * page], 'x');
	assert_int_equal(region.ptr[3 * page], 0);
	region_unmap(&region);
	region_unmap(&region);
	assert_null(region.ptr);
	assert_int_equal(region_map(SIZE_MAX / 2, &region), -ENOMEM);
}

static void a_large_region_begins_at_a_large_page(void **state)
{
	(void)state;
	static const size_t large = 2 << 20, sizes[] = {1, 2 << 20, (5 << 20) + 7};
	struct region region, other;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(region_map_large(sizes[i], &region), 0);
		assert_int_equal((uintptr_t)region.ptr % large, 0);
		assert_int_equal(region.len, (sizes[i] + large - 1) / large * large);
		assert_int_equal(region_map_large(sizes[i], &other), 0);
		for (size_t at = 0; at < region.len; at++)
			assert_int_equal(region.ptr[at], 0);
		memset(region.ptr, 'x', region.len);
		memset(other.ptr, 'y', other.len);
		assert_true(region.ptr[0] == 'x' && region.ptr[region.len - 1] == 'x');
		region_unmap(&region);
		assert_int_equal(other.ptr[other.len - 1], 'y');
		region_unmap(&other);
	}
	assert_int_equal(region_map_large(SIZE_MAX / 2, &region), -ENOMEM);
	assert_int_equal(region_map_large(SIZE_MAX - 5, &region), -ENOMEM);
}

TEST_MAIN(cmocka_unit_test(region_gives_back_whole_pages_within),
	  cmocka_unit_test(a_large_region_begins_at_a_large_page))
