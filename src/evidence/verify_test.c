/* A log is changed in every way that one can think of: each is seen, and called what it is. */
#include "evidence/log_state.h"
#include "evidence/test_log.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct test_place place;
static struct buffer kept[8];
static size_t kept_count;

static int set_up(void **state)
{
	(void)state;
	place = test_place_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_remove(place.folder);
	while (kept_count > 0)
		buffer_free(&kept[--kept_count]);
	return 0;
}

static struct verify_report verified(struct slice anchor, const char *fingerprint)
{
	const struct verify_options options = {anchor, NULL, fingerprint};
	struct verify_report report;
	assert_int_equal(verify_log(place.log, &options, &report), 0);
	return report;
}

#define assert_finding(anchor, expected_finding, expected_record)                                                      \
	do {                                                                                                           \
		struct verify_report got_ = verified(anchor, NULL);                                                    \
		if (got_.finding != (expected_finding) ||                                                              \
		    ((expected_record) != UINT64_MAX && got_.record != (expected_record)))                             \
			fail_msg("expected %d at %lu:\n%.*s", expected_finding, (unsigned long)(expected_record),      \
				 SLICE_ARG(buffer_slice(&got_.text)));                                                 \
		verify_report_free(&got_);                                                                             \
	} while (0)

static const struct slice no_anchor = {NULL, 0};

static char *in_epoch(unsigned epoch, const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *to = path[turn++ % 4];
	snprintf(to, sizeof(path[0]), "%s/%04u/%s", place.log, epoch, name);
	return to;
}

/* Until the test ends. */
static struct slice read_whole(const char *path)
{
	struct buffer bytes = buffer_make(NULL);
	assert_int_equal(file_read(path, 1 << 26, &bytes), 0);
	assert_true(kept_count < sizeof(kept) / sizeof(kept[0]));
	kept[kept_count++] = bytes;
	return buffer_slice(&bytes);
}

static void flip(const char *path, off_t at, unsigned bit)
{
	uint8_t byte;
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (uint8_t)(byte ^ 1u << bit);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Which record a byte of a bundle belongs to; that of a length belongs to its record. */
static uint64_t record_at(struct slice bundle, size_t at)
{
	struct reader reader = reader_make(bundle);
	struct slice record;
	uint64_t number = 0;
	while (bundle_next(&reader, &record) && reader.at <= at)
		number++;
	return number;
}

static void a_log_is_whole(void **state)
{
	static const uint64_t counts[] = {0, 1, 250, 251, 252, 253, 254, 255, 256, 600, 5000};
	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		test_write(&place, counts[i], TEST_NOW_MS, true);
		assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
		test_write(&place, counts[i], TEST_NOW_MS + 100000, true);
		assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
		test_remove(place.log);
	}
}

/* Every byte of a small log in turn. */
static void no_byte_may_change(void **state)
{
	(void)state;
	test_write(&place, 4, TEST_NOW_MS, true);
	const char *const entries = in_epoch(1, "tile/entries/000.p/7");
	struct slice bundle = read_whole(entries);
	for (size_t at = 0; at < bundle.len; at++) {
		flip(entries, (off_t)at, at % 8);
		assert_finding(no_anchor, FINDING_ALTERED, record_at(bundle, at));
		flip(entries, (off_t)at, at % 8);
	}
	for (size_t at = 0; at < 7 * MERKLE_HASH_BYTES; at++) {
		flip(in_epoch(1, "tile/0/000.p/7"), (off_t)at, at % 8);
		assert_finding(no_anchor, FINDING_ALTERED, at / MERKLE_HASH_BYTES);
		flip(in_epoch(1, "tile/0/000.p/7"), (off_t)at, at % 8);
	}
	struct slice note = read_whole(in_epoch(1, "checkpoint"));
	for (size_t at = 0; at < note.len; at++) {
		flip(in_epoch(1, "checkpoint"), (off_t)at, at % 8);
		assert_finding(no_anchor, FINDING_BADLY_SIGNED, UINT64_MAX);
		flip(in_epoch(1, "checkpoint"), (off_t)at, at % 8);
	}
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
}

