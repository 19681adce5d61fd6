/*
 * Something else stands where a file of a log should be: a folder, a pipe, a link that leads nowhere or to what has no
 * end, a file of a terabyte. A check ends and says what is wrong; what is not needed for it may be anything.
 */
#include "evidence/test_log.h"

enum stands { FOLDER, PIPE, LINK_TO_ITSELF, LINK_TO_ZEROS, TERABYTE, STANDS };

static struct test_place place;

static int set_up(void **state)
{
	(void)state;
	place = test_place_make();
	test_write(&place, 600, TEST_NOW_MS, true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_remove(place.folder);
	return 0;
}

static void path_of(const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", place.log, name);
}

static void put_in_place(const char *name, enum stands what)
{
	char path[256];
	path_of(name, path);
	if (what == TERABYTE) {
		assert_int_equal(truncate(path, (off_t)1 << 40), 0);
		return;
	}
	test_remove(path);
	assert_int_equal(what == FOLDER           ? mkdir(path, 0755)
			 : what == PIPE           ? mkfifo(path, 0644)
			 : what == LINK_TO_ITSELF ? symlink(path, path)
						  : symlink("/dev/zero", path),
			 0);
}

static enum finding finding_of(void)
{
	const struct verify_options options = {{NULL, 0}, NULL, NULL};
	struct verify_report report;
	assert_int_equal(verify_log(place.log, &options, &report), 0);
	verify_report_free(&report);
	return report.finding;
}

static void a_check_ends_and_says_so(void **state)
{
	static const struct {
		const char *name;
		enum finding gone; /* what is no file */
		enum finding long_one;
	} cases[] = {
		{"0001/checkpoint", FINDING_MISSING, FINDING_BADLY_SIGNED},
		{"0001/tile/0/001", FINDING_MISSING, FINDING_ALTERED},
		{"0001/tile/entries/001", FINDING_NONE, FINDING_ALTERED}, /* the journal has it too */
		{"0001/tile/1/000.p/2", FINDING_MISSING, FINDING_ALTERED},
		{"0001/journal.0", FINDING_NONE, FINDING_NONE}, /* the tiles have it too */
		{"0001", FINDING_MISSING, FINDING_NONE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (enum stands what = FOLDER; what < STANDS; what++) {
			bool skip = strcmp(cases[i].name, "0001") == 0 && what == TERABYTE;
			if (skip)
				continue;
			put_in_place(cases[i].name, what);
			enum finding found = finding_of();
			if (found != (what == TERABYTE ? cases[i].long_one : cases[i].gone))
				fail_msg("%s: %d finds %d", cases[i].name, what, found);
			test_remove(place.folder);
			place = test_place_make();
			test_write(&place, 600, TEST_NOW_MS, true);
		}
}

/* Records that only it has are not there then. */
static void a_journal_that_is_none_is_missing(void **state)
{
	(void)state;
	for (enum stands what = FOLDER; what < STANDS; what++) {
		char path[256];
		put_in_place("0001/journal.0", what);
		put_in_place("0001/journal.1", what);
		path_of("0001/tile/entries", path);
		test_remove(path);
		assert_int_equal(finding_of(), what == TERABYTE ? FINDING_NONE : FINDING_TRUNCATED);
		test_remove(place.folder);
		place = test_place_make();
		test_write(&place, 600, TEST_NOW_MS, true);
	}
}

/* What cannot be signed again is left as it is, and the next epoch begins. */
static void a_writer_goes_on_in_another_epoch(void **state)
{
	static const char *const names[] = {"0001/checkpoint", "0001/checkpoint.spare", "0001/journal.0"};
	const struct log_config config = test_config(&place, &disk_kernel);
	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (enum stands what = FOLDER; what < TERABYTE; what++) {
			struct log *log;
			put_in_place(names[i], what);
			if (i == 2)
				put_in_place("0001/journal.1", what);
			assert_int_equal(log_open(&config, TEST_NOW_MS + 5000, &log), 0);
			assert_int_equal(log_beginning(log).epoch, 2);
			test_seal(log);
			assert_int_equal(log_sign(log), 0);
			log_close(log);
			test_remove(place.folder);
			place = test_place_make();
			test_write(&place, 600, TEST_NOW_MS, true);
		}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(a_check_ends_and_says_so), CASE(a_journal_that_is_none_is_missing),
	  CASE(a_writer_goes_on_in_another_epoch))
