#include "mitigate/ban_register.h"

#include "base/error.h"
#include "base/file.h"
#include "base/test.h"
#include "limit/ban_files.h"
#include "mitigate/ban_records.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

static char folder[] = "/tmp/guia-register-XXXXXX", directory[64];
static const struct ban_times start = {1000000, 1700000000000};

static struct ban_times after(uint64_t ms)
{
	return (struct ban_times){start.boot_ms + ms, start.wall_ms + ms};
}

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	assert_true(prefix_parse(slice_from_string(text), &prefix));
	return prefix;
}

static struct ban_register *open_at(struct ban_times now, const char *says)
{
	struct ban_register *reg;
	const char *what, *said;
	assert_int_equal(ban_register_open(directory, now, &reg, &what, &said), 0);
	if (says[0] == '\0')
		assert_string_equal(said, "");
	else
		assert_non_null(strstr(said, says));
	return reg;
}

static int order(struct ban_register *reg, enum ban_kind kind, const char *prefix, uint64_t for_ms,
		 struct ban_times now)
{
	struct ban_record record;
	const struct ban_order wanted = {
		.prefix = prefix_of(prefix), .kind = kind, .for_ms = for_ms, .by = 42, .why = SLICE("because \"so\"")};
	return ban_register_order(reg, &wanted, now, &record);
}

/* What a worker of the gate would say. */
static enum ban_kind at_gate(const char *address, struct ban_times now)
{
	static struct ban_view view;
	char base[128], delta[128], word[128];
	uint8_t boot[IMAGE_BOOT_BYTES];
	struct buffer generation = buffer_make(NULL);
	struct prefix who = prefix_of(address);
	snprintf(base, sizeof(base), "%s/" BAN_BASE_FILE, directory);
	snprintf(delta, sizeof(delta), "%s/" BAN_DELTA_FILE, directory);
	snprintf(word, sizeof(word), "%s/" BAN_WORD_FILE, directory);
	assert_int_equal(image_boot_read(boot), 0);
	assert_int_equal(file_read(word, 100, &generation), 0);
	assert_int_equal(generation.len, 8);
	assert_int_not_equal(ban_view_look(&view, base, delta, (const uint64_t *)generation.ptr, boot), BAN_VIEW_BAD);
	buffer_free(&generation);
	enum ban_kind kind = ban_view_lookup(&view, &who.address, now.boot_ms).kind;
	ban_view_close(&view);
	view = (struct ban_view){0};
	return kind;
}

static void an_order_is_at_the_gate_after_a_tick(void **state)
{
	(void)state;
	struct ban_register *reg = open_at(start, "");
	assert_int_equal(order(reg, BAN_REFUSE, "192.0.2.0/24", 60000, start), 0);
	assert_int_equal(order(reg, BAN_ALLOW, "192.0.2.7", 0, start), 0);
	assert_int_equal(ban_register_tick(reg, start), 0);
	assert_int_equal(at_gate("192.0.2.1", after(1)), BAN_REFUSE);
	assert_int_equal(at_gate("192.0.2.7", after(1)), BAN_ALLOW);
	assert_int_equal(order(reg, BAN_LIFTED, "192.0.2.0/24", 0, after(200)), 0);
	assert_int_equal(order(reg, BAN_LIFTED, "192.0.2.0/24", 0, after(200)), BAN_ORDER_ABSENT);
	assert_int_equal(ban_register_tick(reg, after(200)), 0);
	assert_int_equal(at_gate("192.0.2.1", after(201)), BAN_NONE);
	assert_int_equal(ban_register_count(reg, after(201)), 1);
	ban_register_close(reg);
}