/* Of a log that was killed: what the journal holds and tiles do not. */
static void no_sealed_byte_of_the_journal_may_change(void **state)
{
	(void)state;
	test_write(&place, 4, TEST_NOW_MS, false);
	char line[300];
	snprintf(line, sizeof(line), "rm -r %s", in_epoch(1, "tile"));
	assert_int_equal(system(line), 0);
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
	struct slice half = read_whole(in_epoch(1, "journal.0"));
	struct journal_reader reader;
	struct slice records;
	struct merkle_hash root;
	uint32_t count;
	assert_true(journal_read(half, &reader));
	while (journal_next(&reader, &records, &count, &root))
		;
	for (size_t at = JOURNAL_HEAD_BYTES; at < reader.at; at++) {
		flip(in_epoch(1, "journal.0"), (off_t)at, at % 8);
		struct verify_report report = verified(no_anchor, NULL);
		bool unused = at - JOURNAL_HEAD_BYTES >= 56 && at - JOURNAL_HEAD_BYTES < 64;
		if (report.finding == FINDING_NONE && !unused && half.ptr[at] != 0)
			fail_msg("byte %zu of the journal", at);
		verify_report_free(&report);
		flip(in_epoch(1, "journal.0"), (off_t)at, at % 8);
	}
}

static void swap(const char *a, const char *b)
{
	char aside[300];
	snprintf(aside, sizeof(aside), "%s/aside", place.folder);
	assert_int_equal(rename(a, aside), 0);
	assert_int_equal(rename(b, a), 0);
	assert_int_equal(rename(aside, b), 0);
}

static void files_may_not_change_places(void **state)
{
	(void)state;
	test_write(&place, 1000, TEST_NOW_MS, true);
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
	swap(in_epoch(1, "tile/entries/001"), in_epoch(1, "tile/entries/002"));
	assert_finding(no_anchor, FINDING_ALTERED, 256);
	swap(in_epoch(1, "tile/0/001"), in_epoch(1, "tile/0/002"));
	assert_finding(no_anchor, FINDING_ALTERED, 256);
	swap(in_epoch(1, "tile/entries/001"), in_epoch(1, "tile/entries/002"));
	assert_finding(no_anchor, FINDING_ALTERED, 256);
}

static void what_is_missing_is_named(void **state)
{
	static const struct {
		const char *name;
		enum finding finding;
		uint64_t record;
	} rows[] = {
		{"tile/entries/001", FINDING_MISSING, 256},
		{"tile/0/001", FINDING_MISSING, 256},
		{"tile/entries/003.p/235", FINDING_TRUNCATED, 768},
		{"tile/0/003.p/235", FINDING_MISSING, 768},
		{"tile/1/000.p/3", FINDING_MISSING, 0},
		{"checkpoint", FINDING_MISSING, 0},
	};
	(void)state;
	test_write(&place, 1000, TEST_NOW_MS, true);
	unlink(in_epoch(1, "journal.0"));
	unlink(in_epoch(1, "journal.1"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char aside[300];
		snprintf(aside, sizeof(aside), "%s/aside", place.folder);
		assert_int_equal(rename(in_epoch(1, rows[i].name), aside), 0);
		assert_finding(no_anchor, rows[i].finding, rows[i].record);
		assert_int_equal(rename(aside, in_epoch(1, rows[i].name)), 0);
	}
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
}

static void what_is_longer_than_it_can_be_was_altered(void **state)
{
	static const char *const names[] = {"tile/entries/001", "tile/0/001", "tile/entries/003.p/235"};
	(void)state;
	test_write(&place, 1000, TEST_NOW_MS, true);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat whole;
		assert_int_equal(stat(in_epoch(1, names[i]), &whole), 0);
		assert_int_equal(truncate(in_epoch(1, names[i]), BUNDLE_BYTES_MOST + 1), 0);
		assert_finding(no_anchor, FINDING_ALTERED, i < 2 ? 256 : 768);
		assert_int_equal(truncate(in_epoch(1, names[i]), whole.st_size), 0);
	}
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
}

/* The older state is put back and gone on with: only who kept a checkpoint can tell. */
static void truncation_and_continuation_is_seen_with_an_anchor(void **state)
{
	char aside[100];
	(void)state;
	test_write(&place, 10, TEST_NOW_MS, true);
	snprintf(aside, sizeof(aside), "%s/kept", place.folder);
	test_copy(place.log, aside);
	test_write(&place, 10, TEST_NOW_MS + 1000, true);
	struct slice anchor = read_whole(in_epoch(1, "checkpoint"));
	assert_finding(anchor, FINDING_NONE, UINT64_MAX);
	test_copy(aside, place.log);
	assert_finding(anchor, FINDING_TRUNCATED, 13);
	test_write(&place, 50, TEST_NOW_MS + 2000, true);
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
	assert_finding(anchor, FINDING_ALTERED, UINT64_MAX);
}

/* All of it made anew with the same key. */
static void a_log_sealed_again_is_seen_with_an_anchor(void **state)
{
	(void)state;
	test_write(&place, 10, TEST_NOW_MS, true);
	struct slice anchor = read_whole(in_epoch(1, "checkpoint"));
	test_remove(place.log);
	test_write(&place, 20, TEST_NOW_MS + 1, true);
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
	assert_finding(anchor, FINDING_ALTERED, UINT64_MAX);
}

