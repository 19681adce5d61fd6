#include "base/error.h"
#include "base/file.h"
#include "base/test.h"
#include "match/regex.h"
#include "match/scan.h"
#include "match/scan_cache.h"
#include "match/scan_internal.h"
#include "match/test_scan_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* Compiles a small set, and says whether all of it came from the cache; the set must work either way. Regular patterns
 * are not Hyperscan's, so `pattern` has lookaround. */
static bool compile_once(const char *pattern)
{
	struct scan_cache *cache = opened();
	struct scan_builder *builder;
	struct scan_set *set = NULL;
	struct scan_scratch *scratch;
	assert_int_equal(scan_builder_create(NULL, &builder), 0);
	assert_int_equal(scan_builder_add_regex(builder, 1, slice_from_string(pattern), 0), 0);
	assert_int_equal(scan_builder_add_regex(builder, 2, SLICE("x.y"), 0), 0);
	assert_int_equal(scan_builder_add_literal(builder, 3, SLICE("Lit")), 0);
	for (uint32_t id = 4; id < 7; id++) /* little is not noted */
		assert_int_equal(scan_builder_add_regex(builder, id, SLICE("no.{200}thing"), 0), 0);
	assert_int_equal(scan_set_compile(builder, cache, &told, &set), 0);
	assert_int_equal(scan_scratch_create(&scratch), 0);
	assert_int_equal(scan_scratch_fit(scratch, set), 0);
	uint64_t bits = 0;
	assert_int_equal(scan_run(set, scratch, SLICE("aab x y lit"), NULL, &bits), 3);
	assert_int_equal(bits, 2 | 4 | 8);
	assert_int_equal(scan_set_class(set, 1), SCAN_PREFILTER);
	assert_int_equal(scan_set_class(set, 2), SCAN_EXACT);
	assert_int_equal(scan_set_facts(set).pieces, 6);
	bool from_cache = scan_set_facts(set).from_cache && scan_set_facts(set).noted;
	scan_scratch_free(scratch);
	scan_set_free(set);
	scan_builder_free(builder);
	scan_cache_close(cache);
	return from_cache;
}

enum { KEPT = 2 /* files of a set: its database and its notes */ };

/* The paths of the files in the folder; fails if there are others. */
static void kept_files(char ret_paths[KEPT][512])
{
	DIR *d = opendir(folder);
	size_t seen = 0;
	assert_non_null(d);
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		assert_true(seen < KEPT);
		snprintf(ret_paths[seen++], 512, "%s/%s", folder, e->d_name);
	}
	closedir(d);
	assert_int_equal(seen, KEPT);
}

static void a_second_start_compiles_nothing(void **state)
{
	(void)state;
	assert_false(compile_once("a+b(?!x)"));
	assert_true(compile_once("a+b(?!x)"));
	assert_false(compile_once("a+b(?!x)|c")); /* another pattern is another key */
	assert_true(compile_once("a+b(?!x)"));
	assert_int_equal(told.warnings, 0);
}