static void the_next_watch_knows_who_said_why(void **state)
{
	(void)state;
	const struct ban_record *records;
	struct ban_register *reg = open_at(start, "");
	assert_int_equal(order(reg, BAN_REFUSE, "2001:db8::/48", 60000, start), 0);
	assert_int_equal(ban_register_tick(reg, after(200)), 0);
	ban_register_close(reg);
	reg = open_at(after(1000), "");
	assert_int_equal(ban_register_records(reg, &records), 2); /* and the allowance of before */
	assert_int_equal(records[0].by, 42);
	assert_int_equal(records[0].kind, BAN_REFUSE);
	assert_slice(slice_make(records[0].why, records[0].why_len), "because \"so\"");
	assert_int_equal(records[0].expires_ms, start.boot_ms + 60000);
	assert_int_equal(records[1].expires_ms, BAN_FOR_EVER);
	ban_register_close(reg);
	const struct ban_times jumped = {start.boot_ms + 1000, start.wall_ms - UINT64_C(366) * 86400000};
	reg = open_at(jumped, "");
	assert_int_equal(ban_register_records(reg, &records), 2);
	assert_int_equal(records[0].expires_ms, start.boot_ms + 60000);
	uint32_t last = records[0].id;
	assert_int_equal(order(reg, BAN_REFUSE, "198.51.100.1", 1000, after(1000)), 0);
	ban_register_records(reg, &records);
	assert_true(records[0].id > last);
	last = records[0].id;
	assert_int_equal(ban_register_tick(reg, after(2100)), 0);
	assert_int_equal(ban_register_records(reg, &records), 2);
	assert_int_equal(at_gate("198.51.100.1", after(2100)), BAN_NONE);
	assert_int_equal(at_gate("2001:db8::7", after(2100)), BAN_REFUSE);
	ban_register_close(reg);
	/* Nor has another one the number of one that is over, whose hits somebody may still count. */
	reg = open_at(after(2200), "");
	assert_int_equal(order(reg, BAN_REFUSE, "198.51.100.2", 1000, after(2200)), 0);
	assert_int_equal(order(reg, BAN_LIFTED, "198.51.100.2", 0, after(2200)), 0);
	assert_int_equal(order(reg, BAN_REFUSE, "198.51.100.3", 1000, after(2200)), 0);
	ban_register_records(reg, &records);
	assert_int_equal(records[0].id, last + 2);
	assert_int_equal(order(reg, BAN_LIFTED, "198.51.100.3", 0, after(2200)), 0);
	ban_register_close(reg);
}

/* A machine that begins with a clock of 1970, or of next year: nothing is banned for longer than was ordered. */
static void over_a_boot_no_clock_makes_an_end_later(void **state)
{
	(void)state;
	static const uint8_t boots[2][IMAGE_BOOT_BYTES] = {"one", "another"};
	static const struct {
		uint64_t wall_ms, least_ms, most_ms;
	} cases[] = {{0, 60000, 61000}, {1700000000000 + 20000, 40000, 40000}, {1800000000000, 0, 0}};
	const struct ban_record record = {
		.prefix = prefix_of("192.0.2.1"), .kind = BAN_REFUSE, .id = 7, .expires_ms = start.boot_ms + 60000};
	static struct ban_record read[BAN_RECORDS_MOST];
	struct buffer text = buffer_make(NULL);
	ban_records_write(&record, 1, 9, boots[0], start, &text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ban_times now = {5000, cases[i].wall_ms};
		size_t count = 9;
		uint32_t last_id = 0;
		assert_int_equal(ban_records_read(buffer_slice(&text), boots[1], now, read, &count, &last_id), 0);
		assert_int_equal(last_id, 9);
		assert_int_equal(count, cases[i].most_ms > 0);
		if (count > 0)
			assert_in_range(read[0].expires_ms - now.boot_ms, cases[i].least_ms, cases[i].most_ms);
	}
	buffer_free(&text);
}

static void only_one_has_a_directory(void **state)
{
	(void)state;
	const char *what, *said;
	struct ban_register *reg = open_at(start, ""), *other = NULL;
	assert_int_equal(ban_register_open(directory, start, &other, &what, &said), -EBUSY);
	assert_string_equal(what, directory);
	assert_null(other);
	ban_register_close(reg);
	ban_register_close(open_at(start, ""));
}

static void a_wide_prefix_needs_force(void **state)
{
	(void)state;
	struct ban_record record;
	struct ban_register *reg = open_at(start, "");
	assert_int_equal(order(reg, BAN_ALLOW, "10.0.0.0/15", 0, start), BAN_ORDER_TOO_WIDE);
	assert_int_equal(order(reg, BAN_ALLOW, "2001:db8::/31", 0, start), BAN_ORDER_TOO_WIDE);
	const struct ban_order forced = {.prefix = prefix_of("10.0.0.0/15"), .kind = BAN_ALLOW, .force = true};
	assert_int_equal(ban_register_order(reg, &forced, start, &record), 0);
	ban_register_close(reg);
}

