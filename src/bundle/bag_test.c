#include "bundle/bag.h"

#include "base/error.h"
#include "base/test.h"

#include <fcntl.h>
#include <sys/stat.h>

static void manifests_are_read_as_they_were_written(void **state)
{
	struct buffer out = buffer_make(NULL);
	struct merkle_hash hash = merkle_leaf(SLICE("x"));
	struct bag_line line;
	(void)state;
	bag_line_write(&hash, SLICE("data/a b"), &out);
	bag_line_write(&hash, SLICE("data/50%\n\r"), &out);
	struct reader reader = reader_make(test_fenced(buffer_slice(&out)));
	assert_true(bag_line_next(&reader, &line));
	assert_string_equal(line.path, "data/a b");
	assert_true(merkle_hash_equal(&line.hash, &hash));
	assert_true(bag_line_next(&reader, &line));
	assert_string_equal(line.path, "data/50%\n\r");
	assert_false(bag_line_next(&reader, &line));
	assert_true(reader_at_end(&reader));
	buffer_free(&out);
}

/* Nothing outside of the bag is named, and nothing is taken for what it is not. */
static void hostile_lines_are_none(void **state)
{
	static const char *const paths[] = {"",        "/etc/passwd", "../x", "data/../../x",
					    "data//x", "data/",       ".",    "a/./b"};
	static const char digits[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct bag_line line;
	char text[256];
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(text, sizeof(text), "%s  %s\n", digits, paths[i]);
		struct reader reader = reader_make(test_fenced(slice_from_string(text)));
		assert_false(bag_line_next(&reader, &line));
		assert_int_equal(reader.at, 0);
	}
	static const char *const bad[] = {"0123  data/x\n", "\n",
					  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  data/x",
					  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg  data/x\n",
					  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefdata/x\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reader reader = reader_make(test_fenced(slice_from_string(bad[i])));
		assert_false(bag_line_next(&reader, &line));
	}
}

static int add_name(void *context, const char *path)
{
	buffer_text(context, path);
	buffer_byte(context, ' ');
	return 0;
}

static void files_are_found_and_links_are_not_followed(void **state)
{
	char folder[] = "/tmp/guia-bag-XXXXXX", line[128];
	struct buffer names = buffer_make(NULL);
	struct merkle_hash hash;
	uint64_t bytes;
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(line, sizeof(line),
		 "cd %s && mkdir -p data/b && printf abc >data/b/c && ln -s b/c data/a && mkfifo data/p", folder);
	assert_int_equal(system(line), 0);
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(bag_each_file(fd, "data", add_name, &names), 0);
	assert_slice(buffer_slice(&names), "data/a data/b/c data/p ");
	assert_int_equal(bag_hash_file(fd, "data/b/c", &hash, &bytes), 0);
	assert_int_equal(bytes, 3);
	struct merkle_hash expected = merkle_sha256(SLICE("abc"), SLICE(""));
	assert_true(merkle_hash_equal(&hash, &expected));
	assert_int_equal(bag_hash_file(fd, "data/a", &hash, &bytes), -ELOOP);
	assert_int_equal(bag_hash_file(fd, "data/p", &hash, &bytes), -ELOOP);
	assert_int_equal(bag_hash_file(fd, "data/none", &hash, &bytes), -ENOENT);
	close(fd);
	buffer_free(&names);
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	assert_int_equal(system(line), 0);
}

TEST_MAIN(cmocka_unit_test(manifests_are_read_as_they_were_written), cmocka_unit_test(hostile_lines_are_none),
	  cmocka_unit_test(files_are_found_and_links_are_not_followed))
