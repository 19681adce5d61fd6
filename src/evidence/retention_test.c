#include "evidence/retention.h"

#include "evidence/body_store.h"
#include "evidence/holds.h"
#include "evidence/test_log.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static struct test_place place;
static bool refuses;
static unsigned told;

static int set_up(void **state)
{
	(void)state;
	place = test_place_make();
	refuses = false;
	told = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_remove(place.folder);
	return 0;
}

/* A record of the log, closed and signed. */
static bool say(void *context, const char *of, uint64_t from, uint64_t to, const char *why)
{
	const struct log_config config = test_config(&place, &disk_kernel);
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(slice_from_string(of)), leaf_number(from),
							    leaf_number(to), leaf_text(slice_from_string(why))};
	struct log *log;
	(void)context;
	told++;
	if (refuses)
		return false;
	assert_int_equal(log_open(&config, TEST_NOW_MS + 100 * DAY_MS, &log), 0);
	assert_int_equal(log_add_values(log, LEAF_DELETION, TEST_NOW_MS + 100 * DAY_MS, values), 0);
	test_seal(log);
	assert_int_equal(log_sign(log), 0);
	log_close(log);
	return true;
}

static struct retention_sums run(unsigned messages, unsigned records, uint64_t day)
{
	const struct retention_policy policy = {messages, records};
	struct retention_sums sums;
	assert_int_equal(retention_run(&disk_kernel, place.log, &policy, TEST_NOW_MS + day * DAY_MS, say, NULL, &sums),
			 0);
	return sums;
}

static enum finding verified(uint64_t *ret_record)
{
	const struct verify_options options = {{NULL, 0}, NULL, NULL};
	struct verify_report report;
	assert_int_equal(verify_log(place.log, &options, &report), 0);
	enum finding finding = report.finding;
	*ret_record = report.record;
	verify_report_free(&report);
	return finding;
}

static bool has_bundle(const char *number)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/0001/tile/entries/%s", place.log, number);
	return access(path, F_OK) == 0;
}

static bool is_proven(uint64_t index)
{
	struct buffer proof = buffer_make(NULL), record = buffer_make(NULL);
	int folder = verify_open_epoch(place.log, 1);
	int r = verify_prove(folder, index, &proof, &record);
	close(folder);
	buffer_free(&proof);
	buffer_free(&record);
	return r == 0;
}

static void put_message(uint64_t at_ms)
{
	char bodies[96], key[96], certificate[96];
	struct body_store *store;
	struct merkle_hash commitment;
	snprintf(bodies, sizeof(bodies), "%s/" BODY_FOLDER, place.log);
	snprintf(key, sizeof(key), "%s/export.key", place.folder);
	snprintf(certificate, sizeof(certificate), "%s/export.pem", place.folder);
	(void)export_key_create(key, certificate);
	assert_int_equal(body_store_create(&disk_kernel, bodies, certificate, &store), 0);
	assert_true(body_store_put(store, BODY_REQUEST, SLICE("GET / HTTP/1.1"), 0, at_ms, &commitment));
	body_store_end(store);
}

static void old_records_go_and_their_hashes_prove_the_others(void **state)
{
	uint64_t record;
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, false);
	test_write(&place, 1000, TEST_NOW_MS + 95 * DAY_MS, true);
	assert_int_equal(run(90, 90, 80).bundles, 0);
	assert_int_equal(told, 0);
	struct retention_sums sums = run(90, 90, 100);
	assert_true(sums.bundles >= 8);
	assert_int_equal(told, 1);
	assert_true(has_bundle("000"));
	assert_false(has_bundle("001"));
	assert_int_equal(verified(&record), FINDING_NONE);
	assert_true(is_proven(0));
	assert_true(is_proven(3700));
	assert_false(is_proven(300));
	/* Nothing is left to be deleted, and nothing is said. */
	assert_int_equal(run(90, 90, 100).bundles, 0);
	assert_int_equal(told, 1);
	/* The log goes on. */
	test_write(&place, 2000, TEST_NOW_MS + 101 * DAY_MS, true);
	assert_int_equal(verified(&record), FINDING_NONE);
}

static void what_no_record_says_was_deleted_is_missing(void **state)
{
	char path[160];
	uint64_t record;
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, false);
	test_write(&place, 1000, TEST_NOW_MS + 95 * DAY_MS, true);
	(void)run(90, 90, 100);
	snprintf(path, sizeof(path), "%s/0001/tile/entries/013", place.log);
	assert_int_equal(remove(path), 0);
	assert_int_equal(verified(&record), FINDING_MISSING);
	assert_int_equal(record, 13 * 256);
}

