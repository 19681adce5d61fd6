#include "mitigate/mode_register.h"

#include "base/file.h"
#include "base/test.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/guia-modes-XXXXXX", file[128];
static const struct ban_times start = {1000000, 1700000000000};
static struct prefix homes[2];

static struct ban_times after(uint64_t ms)
{
	return (struct ban_times){start.boot_ms + ms, start.wall_ms + ms};
}

static struct mode_register *open_at(struct ban_times now, size_t home_count, const char *says)
{
	struct mode_register *reg;
	const char *what, *said;
	assert_int_equal(mode_register_open(folder, homes, home_count, now, &reg, &what, &said), 0);
	if (says[0] == '\0')
		assert_string_equal(said, "");
	else
		assert_non_null(strstr(said, says));
	return reg;
}

static int order(struct mode_register *reg, const char *site, enum site_mode mode, uint64_t for_ms,
		 struct ban_times now)
{
	struct mode_entry entry;
	const struct mode_order wanted = {.site = slice_from_string(site),
					  .mode = mode,
					  .for_ms = for_ms,
					  .by = 42,
					  .why = SLICE("because \"so\"")};
	return mode_register_order(reg, &wanted, now, &entry);
}

static const struct mode_entry *find(const struct mode_register *reg, const char *site, struct ban_times now)
{
	return mode_register_find(reg, slice_from_string(site), now.boot_ms);
}

/* As if it had been written in another boot. */
static void boot_change(const char *path)
{
	struct buffer text = buffer_make(NULL);
	assert_int_equal(file_read(path, 1 << 20, &text), 0);
	size_t at = slice_find(buffer_slice(&text), SLICE("\"boot\":\""), 0);
	assert_true(at < text.len);
	text.ptr[at + 8] = text.ptr[at + 8] == 'a' ? 'b' : 'a';
	assert_int_equal(file_replace(path, buffer_slice(&text), 0600), 0);
	buffer_free(&text);
}

static int fresh(void **state)
{
	(void)state;
	(void)unlink(file);
	return 0;
}

/* A watch that is killed after an order has done no more than this. */
static void an_order_holds_until_its_end_also_in_the_next_register(void **state)
{
	(void)state;
	struct mode_register *reg = open_at(start, 2, "");
	assert_int_equal(order(reg, "a.test", SITE_LOCAL, 60000, start), 0);
	assert_int_equal(order(reg, "b.test", SITE_GUARDED, 5000, start), 0);
	const struct mode_entry *first = find(reg, "a.test", start);
	assert_non_null(first);
	uint32_t id = first->id;
	mode_register_close(reg);

	/* The wall's clock may jump meanwhile. */
	const struct ban_times jumped = {start.boot_ms + 6000, start.wall_ms - UINT64_C(366) * 86400000};
	reg = open_at(jumped, 2, "");
	assert_non_null(find(reg, "a.test", jumped));
	assert_int_equal(find(reg, "a.test", jumped)->expires_ms, start.boot_ms + 60000);
	assert_null(find(reg, "b.test", jumped));
	mode_register_close(reg);

	/* Another boot: its clock began anew. */
	boot_change(file);
	const struct ban_times later = {20, start.wall_ms + 10000};
	reg = open_at(later, 2, "");
	const struct mode_entry *entry = find(reg, "a.test", later);
	assert_non_null(entry);
	assert_int_equal(entry->id, id);
	assert_int_equal(entry->mode, SITE_LOCAL);
	assert_int_equal(entry->expires_ms, 20 + 50000);
	assert_int_equal(entry->by, 42);
	assert_memory_equal(entry->why, "because \"so\"", entry->why_len);
	assert_null(find(reg, "b.test", later));
	assert_null(find(reg, "a.test", (struct ban_times){50020, 0}));
	/* The number of one that is over is not given again. */
	assert_int_equal(order(reg, "c.test", SITE_OPEN, 1000, later), 0);
	entry = find(reg, "c.test", later);
	assert_non_null(entry);
	assert_int_equal(entry->id, id + 2);
	mode_register_close(reg);
}

