#include "evidence/tile.h"

#include "base/test.h"

static void paths_are_those_of_the_specification(void **state)
{
	static const struct {
		struct tile_name name;
		const char *path;
	} rows[] = {
		{{0, 1234067, TILE_WIDTH}, "tile/0/x001/x234/067"},
		{{1, 0, 17}, "tile/1/000.p/17"},
		{{TILE_ENTRIES, 273, 112}, "tile/entries/273.p/112"},
		{{TILE_ENTRIES, 1000, TILE_WIDTH}, "tile/entries/x001/000"},
		{{7, UINT64_MAX, 255}, "tile/7/x018/x446/x744/x073/x709/x551/615.p/255"},
	};
	char path[TILE_PATH_BYTES];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tile_path(rows[i].name, path);
		assert_string_equal(path, rows[i].path);
	}
}

/* "A tree of size 70,000 ...": the specification's example, and that of 256. */
static void widths_are_those_of_the_specification(void **state)
{
	(void)state;
	assert_int_equal(tile_width(70000, 0, 272), TILE_WIDTH);
	assert_int_equal(tile_width(70000, 0, 273), 112);
	assert_int_equal(tile_width(70000, 0, 274), 0);
	assert_int_equal(tile_width(70000, 1, 0), TILE_WIDTH);
	assert_int_equal(tile_width(70000, 1, 1), 17);
	assert_int_equal(tile_width(70000, 2, 0), 1);
	assert_int_equal(tile_width(70000, 3, 0), 0);
	assert_int_equal(tile_width(256, 0, 0), TILE_WIDTH);
	assert_int_equal(tile_width(256, 0, 1), 0);
	assert_int_equal(tile_width(256, 1, 0), 1);
	assert_int_equal(tile_width(0, 0, 0), 0);
}

static void records_come_back_and_a_torn_one_is_seen(void **state)
{
	struct buffer bundle = buffer_make(NULL), large = buffer_make(NULL);
	struct slice record;
	(void)state;
	while (large.len < RECORD_BYTES_MOST)
		buffer_byte(&large, (uint8_t)large.len);
	bundle_add(&bundle, SLICE("one"));
	bundle_add(&bundle, SLICE(""));
	bundle_add(&bundle, buffer_slice(&large));
	for (size_t cut = 0; cut < 4; cut++) {
		struct reader reader = reader_make(test_fenced(slice_sub(buffer_slice(&bundle), 0, bundle.len - cut)));
		assert_true(bundle_next(&reader, &record));
		assert_slice(record, "one");
		assert_true(bundle_next(&reader, &record));
		assert_slice(record, "");
		assert_int_equal(bundle_next(&reader, &record), cut == 0);
		if (cut == 0)
			assert_true(slice_equal(record, buffer_slice(&large)));
		assert_int_equal(reader_at_end(&reader), cut == 0);
	}
	buffer_free(&bundle);
	buffer_free(&large);
}

TEST_MAIN(cmocka_unit_test(paths_are_those_of_the_specification),
	  cmocka_unit_test(widths_are_those_of_the_specification),
	  cmocka_unit_test(records_come_back_and_a_torn_one_is_seen))
