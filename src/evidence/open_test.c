/* A log that is found as it should not be is left as it is, and gone on from in a new epoch, which says why. */
#include "codec/text.h"
#include "evidence/test_log.h"

static struct test_place place;

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
	return 0;
}

static char *in_epoch(unsigned epoch, const char *name)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%04u/%s", place.log, epoch, name);
	return path;
}

static struct log_beginning opened(const char *name)
{
	struct log_config config = test_config(&place, &disk_kernel);
	struct log *log;
	config.name = name;
	assert_int_equal(log_open(&config, TEST_NOW_MS + 100000, &log), 0);
	struct log_beginning beginning = log_beginning(log);
	test_seal(log);
	assert_int_equal(log_sign(log), 0);
	log_close(log);
	return beginning;
}

static void assert_goes_on(unsigned epoch, const char *why)
{
	struct log_beginning beginning = opened("test.example/log");
	assert_int_equal(beginning.epoch, epoch);
	if (why == NULL)
		assert_null(beginning.why);
	else
		assert_string_equal(beginning.why, why);
}

static struct verify_report verified(void)
{
	static const struct verify_options options = {{NULL, 0}, NULL, NULL};
	struct verify_report report;
	assert_int_equal(verify_log(place.log, &options, &report), 0);
	return report;
}

static void assert_finding(enum finding finding, unsigned epoch)
{
	struct verify_report report = verified();
	if (report.finding != finding || (finding != FINDING_NONE && report.epoch != epoch))
		fail_msg("%.*s", SLICE_ARG(buffer_slice(&report.text)));
	verify_report_free(&report);
}

static void one_that_was_closed_is_gone_on_with(void **state)
{
	(void)state;
	assert_goes_on(1, "a new log");
	test_write(&place, 10, TEST_NOW_MS + 200000, true);
	assert_goes_on(1, NULL);
	assert_finding(FINDING_NONE, 0);
}

/* A tile at the edge, which what comes is hashed with. */
static void a_tile_that_is_damaged_or_missing(void **state)
{
	static const char *const tiles[] = {"tile/0/000", "tile/0/003"};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const char *path;
		test_write(&place, 5000, TEST_NOW_MS, true);
		path = in_epoch(1, tiles[i % 2]);
		if (i < 2) {
			int fd = open(path, O_RDWR);
			assert_int_equal(pwrite(fd, "x", 1, 40), 1);
			close(fd);
		} else {
			assert_int_equal(unlink(path), 0);
		}
		assert_goes_on(2, "a tile is damaged");
		assert_goes_on(2, NULL);
		assert_finding(i < 2 ? FINDING_ALTERED : FINDING_MISSING, 1);
		test_remove(place.log);
	}
}

/* Its first record names a format of its own; all else is as ours. */
static void write_newer(void)
{
	static const struct merkle_frontier nothing;
	struct journal journal;
	struct buffer bundle = buffer_make(NULL), note = buffer_make(NULL);
	uint8_t info[PUBLIC_KEY_INFO_BYTES], encoded[PUBLIC_KEY_INFO_BYTES / 3 * 4 + 4];
	struct signing_key *key;
	char record[512];
	assert_int_equal(signing_key_create(place.key, &key), 0);
	struct public_key public = signing_key_public(key);
	public_key_info(&public, info);
	snprintf(record, sizeof(record),
		 "{\"v\":1,\"kind\":\"epoch\",\"t\":1764200000000,\"clock\":\"synchronised\",\"error_us\":1,"
		 "\"log\":\"test.example/log\",\"format\":2,\"public_key\":\"%.*s\",\"reason\":\"a new log\"}",
		 (int)base64_encode(slice_make(info, sizeof(info)), encoded), (const char *)encoded);
	struct merkle_hash leaf = merkle_leaf(slice_from_string(record));
	bundle_add(&bundle, slice_from_string(record));
	struct journal_batch batch = {.count = 1,
				      .root = leaf,
				      .part_count = 1,
				      .bytes = bundle.len,
				      .parts = {[1] = {bundle.ptr, bundle.len}}};
	assert_int_equal(mkdir(place.log, 0755), 0);
	assert_int_equal(mkdir(in_epoch(1, ""), 0755), 0);
	int folder = open(in_epoch(1, ""), O_RDONLY | O_DIRECTORY);
	assert_int_equal(journal_create(&journal, &disk_kernel, folder, JOURNAL_HALF_BYTES_LEAST), 0);
	assert_int_equal(journal_turn(&journal, &nothing), 0);
	assert_int_equal(journal_seal(&journal, &batch), 0);
	journal_close(&journal);
	close(folder);
	const struct checkpoint checkpoint = {SLICE("test.example/log/1"), 1, leaf};
	assert_int_equal(checkpoint_sign(&checkpoint, key, &note), 0);
	assert_int_equal(file_replace(in_epoch(1, "checkpoint"), buffer_slice(&note), 0644), 0);
	signing_key_free(key);
	buffer_free(&bundle);
	buffer_free(&note);
}