static void grow_old(const char *path, unsigned days)
{
	const time_t then = time(NULL) - (time_t)days * 24 * 3600;
	const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Loading one makes it young again; nothing is touched that is not of the cache. */
static void what_nobody_loads_any_more_is_removed(void **state)
{
	char paths[KEPT][512], other[512];
	struct stat st;
	(void)state;
	compile_once("a+b(?!x)");
	kept_files(paths);
	for (size_t file = 0; file < KEPT; file++)
		grow_old(paths[file], 100);
	assert_true(compile_once("a+b(?!x)"));
	for (size_t file = 0; file < KEPT; file++) {
		assert_int_equal(stat(paths[file], &st), 0);
		assert_true(time(NULL) - st.st_mtime < 3600);
		grow_old(paths[file], file == 0 ? 80 : 100);
	}
	snprintf(other, sizeof(other), "%s/.other", folder);
	close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	grow_old(other, 100);
	scan_cache_close(opened());
	assert_int_equal(stat(paths[0], &st), 0);
	assert_int_equal(stat(paths[1], &st), -1);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(told.warnings, 0);
}

static void flip(const char *path, off_t at)
{
	uint8_t byte;
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void a_flipped_byte_is_noticed_wherever_it_is(void **state)
{
	(void)state;
	char paths[KEPT][512];
	compile_once("a+b(?!x)");
	kept_files(paths);
	for (size_t file = 0; file < KEPT; file++) {
		struct stat st;
		assert_int_equal(stat(paths[file], &st), 0);
		for (off_t at = 0; at < st.st_size; at += 1 + st.st_size / 23) {
			size_t before = told.warnings;
			flip(paths[file], at);
			assert_false(compile_once("a+b(?!x)"));
			assert_int_equal(told.warnings, before + 1);
			assert_string_equal(told.last->file, paths[file]);
			assert_true(compile_once("a+b(?!x)")); /* it was replaced by a sound one */
		}
		flip(paths[file], st.st_size - 1);
		assert_false(compile_once("a+b(?!x)"));
	}
}

static void a_truncated_file_is_noticed(void **state)
{
	(void)state;
	char paths[KEPT][512];
	compile_once("a+b(?!x)");
	kept_files(paths);
	for (size_t file = 0; file < KEPT; file++) {
		struct stat st;
		assert_int_equal(stat(paths[file], &st), 0);
		const off_t lengths[] = {0, 7, 39, 40, 41, st.st_size / 2, st.st_size - 1, st.st_size + 1};
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			size_t before = told.warnings;
			assert_int_equal(truncate(paths[file], lengths[i]), 0);
			assert_false(compile_once("a+b(?!x)"));
			assert_int_equal(told.warnings, before + 1);
		}
		assert_true(compile_once("a+b(?!x)"));
		char said[1280];
		struct buffer text = buffer_make(NULL);
		snprintf(said, sizeof(said),
			 "%s: warning: this file of the cache of compiled patterns is made anew: it is damaged\n",
			 paths[file]);
		diagnostic_format(told.last, &text);
		assert_true(slice_equal(buffer_slice(&text), slice_from_string(said)));
		buffer_free(&text);
	}
}

static void a_sound_file_under_another_key_is_refused(void **state)
{
	(void)state;
	char paths[KEPT][512], others[KEPT][512];
	compile_once("a+b(?!x)");
	kept_files(paths);
	for (size_t file = 0; file < KEPT; file++)
		assert_int_equal(unlink(paths[file]), 0);
	compile_once("a+b(?!x)|q");
	kept_files(others);
	for (size_t file = 0; file < KEPT; file++)
		assert_int_equal(rename(others[file], paths[file]), 0);
	assert_false(compile_once("a+b(?!x)"));
	assert_int_equal(told.warnings, KEPT);
	assert_true(compile_once("a+b(?!x)"));
}

static void files_of_others_are_refused(void **state)
{
	(void)state;
	char paths[KEPT][512];
	compile_once("a+b(?!x)");
	kept_files(paths);
	for (size_t file = 0; file < KEPT; file++) {
		size_t before = told.warnings;
		assert_int_equal(chmod(paths[file], 0620), 0);
		assert_false(compile_once("a+b(?!x)"));
		assert_int_equal(chmod(paths[file], 0602), 0);
		assert_false(compile_once("a+b(?!x)"));
		assert_int_equal(told.warnings, before + 2);
	}
	if (geteuid() != 0)
		skip();
	for (size_t file = 0; file < KEPT; file++) {
		size_t before = told.warnings;
		assert_int_equal(chown(paths[file], 12345, 12345), 0);
		assert_false(compile_once("a+b(?!x)"));
		assert_int_equal(told.warnings, before + 1);
		assert_true(compile_once("a+b(?!x)"));
	}
}

static void a_link_is_refused(void **state)
{
	(void)state;
	char paths[KEPT][512], moved[1024 + 8];
	compile_once("a+b(?!x)");
	kept_files(paths);
	for (size_t file = 0; file < KEPT; file++) {
		size_t before = told.warnings;
		snprintf(moved, sizeof(moved), "%s.real", paths[file]);
		assert_int_equal(rename(paths[file], moved), 0);
		assert_int_equal(symlink(moved, paths[file]), 0);
		assert_false(compile_once("a+b(?!x)"));
		assert_int_equal(told.warnings, before + 1);
		unlink(moved);
		assert_true(compile_once("a+b(?!x)")); /* the link gave way to a file */
		unlink(paths[file]);
		assert_int_equal(mkfifo(paths[file], 0600), 0); /* and nothing waits for a pipe's other end */
		assert_false(compile_once("a+b(?!x)"));
	}
}

static void assert_refused(const char *path)
{
	struct scan_cache *cache = (struct scan_cache *)1;
	size_t before = told.warnings;
	assert_int_equal(scan_cache_open(path, &told, &cache), 1);
	assert_null(cache);
	assert_int_equal(told.warnings, before + 1);
}

static void a_folder_of_others_is_refused(void **state)
{
	(void)state;
	char path[128], inner[160];
	assert_int_equal(chmod(folder, 0770), 0);
	assert_refused(folder);
	snprintf(path, sizeof(path), "%s/below", folder);
	assert_refused(path); /* whoever can write above can put another folder there */
	assert_int_equal(chmod(folder, 0700), 0);
	struct scan_cache *cache = NULL;
	assert_int_equal(scan_cache_open(path, &told, &cache), 0);
	scan_cache_close(cache);
	snprintf(inner, sizeof(inner), "%s/link", folder);
	assert_int_equal(symlink(path, inner), 0);
	assert_refused(inner);
	snprintf(inner, sizeof(inner), "%s/absent/deeper", folder);
	assert_refused(inner);
	assert_refused("/proc/self/status");
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_refused(path);
}

/* The key of expression `text` under `id`, on a machine with `features`. */
static struct scan_cache_key key_of(const char *text, unsigned id, unsigned flags, unsigned long long features)
{
	char copy[16];
	char *texts[1] = {copy};
	struct scan_cache_key key;
	const hs_platform_info_t platform = {.cpu_features = features};
	const struct scan_expressions e = {.texts = texts, .flags = &flags, .ids = &id, .count = 1};
	snprintf(copy, sizeof(copy), "%s", text);
	assert_int_equal(scan_store_key(&e, &platform, &key), 0);
	return key;
}

static void all_that_matters_is_in_the_key(void **state)
{
	(void)state;
	const struct scan_cache_key key = key_of("a", 1, 0, 0);
	const struct scan_cache_key same = key_of("a", 1, 0, 0);
	const struct scan_cache_key others[] = {key_of("b", 1, 0, 0), key_of("a", 2, 0, 0),
						key_of("a", 1, HS_FLAG_CASELESS, 0),
						key_of("a", 1, 0, HS_CPU_FEATURES_AVX2)};
	assert_memory_equal(&key, &same, sizeof(key));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_memory_not_equal(&key, &others[i], sizeof(key));
}

static void without_a_cache_all_is_compiled(void **state)
{
	(void)state;
	const struct scan_cache_key key = {{1}};
	struct buffer out = buffer_make(NULL);
	assert_int_equal(scan_cache_load(NULL, &key, &told, &out), 0);
	assert_int_equal(scan_cache_store(NULL, &key, SLICE("x"), &told), 0);
	scan_cache_close(NULL);
	assert_int_equal(told.warnings, 0);
}

static void a_full_disk_is_a_warning(void **state)
{
	(void)state;
	struct rlimit old, small = {256, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool cached = compile_once("a+b(?!x)");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(cached);
	assert_int_equal(told.warnings, KEPT);
	DIR *d = opendir(folder);
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		assert_int_equal(e->d_name[0], '.'); /* nothing half written stays behind */
	closedir(d);
	assert_false(compile_once("a+b(?!x)"));
	assert_true(compile_once("a+b(?!x)"));
}

/* Starts at once, over and over: each has a sound set, and no file is left but its two. */
static void many_starts_at_once_are_safe(void **state)
{
	(void)state;
	enum { STARTS = 6, ROUNDS = 4 };
	char paths[KEPT][512];
	for (int round = 0; round < ROUNDS; round++) {
		pid_t children[STARTS];
		for (int i = 0; i < STARTS; i++) {
			children[i] = fork();
			if (children[i] == 0) {
				compile_once("a+b(?!x)");
				_exit(told.warnings == 0 ? 0 : 1);
			}
		}
		for (int i = 0; i < STARTS; i++) {
			int status;
			assert_int_equal(waitpid(children[i], &status, 0), children[i]);
			assert_int_equal(status, 0);
		}
		kept_files(paths);
		assert_true(compile_once("a+b(?!x)"));
		for (size_t file = 0; file < KEPT; file++)
			unlink(paths[file]);
	}
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

TEST_MAIN(IN_A_FOLDER(a_second_start_compiles_nothing), IN_A_FOLDER(what_nobody_loads_any_more_is_removed),
	  IN_A_FOLDER(a_flipped_byte_is_noticed_wherever_it_is), IN_A_FOLDER(a_truncated_file_is_noticed),
	  IN_A_FOLDER(a_sound_file_under_another_key_is_refused), IN_A_FOLDER(files_of_others_are_refused),
	  IN_A_FOLDER(a_link_is_refused), IN_A_FOLDER(a_folder_of_others_is_refused),
	  cmocka_unit_test(all_that_matters_is_in_the_key), IN_A_FOLDER(without_a_cache_all_is_compiled),
	  IN_A_FOLDER(a_full_disk_is_a_warning), IN_A_FOLDER(many_starts_at_once_are_safe))
