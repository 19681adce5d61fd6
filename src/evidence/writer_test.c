#include "evidence/writer.h"

#include "evidence/test_log.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, EACH = 3000, QUEUE_BYTES = 64 * 1024 };

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

static struct verify_report verified(void)
{
	const struct verify_options options = {{NULL, 0}, NULL, NULL};
	struct verify_report report;
	assert_int_equal(verify_log(place.log, &options, &report), 0);
	if (report.finding != FINDING_NONE)
		fail_msg("%.*s", SLICE_ARG(buffer_slice(&report.text)));
	return report;
}

static bool told(const struct verify_report *report, const char *text)
{
	return slice_find(buffer_slice(&report->text), slice_from_string(text), 0) < report->text.len;
}

static bool put(struct writer *writer, uint64_t number)
{
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(SLICE("a.test")), leaf_number(number),
							    leaf_text(SLICE("shown"))};
	return writer_put(writer, LEAF_DECISION, values);
}

static void *put_many(void *context)
{
	static atomic_ulong refused;
	unsigned long mine = 0;
	for (unsigned i = 0; i < EACH; i++) {
		mine += !put(context, i);
		if (i % 100 == 0)
			usleep(200);
	}
	atomic_fetch_add(&refused, mine);
	return (void *)mine;
}

/* Of many threads' records each is there, or counted. */
static void what_is_put_is_there_or_counted(void **state)
{
	const struct log_config config = test_config(&place, &disk_kernel);
	struct writer *writer;
	pthread_t threads[THREADS];
	unsigned long refused = 0;
	char line[64];
	(void)state;
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &writer), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, writer), 0);
	for (int i = 0; i < THREADS; i++) {
		void *mine;
		assert_int_equal(pthread_join(threads[i], &mine), 0);
		refused += (unsigned long)mine;
	}
	writer_end(writer);
	struct verify_report report = verified();
	snprintf(line, sizeof(line), "%12lu decision", (unsigned long)THREADS * EACH - refused);
	assert_true(told(&report, line));
	assert_int_equal(told(&report, "there was no room"), refused > 0);
	verify_report_free(&report);
}

static void it_is_signed_without_being_asked(void **state)
{
	const struct log_config config = test_config(&place, &disk_kernel);
	struct writer *writer;
	(void)state;
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &writer), 0);
	assert_true(put(writer, 1));
	while (writer_state(writer).sizes.is_signed < 3)
		usleep(1000);
	assert_int_equal(writer_state(writer).sizes.sealed, 3);
	struct verify_report report = verified();
	verify_report_free(&report);
	writer_end(writer);
}

/* What is put while another has the log waits until it has it no more. */
static void one_that_is_busy_is_waited_for(void **state)
{
	const struct log_config config = test_config(&place, &disk_kernel);
	struct writer *first, *second;
	(void)state;
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &first), 0);
	while (!writer_state(first).open)
		usleep(1000);
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &second), 0);
	assert_true(put(second, 1));
	while (writer_state(second).fault != -EBUSY)
		usleep(1000);
	assert_false(writer_state(second).open);
	writer_end(first);
	/* Where a millisecond passed between the two, the second's time is before the first's end: a step of the clock.
	 */
	while (writer_state(second).sizes.is_signed < 5)
		usleep(1000);
	writer_end(second);
	struct verify_report report = verified();
	assert_true(told(&report, "2 start") && told(&report, "2 close") && told(&report, "1 decision"));
	verify_report_free(&report);
}

/* ---- a full disk: nothing new has room, what is there can be written over ---- */

static atomic_bool full;

static int full_open(int folder, const char *path, int flags, mode_t mode)
{
	return atomic_load(&full) && (flags & O_CREAT) != 0 ? -ENOSPC : disk_kernel.open(folder, path, flags, mode);
}