static void files_that_do_not_do_are_told_and_not_taken(void **state)
{
	(void)state;
	char path[128];
	static const char *const bad[] = {"",
					  "{",
					  "[]",
					  "{\"version\":2,\"records\":[]}",
					  "{\"version\":1}",
					  "{\"version\":1,\"records\":[{}]}",
					  "{\"version\":1,\"last_id\":-1,\"records\":[]}",
					  "{\"version\":1,\"records\":[{\"id\":0,\"prefix\":\"::1\"}]}"};
	snprintf(path, sizeof(path), "%s/orders.json", directory);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(file_replace(path, slice_from_string(bad[i]), 0600), 0);
		ban_register_close(open_at(start, "orders"));
		/* Whoever wrote it by hand finds it again. */
		char aside[160];
		struct buffer kept = buffer_make(NULL);
		snprintf(aside, sizeof(aside), "%s.damaged", path);
		assert_int_equal(file_read(aside, 1000, &kept), 0);
		assert_true(slice_equal(buffer_slice(&kept), slice_from_string(bad[i])));
		buffer_free(&kept);
	}
	snprintf(path, sizeof(path), "%s/base", directory);
	assert_int_equal(file_replace(path, SLICE("nonsense"), 0600), 0);
	struct ban_register *reg = open_at(start, "base");
	assert_int_equal(order(reg, BAN_REFUSE, "192.0.2.1", 0, start), 0);
	assert_int_equal(ban_register_tick(reg, start), 0);
	assert_int_equal(at_gate("192.0.2.1", start), BAN_REFUSE);
	ban_register_close(reg);
}

static void so_many_orders_and_no_more(void **state)
{
	(void)state;
	struct ban_record record;
	const struct ban_record *records;
	struct ban_register *reg = open_at(start, "");
	size_t before = ban_register_records(reg, &records);
	for (uint32_t i = 0; i <= BAN_RECORDS_MOST; i++) {
		const uint8_t bytes[] = {203, 0, (uint8_t)(i >> 8), (uint8_t)i};
		const struct ban_order wanted = {.prefix = {address_from_v4(bytes), ADDRESS_BITS}, .kind = BAN_REFUSE};
		int r = ban_register_order(reg, &wanted, start, &record);
		assert_int_equal(r, i < BAN_RECORDS_MOST - before ? 0 : BAN_ORDER_FULL);
	}
	ban_register_close(reg);
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(directory, sizeof(directory), "%s/bans", folder);
	return 0;
}

/* A disk that refuses the new base, once the delta has grown: the gate hears of what comes after it all the same. */
static void a_base_that_cannot_be_written_is_written_later(void **state)
{
	(void)state;
	enum { MANY = 10001 }; /* more than a delta may have */
	char base[128], aside[128];
	struct ban_register *reg = open_at(start, "");
	assert_int_equal(ban_register_tick(reg, start), 0);
	for (uint64_t i = 0; i < MANY; i++) {
		const struct prefix source = {address_from_words(0x20010db800000000, i), ADDRESS_BITS};
		assert_int_equal(ban_register_punish(reg, &source, 1, after(1000)), 0);
	}
	snprintf(base, sizeof(base), "%s/" BAN_BASE_FILE, directory);
	snprintf(aside, sizeof(aside), "%s/aside", directory);
	assert_int_equal(rename(base, aside), 0);
	assert_int_equal(mkdir(base, 0700), 0);
	int fault = ban_register_tick(reg, after(20000));
	assert_int_not_equal(fault, 0);
	assert_int_equal(ban_register_tick(reg, after(20001)), fault); /* it is not well because nothing was tried */
	assert_int_equal(rmdir(base), 0);
	assert_int_equal(rename(aside, base), 0);
	assert_int_equal(order(reg, BAN_REFUSE, "192.0.2.1", 60000, after(21000)), 0);
	assert_int_equal(ban_register_tick(reg, after(21000)), 0);
	assert_int_equal(at_gate("192.0.2.1", after(21001)), BAN_REFUSE);
	assert_int_equal(at_gate("2001:db8::7", after(21001)), BAN_REFUSE);
	assert_int_equal(order(reg, BAN_LIFTED, "192.0.2.1", 0, after(22000)), 0);
	ban_register_close(reg);
}

/* A pipe stands for a file that an ailing disk does not give. */
static void orders_that_cannot_be_read_are_not_written_over(void **state)
{
	char path[128], aside[160];
	struct stat about;
	(void)state;
	snprintf(path, sizeof(path), "%s/orders.json", directory);
	snprintf(aside, sizeof(aside), "%s.unread", path);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	struct ban_register *reg = open_at(start, "put aside as .unread");
	assert_int_equal(ban_register_write(reg, start), 0);
	ban_register_close(reg);
	assert_int_equal(stat(aside, &about), 0);
	assert_true(S_ISFIFO(about.st_mode));
	assert_int_equal(remove(aside), 0);
	assert_int_equal(stat(path, &about), 0);
	assert_true(S_ISREG(about.st_mode));
}