static void the_latest_order_of_a_site_is_its_mode(void **state)
{
	(void)state;
	struct site_mode_rule rules[SITE_MODES_MOST];
	struct mode_register *reg = open_at(start, 2, "");
	uint64_t version = mode_register_version(reg);
	assert_int_equal(order(reg, "a.test", SITE_LOCAL, 60000, start), 0);
	assert_int_equal(order(reg, "a.test", SITE_GUARDED, 5000, start), 0);
	assert_int_not_equal(mode_register_version(reg), version);
	assert_int_equal(mode_register_rules(reg, after(4999), rules), 1);
	assert_int_equal(rules[0].mode, SITE_GUARDED);
	assert_int_equal(rules[0].expires_ms, start.boot_ms + 5000);
	version = mode_register_version(reg);
	assert_int_equal(mode_register_rules(reg, after(4999), rules), 1);
	assert_int_equal(mode_register_version(reg), version);
	assert_int_equal(mode_register_rules(reg, after(5000), rules), 0);
	assert_int_not_equal(mode_register_version(reg), version);
	mode_register_close(reg);
}

static void as_many_sites_as_the_gate_takes_and_no_more(void **state)
{
	(void)state;
	char site[32];
	uint8_t boot[IMAGE_BOOT_BYTES] = {1};
	struct site_mode_rule rules[SITE_MODES_MOST];
	struct buffer image = buffer_make(NULL);
	struct mode_register *reg = open_at(start, 2, "");
	for (int i = 0; i < SITE_MODES_MOST; i++) {
		snprintf(site, sizeof(site), "%d.test", i);
		assert_int_equal(order(reg, site, (enum site_mode)(i % SITE_MODES), 60000, start), 0);
	}
	assert_int_equal(order(reg, "more.test", SITE_GUARDED, 60000, start), MODE_ORDER_FULL);
	assert_int_equal(order(reg, "0.test", SITE_GUARDED, 60000, start), 0);
	struct signature_content content = {.modes = rules};
	struct image_version version = {.generation = 1};
	memcpy(version.boot, boot, sizeof(boot));
	content.mode_count = mode_register_rules(reg, start, rules);
	assert_int_equal(content.mode_count, SITE_MODES_MOST);
	assert_int_equal(signature_image_build(&content, &version, &image), 0);
	buffer_free(&image);
	assert_int_equal(order(reg, "more.test", SITE_GUARDED, 60000, after(60000)), 0);
	mode_register_close(reg);
}

static void local_needs_home_networks(void **state)
{
	(void)state;
	struct mode_register *reg = open_at(start, 0, "");
	assert_int_equal(order(reg, "a.test", SITE_LOCAL, 60000, start), MODE_ORDER_HOMELESS);
	assert_int_equal(order(reg, "b.test", SITE_GUARDED, 60000, start), 0);
	mode_register_close(reg);
	reg = open_at(start, 2, "");
	assert_int_equal(order(reg, "a.test", SITE_LOCAL, 60000, start), 0);
	mode_register_close(reg);
	reg = open_at(start, 0, "no home networks");
	assert_null(find(reg, "a.test", start));
	assert_non_null(find(reg, "b.test", start));
	mode_register_close(reg);
}

static void an_order_that_cannot_be_written_down_changes_nothing(void **state)
{
	(void)state;
	struct mode_register *reg = open_at(start, 2, "");
	assert_int_equal(order(reg, "a.test", SITE_GUARDED, 60000, start), 0);
	uint64_t version = mode_register_version(reg);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_true(order(reg, "a.test", SITE_LOCAL, 60000, start) < 0);
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(find(reg, "a.test", start)->mode, SITE_GUARDED);
	assert_int_equal(mode_register_version(reg), version);
	mode_register_close(reg);
}

