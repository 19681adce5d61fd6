#include "watch/cases.h"

#include "base/error.h"
#include "base/test.h"
#include "watch/cases_job.h"

#include <fcntl.h>
#include <malloc.h>
#include <sqlite3.h>
#include <sys/stat.h>

enum { NOW_S = 1764200000 };

static char folder[] = "/tmp/guia-cases-XXXXXX", path[64], aside[64];

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/" CASE_STORE_FILE, folder);
	snprintf(aside, sizeof(aside), "%s/aside", folder);
	return 0;
}

static int clear(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s/*", folder);
	return system(command);
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* Of a flood that was over long ago. */
static void put_on_record(const char *place, uint64_t id)
{
	struct case_record record = {.id = id, .phase = CASE_OVER, .onset_ms = 1, .opened_ms = 1, .over_ms = 2};
	const struct case_news news = {.record = &record};
	struct case_store *store;
	assert_int_equal(case_store_open(place, &store), 0);
	assert_int_equal(case_store_write(store, &news, 1), 0);
	case_store_close(store);
}

static struct cases *begin(void)
{
	struct cases *cases;
	assert_int_equal(cases_begin(folder, &cases), 0);
	return cases;
}

/* Somebody comes with a tool, which becomes an incident, and the watch ends. */
static void come_and_end(struct cases *cases)
{
	static struct finding finding;
	static struct sites sites;
	static struct places places;
	static const struct defender defender;
	struct cases_sight sight = {.sites = &sites, .defender = &defender, .places = &places};
	finding = (struct finding){.head = {.wall_ms = UINT64_C(1000) * NOW_S,
					    .path = 7,
					    .query = 8,
					    .agent = 99,
					    .shape = 5,
					    .classes = 1u << FINDING_CLASS_SQL_INJECTION | 1u << FINDING_CLASS_SCANNER,
					    .found = FINDING_DISRUPTED,
					    .inbound_score = 10,
					    .match_count = 1}};
	finding.matches[0] = (struct finding_match){.rule = 942100, .classes = finding.head.classes};
	struct address source = address_from_v4((const uint8_t[]){198, 51, 100, 7});
	memcpy(finding.head.source, source.bytes, sizeof(finding.head.source));
	for (unsigned i = 0; i < 30; i++) {
		finding.head.path = 7 + i;
		(void)cases_finding(cases, &sites, 0, &finding, finding.head.wall_ms);
	}
	sight.now.wall_ms = finding.head.wall_ms + 1000;
	cases_second(cases, &sight);
	cases_end(cases);
}

struct records {
	uint64_t latest;
	size_t count;
};

static bool see_record(void *context, const struct case_record *record)
{
	struct records *records = context;
	records->latest = records->count++ == 0 ? record->id : records->latest;
	return true;
}

/* The number of the latest incident on record, and how many there are. */
static uint64_t latest_of(size_t *ret_count)
{
	struct records records = {.count = 0};
	struct case_store *store;
	assert_int_equal(case_store_look(path, &store), 0);
	assert_int_equal(case_store_records(store, 0, 100, see_record, &records), 0);
	case_store_close(store);
	*ret_count = records.count;
	return records.latest;
}

/* It could not be opened when the watch began, and can later. */
static void numbers_of_a_history_that_was_not_read_are_not_given_again(void **state)
{
	(void)state;
	size_t count;
	put_on_record(aside, 1);
	assert_int_equal(symlink(path, path), 0);
	struct cases *cases = begin();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(aside, path), 0);
	come_and_end(cases);
	assert_true(latest_of(&count) > 1);
	assert_int_equal(count, 2);
}

/* Records of the log, and holds, still name those of the damaged one. */
static void nor_are_those_of_a_damaged_one(void **state)
{
	(void)state;
	size_t count;
	put_on_record(path, 1);
	assert_int_equal(truncate(path, 1000), 0);
	come_and_end(begin());
	assert_true(latest_of(&count) > 1);
	assert_int_equal(count, 1);
}

/* The page that incidents are in. */
static void damage_a_page(void)
{
	static const uint8_t nonsense[512] = {0xff, 0xff};
	sqlite3 *db;
	sqlite3_stmt *s;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT (rootpage - 1) * page_size FROM sqlite_master, pragma_page_size"
					    " WHERE name = 'incident'",
					    -1, &s, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	off_t at = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, nonsense, sizeof(nonsense), at), sizeof(nonsense));
	close(fd);
}

/* It can be opened, and what is written meets the damage. */
static void what_a_damaged_page_keeps_out_goes_into_a_new_one(void **state)
{
	(void)state;
	size_t count;
	char damaged[80];
	put_on_record(path, 1);
	damage_a_page();
	come_and_end(begin());
	assert_true(latest_of(&count) > 1);
	assert_int_equal(count, 1);
	snprintf(damaged, sizeof(damaged), "%s.damaged", path);
	assert_int_equal(access(damaged, F_OK), 0);
}

static void numbers_go_on_where_they_can_be_read(void **state)
{
	(void)state;
	size_t count;
	put_on_record(path, 7);
	come_and_end(begin());
	assert_int_equal(latest_of(&count), 8);
	assert_int_equal(count, 2);
}

/* One that is given and not begun when the watch ends is written by whoever ends it. */
static void a_job_that_nobody_has_begun_is_not_done(void **state)
{
	static struct casebook book;
	const struct hash_key key = {1, 2};
	struct intrusions *intrusions;
	(void)state;
	assert_int_equal(intrusions_new(&key, &intrusions), 0);
	(void)mallopt(M_PERTURB, 0xff); /* what malloc gives is zero, as it often is */
	struct cases_job *job = cases_job_make(&book, intrusions, 1);
	(void)mallopt(M_PERTURB, 0);
	assert_int_equal(job->result, -EINPROGRESS);
	cases_job_free(job);
	intrusions_free(intrusions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_that_nobody_has_begun_is_not_done),
		cmocka_unit_test_teardown(numbers_of_a_history_that_was_not_read_are_not_given_again, clear),
		cmocka_unit_test_teardown(nor_are_those_of_a_damaged_one, clear),
		cmocka_unit_test_teardown(what_a_damaged_page_keeps_out_goes_into_a_new_one, clear),
		cmocka_unit_test_teardown(numbers_go_on_where_they_can_be_read, clear),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
