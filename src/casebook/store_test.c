#include "casebook/store.h"

#include "base/error.h"
#include "base/test.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

static char folder[] = "/tmp/guia-casebook-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/history.db", folder);
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

static struct case_record *record_of(uint64_t id)
{
	struct case_record *record = calloc(1, sizeof(*record));
	*record = (struct case_record){.id = id,
				       .phase = CASE_HELD,
				       .onset_ms = 1720612800000,
				       .opened_ms = 1720612800700,
				       .peak = 9876.5,
				       .reopened = 2,
				       .site_count = 2};
	record->sites[0] = (struct case_site){.name = "a.example", .attacked = true, .sums = {1, 2, 3, 4, 5, 6, 7}};
	record->sites[1] = (struct case_site){.name = "it's \"<b>\".example", .visitors = {90, 45}, .worst_percent = 3};
	record->mitigation_count = 1;
	record->mitigations[0] = (struct case_mitigation){9, 1, 10, 20, 300, "signature", "a certain order of headers"};
	record->packets[PACKET_FLOOD_SYN] = (struct case_packets){
		true, true, 11, 12, 13, 14, 15, 16.5, {17, 18, "192.0.2.10 99 %", "tcp/443 100 %", "u", "v"}};
	record->packets[PACKET_FLOOD_LINK] = (struct case_packets){.onset_ms = 1, .traits = {.networks = "a"}};
	snprintf(record->places, sizeof(record->places), "somebody's of 2024-07-01");
	return record;
}

static void what_is_written_is_read(void **state)
{
	struct case_record *record = record_of(7), *read = calloc(1, sizeof(*read));
	struct case_store *store;
	(void)state;
	const struct case_news news = {.record = record};
	assert_int_equal(case_store_look(path, &store), CASE_STORE_NONE);
	assert_int_equal(case_store_open(path, &store), 0);
	assert_int_equal(case_store_latest(store, read), CASE_STORE_NONE);
	assert_int_equal(case_store_write(store, &news, 1), 0);
	case_store_close(store);
	assert_int_equal(case_store_look(path, &store), 0);
	assert_int_equal(case_store_latest(store, read), 0);
	assert_memory_equal(record, read, sizeof(*read));
	assert_int_equal(case_store_read(store, 7, read), 0);
	assert_int_equal(case_store_read(store, 6, read), CASE_STORE_NONE);
	assert_int_equal(case_store_read(store, UINT64_MAX, read), CASE_STORE_NONE);
	case_store_close(store);
	free(record);
	free(read);
}

static void intrusions_are_beside_floods(void **state)
{
	struct case_record *flood = record_of(1), *intrusion = record_of(2), *read = calloc(1, sizeof(*read));
	const struct case_actor actor = {5, 6, 7, 8, 9, 10, UINT64_MAX, UINT64_C(1) << 63, 11};
	struct case_actor found;
	struct case_store *store;
	(void)state;
	intrusion->kind = CASE_SHELL;
	const struct case_news news[] = {{.record = flood}, {.record = intrusion, .actor = &actor}};
	assert_int_equal(case_store_open(path, &store), 0);
	assert_int_equal(case_store_latest_flood(store, read), CASE_STORE_NONE);
	assert_int_equal(case_store_write(store, news, 2), 0);
	assert_int_equal(case_store_latest(store, read), 0);
	assert_memory_equal(intrusion, read, sizeof(*read));
	assert_int_equal(case_store_latest_flood(store, read), 0);
	assert_memory_equal(flood, read, sizeof(*read));
	assert_int_equal(case_store_actor(store, 1, &found), CASE_STORE_NONE);
	assert_int_equal(case_store_actor(store, 2, &found), 0);
	assert_memory_equal(&actor, &found, sizeof(found));
	case_store_close(store);
	free(flood);
	free(intrusion);
	free(read);
}