static void write_nonsense(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(file_replace(path, SLICE("nonsense"), 0600), 0);
}

/* What the next watch publishes is newer than what is left of the last, however little can be read of that. */
static void bans_hold_whatever_was_damaged(void **state)
{
	(void)state;
	static const char *const damaged[] = {BAN_BASE_FILE, BAN_DELTA_FILE, BAN_WORD_FILE};
	uint64_t ms = 100000;
	for (unsigned which = 1; which < 1u << 3; which++) {
		for (unsigned watch = 0; watch < 2; watch++, ms += 1000) {
			struct ban_register *reg = open_at(after(ms), "");
			assert_int_equal(order(reg, BAN_REFUSE, "192.0.2.1", 60000, after(ms)), 0);
			assert_int_equal(ban_register_write(reg, after(ms)), 0);
			assert_int_equal(order(reg, BAN_REFUSE, "192.0.2.2", 60000, after(ms)), 0);
			assert_int_equal(ban_register_write(reg, after(ms)), 0);
			ban_register_close(reg);
		}
		for (unsigned i = 0; i < 3; i++)
			if ((which >> i & 1) != 0)
				write_nonsense(damaged[i]);
		struct ban_register *reg = open_at(after(ms), which == 4                 ? ""
							      : which == 1 || which == 5 ? "base"
											 : "delta");
		assert_int_equal(ban_register_write(reg, after(ms)), 0);
		assert_int_equal(at_gate("192.0.2.1", after(ms)), BAN_REFUSE);
		assert_int_equal(at_gate("192.0.2.2", after(ms)), BAN_REFUSE);
		ban_register_close(reg);
	}
}

static void as_many_orders_as_there_may_be_outlive_a_watch(void **state)
{
	(void)state;
	char why[BAN_WHY_BYTES];
	struct ban_record record;
	const struct ban_record *records;
	struct ban_register *reg = open_at(start, "");
	memset(why, 0xff, sizeof(why)); /* which no text has: each is written as six bytes */
	for (uint32_t i = 0; ban_register_records(reg, &records) < BAN_RECORDS_MOST; i++) {
		const struct ban_order wanted = {.prefix = {address_from_words(UINT64_MAX, i), ADDRESS_BITS},
						 .kind = BAN_ALLOW,
						 .for_ms = 60000,
						 .why = slice_make(why, sizeof(why))};
		assert_int_equal(ban_register_order(reg, &wanted, start, &record), 0);
	}
	assert_int_equal(ban_register_write(reg, start), 0);
	ban_register_close(reg);
	reg = open_at(start, "");
	assert_int_equal(ban_register_records(reg, &records), BAN_RECORDS_MOST);
	ban_register_close(reg);
}

static void who_lifts_what_the_watch_banned_is_told(void **state)
{
	(void)state;
	struct ban_register *reg = open_at(start, "");
	struct ban_record record;
	const struct ban_order lift = {.prefix = prefix_of("198.51.100.77"), .kind = BAN_LIFTED, .by = 42};
	assert_int_equal(ban_register_punish(reg, &lift.prefix, 1, start), 0);
	assert_int_equal(ban_register_order(reg, &lift, after(5000), &record), 0);
	assert_int_equal(record.kind, BAN_LIFTED);
	assert_int_equal(record.by, 42);
	assert_int_equal(record.since_wall_ms, start.wall_ms + 5000);
	ban_register_close(reg);
}

static int remove_folder(void **state)
{
	(void)state;
	DIR *d = opendir(directory);
	char path[PATH_MAX];
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
		(void)unlink(path);
	}
	if (d != NULL)
		closedir(d);
	return rmdir(directory) | rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_order_is_at_the_gate_after_a_tick),
					   cmocka_unit_test(the_next_watch_knows_who_said_why),
					   cmocka_unit_test(over_a_boot_no_clock_makes_an_end_later),
					   cmocka_unit_test(only_one_has_a_directory),
					   cmocka_unit_test(a_wide_prefix_needs_force),
					   cmocka_unit_test(files_that_do_not_do_are_told_and_not_taken),
					   cmocka_unit_test(orders_that_cannot_be_read_are_not_written_over),
					   cmocka_unit_test(so_many_orders_and_no_more),
					   cmocka_unit_test(who_lifts_what_the_watch_banned_is_told),
					   cmocka_unit_test(bans_hold_whatever_was_damaged),
					   cmocka_unit_test(a_base_that_cannot_be_written_is_written_later),
					   cmocka_unit_test(as_many_orders_as_there_may_be_outlive_a_watch)};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