static void nothing_goes_before_the_log_has_said_so(void **state)
{
	uint64_t record;
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, true);
	put_message(TEST_NOW_MS);
	refuses = true;
	struct retention_sums sums = run(90, 90, 100);
	assert_int_equal(told, 2);
	assert_int_equal(sums.bundles + sums.parcels, 0);
	assert_true(has_bundle("001"));
	assert_int_equal(verified(&record), FINDING_NONE);
}

static void what_is_held_stays(void **state)
{
	const struct hold hold = {7, TEST_NOW_MS + 600, TEST_NOW_MS + 1200};
	struct holds holds;
	char path[160], aside[160];
	uint64_t record;
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, false);
	test_write(&place, 1000, TEST_NOW_MS + 95 * DAY_MS, true);
	put_message(TEST_NOW_MS + 700);
	put_message(TEST_NOW_MS + 20000);
	assert_int_equal(holds_put(place.log, &hold), 0);
	struct retention_sums sums = run(90, 90, 100);
	assert_int_equal(sums.parcels, 1);
	assert_true(sums.held >= 4);
	assert_false(has_bundle("001"));
	assert_true(has_bundle("003"));
	assert_false(has_bundle("007"));
	assert_int_equal(verified(&record), FINDING_NONE);
	assert_int_equal(told, 1 + 2);
	/* What is held was not deleted: nobody else may have either. */
	snprintf(path, sizeof(path), "%s/0001/tile/entries/003", place.log);
	snprintf(aside, sizeof(aside), "%s/aside", place.folder);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(verified(&record), FINDING_MISSING);
	assert_int_equal(record, 3 * 256);
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(holds_check(place.log, 7, false), 0);
	assert_int_equal(holds_check(place.log, 8, true), 0);
	assert_int_equal(holds_check(place.log, 8, false), HOLDS_NONE);
	assert_int_equal(holds_lift(place.log, 7), 0);
	assert_int_equal(holds_lift(place.log, 7), HOLDS_NONE);
	assert_int_equal(holds_check(place.log, 7, false), HOLDS_NONE);
	assert_int_equal(holds_load(place.log, &holds), 0);
	assert_int_equal(holds.count, 0);
	sums = run(90, 90, 100);
	assert_int_equal(sums.parcels, 1);
	assert_false(has_bundle("003"));
	assert_int_equal(verified(&record), FINDING_NONE);
}

/* The bundle begins with later records than it ends with. */
static void what_is_held_stays_where_the_clock_was_set_back(void **state)
{
	const struct hold hold = {7, TEST_NOW_MS + 50, TEST_NOW_MS + 60};
	(void)state;
	test_write(&place, 400, TEST_NOW_MS + DAY_MS, false);
	test_write(&place, 3000, TEST_NOW_MS, false);
	test_write(&place, 1000, TEST_NOW_MS + 95 * DAY_MS, true);
	assert_int_equal(holds_put(place.log, &hold), 0);
	assert_true(run(90, 90, 100).bundles >= 8);
	assert_true(has_bundle("001"));
	assert_false(has_bundle("002"));
}

/* Of the one before what is gone, any record may be held. */
static void what_is_held_stays_where_the_next_is_gone(void **state)
{
	const struct hold first = {7, TEST_NOW_MS + 600, TEST_NOW_MS + 1200};
	const struct hold then = {7, TEST_NOW_MS + 1150, TEST_NOW_MS + 1160};
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, false);
	test_write(&place, 1000, TEST_NOW_MS + 95 * DAY_MS, true);
	assert_int_equal(holds_put(place.log, &first), 0);
	(void)run(90, 90, 100);
	assert_true(has_bundle("004"));
	assert_false(has_bundle("005"));
	assert_int_equal(holds_put(place.log, &then), 0);
	(void)run(90, 90, 100);
	assert_false(has_bundle("003"));
	assert_true(has_bundle("004"));
}

static const char *ordered_meanwhile;

static bool say_and_hold(void *context, const char *of, uint64_t from, uint64_t to, const char *why)
{
	char path[96];
	snprintf(path, sizeof(path), "%s/" HOLDS_FILE, place.log);
	assert_int_equal(file_replace(path, slice_from_string(ordered_meanwhile), 0600), 0);
	return say(context, of, from, to, why);
}