/* As version 1 was: what is missing of version 2 is taken out of a new one. */
static void make_old(void)
{
	struct case_record *record = record_of(3);
	const struct case_news news = {.record = record};
	struct case_store *store;
	sqlite3 *db;
	assert_int_equal(case_store_open(path, &store), 0);
	assert_int_equal(case_store_write(store, &news, 1), 0);
	case_store_close(store);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "DROP TABLE packets; DROP TABLE actor; ALTER TABLE incident DROP COLUMN kind;"
				      "PRAGMA user_version=1;",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	free(record);
}

static void an_old_one_is_read_and_goes_on(void **state)
{
	struct case_record *record = record_of(3), *read = calloc(1, sizeof(*read));
	struct case_actor actor = {.sources = 1};
	struct case_store *store;
	(void)state;
	make_old();
	memset(record->packets, 0, sizeof(record->packets));
	/* Who only reads changes nothing. */
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(case_store_look(path, &store), 0);
		assert_int_equal(case_store_latest(store, read), 0);
		assert_memory_equal(record, read, sizeof(*read));
		assert_int_equal(case_store_latest_flood(store, read), 0);
		assert_int_equal(case_store_actor(store, 3, &actor), CASE_STORE_NONE);
		case_store_close(store);
	}
	assert_int_equal(case_store_open(path, &store), 0);
	record->id = 4;
	record->kind = CASE_LEAK;
	const struct case_news news = {.record = record, .actor = &actor};
	assert_int_equal(case_store_write(store, &news, 1), 0);
	case_store_close(store);
	assert_int_equal(case_store_look(path, &store), 0);
	assert_int_equal(case_store_latest(store, read), 0);
	assert_memory_equal(record, read, sizeof(*read));
	assert_int_equal(case_store_latest_flood(store, read), 0);
	assert_int_equal(read->id, 3);
	case_store_close(store);
	free(record);
	free(read);
}

static bool note_id(void *context, const struct case_record *record)
{
	buffer_printf(context, "%u ", (unsigned)record->id);
	return true;
}

static bool note_entry(void *context, const struct case_entry *entry)
{
	buffer_printf(context, "%s %s; ", case_entry_kind_name(entry->kind), entry->text);
	return true;
}

static bool note_point(void *context, const struct case_point *point)
{
	buffer_printf(context, "%u:%u ", (unsigned)(point->at_ms / 1000), (unsigned)point->requests.passed);
	return true;
}

static bool note_tally(void *context, const struct case_tally *tally)
{
	buffer_printf(context, "%s=%.0f ", tally->key, tally->requests);
	return true;
}

static void lists_are_in_order(void **state)
{
	const struct case_entry entries[] = {{2, 5000, CASE_ENTRY_ACTION, "first"},
					     {2, 4000, CASE_ENTRY_ORDER, "second"}};
	const struct case_point points[] = {{.incident = 2, .at_ms = 1000, .site = 0, .requests = {.passed = 1}},
					    {.incident = 2, .at_ms = 1000, .site = 1, .requests = {.passed = 10}},
					    {.incident = 2, .at_ms = 3000, .site = 1, .requests = {.passed = 100}}};
	const struct case_tally tallies[] = {{"network", "x", 3}, {"network", "y", 5}, {"country", "z", 1}};
	struct buffer out = buffer_make(NULL);
	struct case_store *store;
	(void)state;
	assert_int_equal(case_store_open(path, &store), 0);
	for (uint64_t id = 1; id <= 3; id++) {
		struct case_record *record = record_of(id);
		const struct case_news bare = {.record = record}, news = {.record = record,
									  .entries = entries,
									  .entry_count = 2,
									  .points = points,
									  .point_count = 3,
									  .tallies = tallies,
									  .tally_count = 3};
		assert_int_equal(case_store_write(store, id == 2 ? &news : &bare, 1), 0);
		if (id == 2) {
			const struct case_news more = {.record = record, .tallies = tallies, .tally_count = 1};
			assert_int_equal(case_store_write(store, &more, 1), 0);
		}
		free(record);
	}
	assert_int_equal(case_store_records(store, 0, 10, note_id, &out), 0);
	assert_int_equal(case_store_records(store, 3, 1, note_id, &out), 0);
	assert_int_equal(case_store_entries(store, 2, note_entry, &out), 0);
	assert_int_equal(case_store_points(store, 2, CASE_SITES, 1000, note_point, &out), 0);
	assert_int_equal(case_store_points(store, 2, 1, 10000, note_point, &out), 0);
	assert_int_equal(case_store_tallies(store, 2, "network", 5, note_tally, &out), 0);
	assert_slice(buffer_slice(&out), "3 2 1 2 action first; order second; 1:11 3:100 0:110 x=6 y=5 ");
	buffer_free(&out);
	case_store_close(store);
}