/* Decisions that are there, and those that gaps state. */
static uint64_t accounted_for(void)
{
	struct buffer bytes = buffer_make(NULL);
	struct slice record;
	struct leaf leaf;
	unsigned width = TILE_WIDTH;
	uint64_t sum = 0;
	int folder = verify_open_epoch(place.log, 1);
	for (uint64_t number = 0; width == TILE_WIDTH && walk_read_bundle(folder, number, &bytes, &width) == 0;
	     number++) {
		for (struct reader r = reader_make(buffer_slice(&bytes)); bundle_next(&r, &record);) {
			assert_int_equal(leaf_read(record, &leaf), 0);
			sum += leaf.kind == LEAF_DECISION;
			sum += leaf.kind == LEAF_GAP ? leaf_get(&leaf, "records")->number : 0;
		}
		buffer_clear(&bytes);
	}
	close(folder);
	buffer_free(&bytes);
	return sum;
}

static void a_full_disk_takes_the_gap_and_the_close(void **state)
{
	struct disk_calls disk = disk_kernel;
	disk.open = full_open;
	const struct log_config config = test_config(&place, &disk);
	struct writer *writer;
	uint64_t put_count = 0;
	(void)state;
	atomic_store(&full, false);
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &writer), 0);
	while (writer_state(writer).sizes.is_signed < 2)
		usleep(1000);
	atomic_store(&full, true);
	for (struct writer_state now = writer_state(writer); now.error != -ENOSPC || now.lost == 0;
	     now = writer_state(writer)) {
		for (int i = 0; i < 20; i++)
			(void)put(writer, put_count++);
		usleep(500);
	}
	writer_end(writer);
	struct verify_report report = verified();
	assert_true(told(&report, "there was no room"));
	assert_true(told(&report, "1 close"));
	verify_report_free(&report);
	/* With room again it goes on. */
	atomic_store(&full, false);
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &writer), 0);
	assert_true(put(writer, 0));
	writer_end(writer);
	assert_int_equal(accounted_for(), put_count + 1);
	report = verified();
	assert_true(told(&report, "2 start") && told(&report, "2 close"));
	verify_report_free(&report);
}

/* What was taken has no room, nor has the gap that says so with the `more` that were put meanwhile. */
static void end_without_room(unsigned more)
{
	struct disk_calls disk = disk_kernel;
	disk.open = full_open;
	const struct log_config config = test_config(&place, &disk);
	struct writer *writer;
	uint64_t put_count = 0;
	atomic_store(&full, false);
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &writer), 0);
	while (writer_state(writer).sizes.is_signed < 2)
		usleep(1000);
	atomic_store(&full, true);
	while (writer_state(writer).error != -ENOSPC) {
		for (int i = 0; i < 10; i++)
			(void)put(writer, put_count++);
		usleep(200);
	}
	for (unsigned i = 0; i < more; i++)
		(void)put(writer, put_count++);
	writer_end(writer);
	atomic_store(&full, false);
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &writer), 0);
	writer_end(writer);
	struct verify_report report = verified();
	verify_report_free(&report);
	assert_int_equal(accounted_for(), put_count);
	test_remove(place.log);
}

static void what_has_no_room_in_the_end_is_stated(void **state)
{
	(void)state;
	for (unsigned more = 0; more < 60; more += 6)
		end_without_room(more);
}

static void a_name_that_will_not_do_is_told(void **state)
{
	struct log_config config = test_config(&place, &disk_kernel);
	struct writer *writer;
	(void)state;
	config.name = "two words";
	assert_int_equal(writer_create(&config, QUEUE_BYTES, &writer), 0);
	while (writer_state(writer).fault != LOG_NAME_BAD)
		usleep(1000);
	writer_end(writer);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(what_is_put_is_there_or_counted), CASE(it_is_signed_without_being_asked),
	  CASE(one_that_is_busy_is_waited_for), CASE(a_full_disk_takes_the_gap_and_the_close),
	  CASE(what_has_no_room_in_the_end_is_stated), CASE(a_name_that_will_not_do_is_told))