static void a_lost_key_opens_an_epoch_and_none_may_be_dropped(void **state)
{
	char line[300];
	(void)state;
	test_write(&place, 10, TEST_NOW_MS, true);
	assert_int_equal(unlink(place.key), 0);
	test_write(&place, 10, TEST_NOW_MS + 1000, true);
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
	struct slice anchor = read_whole(in_epoch(2, "checkpoint"));
	assert_finding(anchor, FINDING_NONE, UINT64_MAX);
	assert_int_equal(rename(in_epoch(2, ""), in_epoch(3, "")), 0);
	struct verify_report report = verified(anchor, NULL);
	assert_int_equal(report.finding, FINDING_MISSING);
	assert_int_equal(report.epoch, 2);
	verify_report_free(&report);
	snprintf(line, sizeof(line), "rm -r %s", in_epoch(3, ""));
	assert_int_equal(system(line), 0);
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
	report = verified(anchor, NULL);
	assert_int_equal(report.finding, FINDING_MISSING);
	assert_int_equal(report.epoch, 2);
	verify_report_free(&report);
}

/* The epoch before cannot be written anew by who has today's key only. */
static void an_older_epoch_is_held_by_the_next(void **state)
{
	char aside[100], line[400];
	(void)state;
	test_write(&place, 10, TEST_NOW_MS, true);
	snprintf(aside, sizeof(aside), "%s/kept", place.folder);
	test_copy(place.log, aside);
	assert_int_equal(unlink(place.key), 0);
	test_write(&place, 10, TEST_NOW_MS + 1000, true);
	struct slice today = read_whole(place.key);
	struct test_place forged = test_place_make();
	assert_int_equal(file_replace(forged.key, today, 0600), 0);
	test_write(&forged, 10, TEST_NOW_MS + 5, true);
	snprintf(line, sizeof(line), "rm -r %s && cp -a %s/0001 %s", in_epoch(1, ""), forged.log, place.log);
	assert_int_equal(system(line), 0);
	struct verify_report report = verified(no_anchor, NULL);
	assert_int_equal(report.finding, FINDING_ALTERED);
	assert_int_equal(report.epoch, 1);
	verify_report_free(&report);
	test_remove(forged.folder);
}

static unsigned calls_left;

static void count_down(void)
{
	if (calls_left > 0 && --calls_left == 0)
		(void)kill(getpid(), SIGKILL);
}

static ssize_t dying_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	count_down();
	return disk_kernel.pwritev(fd, parts, count, offset);
}

static int dying_fdatasync(int fd)
{
	count_down();
	return disk_kernel.fdatasync(fd);
}

static int dying_rename(int folder, const char *from, const char *to, unsigned flags)
{
	count_down();
	return disk_kernel.rename(folder, from, to, flags);
}

/* In a process of its own, which dies at that call; 0: it does not. */
static void rotate(unsigned dies_at)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct disk_calls dying = disk_kernel;
		dying.pwritev = dying_pwritev;
		dying.fdatasync = dying_fdatasync;
		dying.rename = dying_rename;
		const struct log_config config = test_config(&place, &dying);
		struct log *log;
		if (log_open(&config, TEST_NOW_MS + 1000, &log) != 0)
			_exit(1);
		calls_left = dies_at;
		if (log_rotate(log, place.key, TEST_NOW_MS + 1000) != 0)
			_exit(1);
		log_close(log);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

/* A log of records as they are given, by whoever has the key. */
static void forge(const struct test_place *forged, struct slice records)
{
	const struct log_config config = test_config(forged, &disk_kernel);
	const struct merkle_frontier nothing = {0};
	struct reader reader = reader_make(records);
	struct slice record;
	struct log *log;
	assert_int_equal(log_open(&config, TEST_NOW_MS, &log), 0);
	tail_cut_back(&log->tail, &nothing);
	while (bundle_next(&reader, &record))
		assert_int_equal(tail_push(&log->tail, record), 0);
	test_seal(log);
	assert_int_equal(log_sign(log), 0);
	log_close(log);
}

/* What was sealed before a rotation cannot be written anew by who has today's key only. */
static void a_rotation_holds_what_was_before(void **state)
{
	(void)state;
	test_write(&place, 10, TEST_NOW_MS, true);
	rotate(0);
	test_write(&place, 10, TEST_NOW_MS + 5000, true);
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
	struct verify_report report = verified(no_anchor, NULL);
	assert_true(slice_find(buffer_slice(&report.text), SLICE("key from record 14 on"), 0) < report.text.len);
	verify_report_free(&report);
	struct slice today = read_whole(place.key);
	struct buffer first = buffer_make(NULL);
	unsigned width;
	int folder = verify_open_epoch(place.log, 1);
	assert_int_equal(walk_read_bundle(folder, 0, &first, &width), 0);
	close(folder);
	/* The same records, but for one byte of the fifth, sealed and signed anew. */
	size_t at = slice_find(buffer_slice(&first), SLICE("\"000002\""), 0) + 1;
	first.ptr[at] = '9';
	struct test_place forged = test_place_make();
	assert_int_equal(file_replace(forged.key, today, 0600), 0);
	forge(&forged, buffer_slice(&first));
	test_copy(forged.log, place.log);
	assert_finding(no_anchor, FINDING_BADLY_SIGNED, 14);
	test_remove(forged.folder);
	buffer_free(&first);
}