static void the_most_frequent_are_kept(void **state)
{
	enum { MANY = CASE_TALLIES_KEPT + 500 };
	static char keys[MANY][8];
	static struct case_tally tallies[MANY];
	struct case_record *record = record_of(1);
	struct buffer out = buffer_make(NULL);
	struct case_store *store;
	size_t words = 0;
	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		tallies[i] = (struct case_tally){"path", keys[i], (double)i + 1};
	}
	const struct case_news news = {.record = record, .tallies = tallies, .tally_count = MANY};
	assert_int_equal(case_store_open(path, &store), 0);
	assert_int_equal(case_store_write(store, &news, 1), 0);
	assert_int_equal(case_store_tallies(store, 1, "path", MANY, note_tally, &out), 0);
	for (size_t i = 0; i < out.len; i++)
		words += out.ptr[i] == ' ';
	assert_int_equal(words, CASE_TALLIES_KEPT);
	assert_memory_equal(out.ptr, "k1499=1500 ", 11);
	buffer_free(&out);
	case_store_close(store);
	free(record);
}

/* What a database may be instead of ours, and what is said of it. */
static void another_file_is_told_from_ours(void **state)
{
	static const struct {
		const char *sql; /* NULL: bytes that are no database */
		int open, look;
	} cases[] = {
		{NULL, CASE_STORE_DAMAGED, CASE_STORE_DAMAGED},
		{"CREATE TABLE somebodys (a)", CASE_STORE_DAMAGED, CASE_STORE_DAMAGED},
		{"PRAGMA application_id=1198877025; PRAGMA user_version=9999; CREATE TABLE incident (a)",
		 CASE_STORE_NEWER, CASE_STORE_NEWER},
		{"PRAGMA user_version=0", 0, CASE_STORE_NONE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct case_store *store = NULL;
		struct buffer name = buffer_make(NULL);
		sqlite3 *db;
		if (cases[i].sql == NULL) {
			FILE *file = fopen(path, "w");
			for (int n = 0; n < 1000; n++)
				fputs("no database", file);
			fclose(file);
		} else {
			assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
			assert_int_equal(sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL), SQLITE_OK);
			sqlite3_close(db);
		}
		int look = case_store_look(path, &store);
		if (look == 0)
			case_store_close(store);
		int open = case_store_open(path, &store);
		if (open == 0)
			case_store_close(store);
		if (look != cases[i].look || open != cases[i].open)
			fail_msg("case %zu: look %d, open %d", i, look, open);
		if (open == CASE_STORE_DAMAGED) {
			assert_int_equal(case_store_put_aside(path, &name), 0);
			assert_int_equal(case_store_open(path, &store), 0);
			case_store_close(store);
		}
		buffer_free(&name);
		assert_int_equal(clear(state), 0);
	}
}

/* It is put aside like what is damaged, and nobody waits for who might write to it. */
static void what_is_no_file_is_damage(void **state)
{
	struct case_store *store;
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(i == 0 ? mkfifo(path, 0600) : mkdir(path, 0700), 0);
		assert_int_equal(case_store_look(path, &store), CASE_STORE_DAMAGED);
		assert_int_equal(case_store_open(path, &store), CASE_STORE_DAMAGED);
		assert_int_equal(remove(path), 0);
	}
}