/* All is chosen, and told: what is held from then on stays nevertheless. */
static void what_is_held_during_a_run_stays(void **state)
{
	const struct retention_policy policy = {90, 90};
	struct retention_sums sums;
	char hold[64];
	uint64_t record;
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, false);
	test_write(&place, 1000, TEST_NOW_MS + 95 * DAY_MS, true);
	put_message(TEST_NOW_MS + 700);
	put_message(TEST_NOW_MS + 20000);
	snprintf(hold, sizeof(hold), "7 %llu %llu\n", (unsigned long long)TEST_NOW_MS + 600,
		 (unsigned long long)TEST_NOW_MS + 1200);
	ordered_meanwhile = hold;
	assert_int_equal(
		retention_run(&disk_kernel, place.log, &policy, TEST_NOW_MS + 100 * DAY_MS, say_and_hold, NULL, &sums),
		0);
	assert_int_equal(sums.parcels, 1);
	assert_true(sums.held >= 4);
	assert_false(has_bundle("001"));
	assert_true(has_bundle("003"));
	assert_false(has_bundle("007"));
	assert_int_equal(verified(&record), FINDING_NONE);
}

static void holds_that_are_damaged_during_a_run_keep_everything(void **state)
{
	const struct retention_policy policy = {90, 90};
	struct retention_sums sums;
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, false);
	test_write(&place, 1000, TEST_NOW_MS + 95 * DAY_MS, true);
	ordered_meanwhile = "1 2 x\n";
	assert_int_equal(
		retention_run(&disk_kernel, place.log, &policy, TEST_NOW_MS + 100 * DAY_MS, say_and_hold, NULL, &sums),
		HOLDS_DAMAGED);
	assert_int_equal(sums.bundles, 0);
	assert_true(has_bundle("001"));
}

static unsigned failures;

static int failing_unlink(int folder, const char *path)
{
	return failures++ == 0 ? -EPERM : disk_kernel.unlink(folder, path);
}

static void what_cannot_be_deleted_keeps_none_of_the_others(void **state)
{
	const struct retention_policy policy = {90, 90};
	struct disk_calls disk = disk_kernel;
	struct retention_sums sums;
	(void)state;
	disk.unlink = failing_unlink;
	test_write(&place, 3000, TEST_NOW_MS, false);
	test_write(&place, 1000, TEST_NOW_MS + 95 * DAY_MS, true);
	failures = 0;
	assert_int_equal(retention_run(&disk, place.log, &policy, TEST_NOW_MS + 100 * DAY_MS, say, NULL, &sums),
			 -EPERM);
	assert_true(has_bundle("001"));
	assert_false(has_bundle("002"));
	assert_true(sums.bundles >= 8);
}

static void for_ever_is_for_ever(void **state)
{
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, true);
	put_message(TEST_NOW_MS);
	struct retention_sums sums = run(0, 0, 30000);
	assert_int_equal(sums.bundles + sums.parcels, 0);
	assert_int_equal(told, 0);
}

static void damaged_holds_keep_everything(void **state)
{
	const struct retention_policy policy = {90, 90};
	struct retention_sums sums;
	struct holds holds;
	char path[96];
	(void)state;
	test_write(&place, 3000, TEST_NOW_MS, true);
	snprintf(path, sizeof(path), "%s/" HOLDS_FILE, place.log);
	assert_int_equal(file_replace(path, SLICE("1 2 x\n"), 0600), 0);
	assert_int_equal(holds_load(place.log, &holds), HOLDS_DAMAGED);
	assert_int_equal(retention_run(&disk_kernel, place.log, &policy, TEST_NOW_MS + 100 * DAY_MS, say, NULL, &sums),
			 HOLDS_DAMAGED);
	assert_int_equal(told, 0);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
TEST_MAIN(CASE(old_records_go_and_their_hashes_prove_the_others), CASE(what_no_record_says_was_deleted_is_missing),
	  CASE(nothing_goes_before_the_log_has_said_so), CASE(what_is_held_stays),
	  CASE(what_is_held_stays_where_the_clock_was_set_back), CASE(what_is_held_stays_where_the_next_is_gone),
	  CASE(what_is_held_during_a_run_stays), CASE(holds_that_are_damaged_during_a_run_keep_everything),
	  CASE(what_cannot_be_deleted_keeps_none_of_the_others), CASE(for_ever_is_for_ever),
	  CASE(damaged_holds_keep_everything))