/* Wherever it is cut off, the log is taken up in the same epoch, with one key or the other. */
static void a_rotation_that_is_cut_off_is_taken_up(void **state)
{
	(void)state;
	for (unsigned call = 1; call < 12; call++) {
		test_write(&place, 3, TEST_NOW_MS, true);
		rotate(call);
		test_write(&place, 3, TEST_NOW_MS + 5000, true);
		assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
		assert_int_not_equal(access(in_epoch(2, ""), F_OK), 0);
		test_remove(place.log);
	}
}

static void a_clock_that_went_back_is_named(void **state)
{
	const struct log_config config = test_config(&place, &disk_kernel);
	struct log *log;
	(void)state;
	assert_int_equal(log_open(&config, TEST_NOW_MS, &log), 0);
	assert_int_equal(test_add(log, 0, TEST_NOW_MS + 100), 0);
	assert_int_equal(test_add(log, 1, TEST_NOW_MS + 99), 0);
	test_seal(log);
	assert_int_equal(log_sign(log), 0);
	log_close(log);
	assert_finding(no_anchor, FINDING_CLOCK, 3);
	test_remove(place.log);
	/* Between two runs it is the log itself that says so. */
	test_write(&place, 10, TEST_NOW_MS, true);
	test_write(&place, 10, TEST_NOW_MS - 5000, true);
	assert_finding(no_anchor, FINDING_NONE, UINT64_MAX);
	struct verify_report report = verified(no_anchor, NULL);
	assert_true(slice_find(buffer_slice(&report.text), SLICE("states that the clock was set"), 0) <
		    report.text.len);
	verify_report_free(&report);
}

static void the_key_of_the_log_book_is_compared(void **state)
{
	struct signing_key *key;
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	(void)state;
	test_write(&place, 3, TEST_NOW_MS, true);
	assert_int_equal(signing_key_load(place.key, &key), 0);
	struct public_key public = signing_key_public(key);
	public_key_fingerprint(&public, fingerprint);
	struct verify_report report = verified(no_anchor, fingerprint);
	assert_int_equal(report.finding, FINDING_NONE);
	verify_report_free(&report);
	fingerprint[0] = fingerprint[0] == '0' ? '1' : '0';
	report = verified(no_anchor, fingerprint);
	assert_int_equal(report.finding, FINDING_BADLY_SIGNED);
	verify_report_free(&report);
	signing_key_free(key);
}

static void every_record_is_proven(void **state)
{
	(void)state;
	test_write(&place, 1000, TEST_NOW_MS, true);
	int folder = verify_open_epoch(place.log, 1);
	assert_true(folder >= 0);
	struct buffer proof = buffer_make(NULL), record = buffer_make(NULL);
	for (uint64_t index = 0; index < 1003; index += index < 10 ? 1 : 31) {
		buffer_clear(&proof);
		buffer_clear(&record);
		assert_int_equal(verify_prove(folder, index, &proof, &record), 0);
	}
	assert_int_equal(verify_prove(folder, 1003, &proof, &record), -ENOENT);
	assert_int_equal(truncate(in_epoch(1, "tile/0/000"), TILE_BYTES - 1), 0);
	assert_int_equal(verify_prove(folder, 3, &proof, &record), -EBADMSG);
	close(folder);
	buffer_free(&proof);
	buffer_free(&record);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(a_log_is_whole), CASE(no_byte_may_change), CASE(no_sealed_byte_of_the_journal_may_change),
	  CASE(files_may_not_change_places), CASE(what_is_missing_is_named),
	  CASE(what_is_longer_than_it_can_be_was_altered), CASE(truncation_and_continuation_is_seen_with_an_anchor),
	  CASE(a_log_sealed_again_is_seen_with_an_anchor), CASE(a_lost_key_opens_an_epoch_and_none_may_be_dropped),
	  CASE(an_older_epoch_is_held_by_the_next), CASE(a_rotation_holds_what_was_before),
	  CASE(a_rotation_that_is_cut_off_is_taken_up), CASE(a_clock_that_went_back_is_named),
	  CASE(the_key_of_the_log_book_is_compared), CASE(every_record_is_proven))