/* Each byte of the first pages is changed in turn: it is read, or said to be damaged, and never a crash. */
static void damage_is_told(void **state)
{
	struct case_record *record = record_of(1), *read = calloc(1, sizeof(*read));
	const struct case_news news = {.record = record};
	struct case_store *store;
	struct stat st;
	(void)state;
	assert_int_equal(case_store_open(path, &store), 0);
	assert_int_equal(case_store_write(store, &news, 1), 0);
	case_store_close(store);
	assert_int_equal(stat(path, &st), 0);
	int fd = open(path, O_RDWR);
	for (off_t at = 0; at < st.st_size; at += 37) {
		uint8_t byte, other;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		other = (uint8_t)~byte;
		assert_int_equal(pwrite(fd, &other, 1, at), 1);
		int r = case_store_look(path, &store);
		if (r == 0) {
			r = case_store_latest(store, read);
			assert_true(r <= CASE_STORE_NONE);
			assert_true(r != 0 || read->site_count <= CASE_SITES);
			case_store_close(store);
		}
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
	free(record);
	free(read);
}

struct ends {
	size_t count;
	uint64_t left_out, left_out_at, last_at_ms;
	bool ordered;
};

static bool see_end(void *context, const struct case_entry *entry, uint64_t left_out)
{
	struct ends *ends = context;
	ends->ordered = ends->ordered && entry->at_ms > ends->last_at_ms;
	ends->last_at_ms = entry->at_ms;
	if (left_out > 0)
		ends->left_out_at = ends->count;
	ends->left_out += left_out;
	ends->count++;
	return true;
}

static struct ends ends_of(struct case_store *store, uint64_t id)
{
	struct ends ends = {.ordered = true};
	assert_int_equal(case_store_entry_ends(store, id, see_end, &ends), 0);
	assert_true(ends.ordered);
	return ends;
}

/* However long a timeline is, its first and its last lines are shown, and how many are not. */
static void a_long_timeline_is_shown_by_its_ends(void **state)
{
	struct case_store *store;
	static struct case_entry entries[500];
	static struct case_record record = {.id = 4};
	(void)state;
	assert_int_equal(case_store_open(path, &store), 0);
	for (uint64_t at = 0; at < 200; at++) {
		for (size_t i = 0; i < 500; i++)
			entries[i] = (struct case_entry){.incident = 4, .at_ms = 1000 + at * 500 + i, .text = "x"};
		const struct case_news news = {
			.record = &record, .entries = entries, .entry_count = at == 0 ? CASE_ENTRIES_SHOWN : 500};
		assert_int_equal(case_store_write(store, &news, 1), 0);
		if (at == 0)
			assert_int_equal(ends_of(store, 4).count, CASE_ENTRIES_SHOWN);
	}
	struct ends ends = ends_of(store, 4);
	assert_int_equal(ends.count, CASE_ENTRIES_SHOWN);
	assert_int_equal(ends.left_out, 199 * 500);
	assert_int_equal(ends.left_out_at, CASE_ENTRIES_SHOWN / 2);
	assert_int_equal(ends.last_at_ms, 1000 + 199 * 500 + 499);
	assert_int_equal(ends_of(store, 5).count, 0);
	case_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_is_written_is_read, clear),
		cmocka_unit_test_teardown(intrusions_are_beside_floods, clear),
		cmocka_unit_test_teardown(an_old_one_is_read_and_goes_on, clear),
		cmocka_unit_test_teardown(lists_are_in_order, clear),
		cmocka_unit_test_teardown(the_most_frequent_are_kept, clear),
		cmocka_unit_test_teardown(another_file_is_told_from_ours, clear),
		cmocka_unit_test_teardown(what_is_no_file_is_damage, clear),
		cmocka_unit_test_teardown(damage_is_told, clear),
		cmocka_unit_test_teardown(a_long_timeline_is_shown_by_its_ends, clear),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