static void one_of_a_newer_version(void **state)
{
	(void)state;
	write_newer();
	assert_goes_on(2, "it was written by a newer version of Guia");
	assert_goes_on(2, NULL);
	struct verify_report report = verified();
	assert_int_equal(report.finding, FINDING_NEWER);
	verify_report_free(&report);
}

static void a_key_that_is_none_is_put_aside(void **state)
{
	char aside[100];
	(void)state;
	assert_goes_on(1, "a new log");
	assert_int_equal(file_replace(place.key, SLICE("no key"), 0600), 0);
	assert_goes_on(2, "the key is lost");
	assert_finding(FINDING_NONE, 0);
	snprintf(aside, sizeof(aside), "%s.damaged", place.key);
	assert_int_equal(access(aside, F_OK), 0);
}

static void a_key_that_others_may_read_is_told(void **state)
{
	(void)state;
	assert_false(opened("test.example/log").key_is_shown);
	assert_int_equal(chmod(place.key, 0640), 0);
	assert_true(opened("test.example/log").key_is_shown);
}

/* A machine may get another name. */
static void an_epoch_keeps_its_name(void **state)
{
	(void)state;
	assert_int_equal(opened("one.example").epoch, 1);
	assert_null(opened("other.example").why);
	assert_finding(FINDING_NONE, 0);
	struct verify_report report = verified();
	assert_true(slice_find(buffer_slice(&report.text), SLICE("other.example"), 0) == report.text.len);
	verify_report_free(&report);
}

/* Of the tile that is not full only what the last end wrote stays. */
static void narrower_tiles_go(void **state)
{
	(void)state;
	test_write(&place, 300, TEST_NOW_MS, true);
	assert_int_equal(access(in_epoch(1, "tile/entries/001.p/47"), F_OK), 0);
	test_write(&place, 10, TEST_NOW_MS + 1000, true);
	assert_int_equal(access(in_epoch(1, "tile/entries/001.p/59"), F_OK), 0);
	assert_int_not_equal(access(in_epoch(1, "tile/entries/001.p/47"), F_OK), 0);
	assert_int_not_equal(access(in_epoch(1, "tile/0/001.p/47"), F_OK), 0);
	test_write(&place, 300, TEST_NOW_MS + 2000, true);
	assert_int_not_equal(access(in_epoch(1, "tile/entries/001.p"), F_OK), 0);
	assert_finding(FINDING_NONE, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(one_that_was_closed_is_gone_on_with), CASE(a_tile_that_is_damaged_or_missing),
	  CASE(one_of_a_newer_version), CASE(a_key_that_is_none_is_put_aside), CASE(a_key_that_others_may_read_is_told),
	  CASE(an_epoch_keeps_its_name), CASE(narrower_tiles_go))
