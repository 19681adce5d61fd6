#include "drill/past.h"

#include "base/error.h"
#include "base/file.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_BYTES = 256 };

static void make_folder(char folder[PATH_BYTES])
{
	snprintf(folder, PATH_BYTES, "/tmp/guia-past-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

static const char *in(const char *folder, const char *name)
{
	static char path[PATH_BYTES + 64];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *folder, const char *name, const char *text, unsigned mode)
{
	if (text == NULL)
		assert_int_equal(mkdir(in(folder, name), mode), 0);
	else
		assert_int_equal(file_replace(in(folder, name), slice_from_string(text), mode), 0);
	assert_int_equal(chmod(in(folder, name), mode), 0);
}

static void assert_there(const char *folder, const char *name, const char *text, unsigned mode)
{
	struct buffer bytes = buffer_make(NULL);
	struct stat st;
	assert_int_equal(stat(in(folder, name), &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	if (text != NULL) {
		assert_int_equal(file_read(in(folder, name), 4096, &bytes), 0);
		assert_true(slice_equal(buffer_slice(&bytes), slice_from_string(text)));
	}
	buffer_free(&bytes);
}

static void clear(const char *folder)
{
	static const char *const names[] = {
		"run/bans/memory", "run/bans/bans", "run.bans/memory", "run/events.key", "run/bans", "run.bans", "run"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)remove(in(folder, names[i]));
	assert_int_equal(rmdir(folder), 0);
}

/* The watch's own folder lies in the gate's, or beside it. */
static void what_was_learned_is_there_again(void **state)
{
	static const char *const beside[] = {"run/bans", "run.bans"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char before[PATH_BYTES], after[PATH_BYTES], memory[64];
		struct past past;
		make_folder(before);
		make_folder(after);
		put(before, "run", NULL, 0700);
		put(before, "run/events.key", "the key", 0600);
		put(before, beside[i], NULL, 02750);
		snprintf(memory, sizeof(memory), "%s/memory", beside[i]);
		put(before, memory, "who came", 0600);
		assert_int_equal(past_keep(&past, before), 0);
		assert_int_equal(past_lay(&past, after), 0);
		assert_there(after, "run", NULL, 0700);
		assert_there(after, "run/events.key", "the key", 0600);
		assert_there(after, beside[i], NULL, 02750);
		assert_there(after, memory, "who came", 0600);
		assert_int_equal(access(in(after, beside[1 - i]), F_OK), -1);
		past_free(&past);
		clear(before);
		clear(after);
	}
}

static void a_gate_that_kept_nothing_has_no_past(void **state)
{
	char folder[PATH_BYTES];
	struct past past;
	(void)state;
	make_folder(folder);
	assert_int_equal(past_keep(&past, folder), -ENOENT);
	past_free(&past);
	put(folder, "run", NULL, 0700);
	put(folder, "run/bans", NULL, 0700);
	put(folder, "run/bans/bans", "nobody", 0600);
	assert_int_equal(past_keep(&past, folder), -ENOENT);
	past_free(&past);
	clear(folder);
}

TEST_MAIN(cmocka_unit_test(what_was_learned_is_there_again), cmocka_unit_test(a_gate_that_kept_nothing_has_no_past))