/* Whether it was put aside under that ending; and then it is no more. */
static bool was_aside(const char *ending)
{
	char aside[160];
	snprintf(aside, sizeof(aside), "%s%s", file, ending);
	return unlink(aside) == 0;
}

#define RECORD(site, mode, id, until)                                                                                  \
	"{\"id\":" id ",\"site\":\"" site "\",\"mode\":\"" mode "\",\"since_ms\":1,\"until_ms\":" until                \
	",\"by\":0,\"why\":\"\"}"
#define OVER  "1700000000000"
#define LATER "1700000060000"

static void a_file_that_is_none_is_told_and_not_taken(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"[]",
		"{\"version\":2,\"last_id\":9,\"records\":[]}",
		"{\"version\":1,\"records\":[]}",
		"{\"version\":1,\"last_id\":9,\"records\":{}}",
		"{\"version\":1,\"last_id\":9,\"records\":[7]}",
		"{\"version\":1,\"last_id\":9,\"records\":[" RECORD("a", "shut", "1", LATER) "]}",
		"{\"version\":1,\"last_id\":9,\"records\":[" RECORD("", "open", "1", LATER) "]}",
		"{\"version\":1,\"last_id\":9,\"records\":[" RECORD("a", "open", "0", LATER) "]}",
		"{\"version\":1,\"last_id\":9,\"records\":[" RECORD("a", "open", "10", LATER) "]}",
		"{\"version\":1,\"last_id\":9,\"records\":[" RECORD("a", "open", "1", "-1") "]}",
		"{\"version\":1,\"last_id\":9,\"records\":[" RECORD("a", "open", "1",
								    LATER) "," RECORD("a", "local", "2", LATER) "]}",
		"{\"version\":1,\"last_id\":9,\"records\":[" RECORD("a", "open", "1", LATER),
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(file_replace(file, slice_from_string(texts[i]), 0600), 0);
		struct mode_register *reg = open_at(start, 2, "is not a file of modes");
		assert_null(find(reg, "a", start));
		mode_register_close(reg);
		assert_true(was_aside(".damaged"));
	}
	static const char good[] = "{\"version\":1,\"last_id\":9,\"records\":[" RECORD(
		"b", "open", "2", OVER) "," RECORD("a", "local", "1", LATER) "]}";
	assert_int_equal(file_replace(file, slice_from_string(good), 0600), 0);
	struct mode_register *reg = open_at(start, 2, "");
	assert_int_equal(find(reg, "a", start)->mode, SITE_LOCAL);
	assert_null(find(reg, "b", start));
	mode_register_close(reg);
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/" MODE_RECORDS_FILE, folder);
	return prefix_parse(SLICE("192.0.2.0/24"), &homes[0]) && prefix_parse(SLICE("2001:db8::/32"), &homes[1]) ? 0
														 : -1;
}

/* A pipe stands for a file that an ailing disk does not give. */
static void one_that_cannot_be_read_is_not_written_over(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(file, 0600), 0);
	struct mode_register *reg = open_at(start, 2, "put aside as .unread");
	assert_int_equal(order(reg, "a", SITE_LOCAL, 60000, start), 0);
	mode_register_close(reg);
	assert_true(was_aside(".unread"));
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_order_holds_until_its_end_also_in_the_next_register, fresh),
		cmocka_unit_test_setup(the_latest_order_of_a_site_is_its_mode, fresh),
		cmocka_unit_test_setup(as_many_sites_as_the_gate_takes_and_no_more, fresh),
		cmocka_unit_test_setup(local_needs_home_networks, fresh),
		cmocka_unit_test_setup(an_order_that_cannot_be_written_down_changes_nothing, fresh),
		cmocka_unit_test_setup(a_file_that_is_none_is_told_and_not_taken, fresh),
		cmocka_unit_test_setup(one_that_cannot_be_read_is_not_written_over, fresh),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
