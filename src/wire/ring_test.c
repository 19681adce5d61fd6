#include "wire/ring.h"

#include "base/error.h"
#include "base/test.h"

#include <signal.h>
#include <sys/wait.h>

enum {
	SLOTS = 64,
	WORDS = 8,
	SLOT_BYTES = WORDS * 8,
	CONTROL_BYTES = 4096,
	FILE_BYTES = CONTROL_BYTES + SLOTS * SLOT_BYTES
};

/* A ring in a file, with both ends. */
struct fixture {
	int fd;
	uint8_t *map;
	struct ring_writer writer;
	struct ring_reader reader;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->fd = memfd_create("ring", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->fd, FILE_BYTES), 0);
	f->map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_true(f->map != MAP_FAILED);
	ring_attach(&f->writer, (struct ring_control *)f->map, f->map + CONTROL_BYTES, SLOT_BYTES, SLOTS);
	f->reader = (struct ring_reader){
		.fd = f->fd, .slots_at = CONTROL_BYTES, .slot_bytes = SLOT_BYTES, .slot_count = SLOTS};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	munmap(f->map, FILE_BYTES);
	close(f->fd);
	free(f);
	return 0;
}

static uint64_t word_of(uint64_t number, size_t i)
{
	return (number + i) * 0x9e3779b97f4a7c15u;
}

static void fill(uint64_t *record, size_t words)
{
	volatile uint64_t *word = record;
	for (size_t i = 1; i < words; i++)
		word[i] = word_of(record[0], i);
}

static void write_some(struct ring_writer *writer, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fill(ring_begin(writer), WORDS);
		ring_commit(writer);
	}
}

/* Takes what there is; every record must be whole and later than those before. Returns how many. */
static size_t take_all(struct ring_reader *reader, uint64_t *ret_last)
{
	uint64_t records[16][WORDS];
	size_t sum = 0;
	ssize_t n;
	while ((n = ring_reader_take(reader, records, 16)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			assert_true(sum == 0 || records[i][0] > *ret_last);
			*ret_last = records[i][0];
			for (size_t w = 1; w < WORDS; w++)
				assert_int_equal(records[i][w], word_of(records[i][0], w));
			sum++;
		}
	}
	assert_int_equal(n, 0);
	return sum;
}

static void test_all_arrive_in_order(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	for (size_t round = 0; round < 100; round++) {
		write_some(&f->writer, round % SLOTS);
		assert_int_equal(ring_reader_waiting(&f->reader), round % SLOTS);
		assert_int_equal(take_all(&f->reader, &last), round % SLOTS);
	}
	assert_int_equal(f->reader.lost, 0);
	assert_int_equal(f->reader.broken, 0);
}

static void test_losses_are_counted_exactly(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, taken = 0;
	for (size_t round = 0; round < 300; round++) {
		write_some(&f->writer, round);
		taken += take_all(&f->reader, &last);
		assert_int_equal(taken + f->reader.lost, f->writer.next);
	}
	assert_true(f->reader.lost > 0);
	assert_int_equal(last, f->writer.next - 1);
}

/* Whoever begins to read sees what is still there. */
static void test_start_is_with_the_oldest(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	write_some(&f->writer, 10);
	assert_int_equal(ring_reader_start(&f->reader), 0);
	assert_int_equal(take_all(&f->reader, &last), 10);
	write_some(&f->writer, 1000);
	assert_int_equal(ring_reader_start(&f->reader), 0);
	assert_int_equal(take_all(&f->reader, &last), SLOTS - 1);
	assert_int_equal(f->reader.lost, 0);
}

/* A record without its commit is not there, and the next writer's stands in its place. */
static void test_half_a_record_is_none(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	write_some(&f->writer, 5);
	fill(ring_begin(&f->writer), 3);
	assert_int_equal(take_all(&f->reader, &last), 5);
	ring_attach(&f->writer, (struct ring_control *)f->map, f->map + CONTROL_BYTES, SLOT_BYTES, SLOTS);
	write_some(&f->writer, 3);
	assert_int_equal(take_all(&f->reader, &last), 3);
	assert_int_equal(last, 7);
}

/* The slot that is being overwritten is not handed out, though its number is still the old one. */
static void test_the_slot_being_written_is_left_alone(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	write_some(&f->writer, SLOTS);
	uint64_t *slot = ring_begin(&f->writer);
	slot[0] = 0;
	slot[1] = 1;
	assert_int_equal(take_all(&f->reader, &last), SLOTS - 1);
	assert_int_equal(f->reader.lost, 1);
}

static void head_set(struct fixture *f, uint64_t head)
{
	atomic_store(&((struct ring_control *)f->map)->head, head);
}

static void test_hostile_heads(void **state)
{
	static const uint64_t heads[] = {0,
					 1,
					 5,
					 SLOTS,
					 SLOTS + 1,
					 UINT32_MAX,
					 UINT64_MAX,
					 UINT64_MAX - 1,
					 INT64_MAX,
					 SLOTS * 1000,
					 UINT64_MAX - SLOTS,
					 (uint64_t)INT64_MAX + 1};
	struct fixture *f = *state;
	uint64_t records[SLOTS][WORDS];
	write_some(&f->writer, 10);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		for (size_t j = 0; j < sizeof(heads) / sizeof(heads[0]); j++) {
			head_set(f, heads[i]);
			assert_int_equal(ring_reader_start(&f->reader), 0);
			head_set(f, heads[j]);
			ssize_t waiting = ring_reader_waiting(&f->reader);
			assert_true(waiting >= 0 && waiting <= SLOTS);
			for (size_t k = 0; k < 4; k++) {
				ssize_t n = ring_reader_take(&f->reader, records, SLOTS);
				assert_true(n >= 0 && n <= SLOTS);
			}
		}
	/* And a good writer is read again at once. */
	uint64_t last = 0;
	head_set(f, 1000);
	ring_attach(&f->writer, (struct ring_control *)f->map, f->map + CONTROL_BYTES, SLOT_BYTES, SLOTS);
	(void)ring_reader_start(&f->reader);
	(void)ring_reader_take(&f->reader, records, SLOTS);
	write_some(&f->writer, 7);
	assert_true(take_all(&f->reader, &last) >= 7);
}

static void test_wrong_numbers_are_thrown_away(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	write_some(&f->writer, 20);
	for (size_t i = 3; i < 9; i++)
		((uint64_t *)(f->map + CONTROL_BYTES + i * SLOT_BYTES))[0] = 99;
	assert_int_equal(take_all(&f->reader, &last), 14);
	assert_int_equal(f->reader.broken, 6);
}

static void test_a_file_cut_short_is_an_error(void **state)
{
	struct fixture *f = *state;
	uint64_t records[SLOTS][WORDS];
	write_some(&f->writer, 20);
	assert_int_equal(ftruncate(f->fd, CONTROL_BYTES + 100), 0);
	assert_int_equal(ring_reader_take(&f->reader, records, SLOTS), -EIO);
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(ring_reader_take(&f->reader, records, SLOTS), -EIO);
	assert_int_equal(ring_reader_waiting(&f->reader), -EIO);
}

/* ---- two processes ---- */

static pid_t writer_start(struct fixture *f, uint64_t count)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	ring_attach(&f->writer, (struct ring_control *)f->map, f->map + CONTROL_BYTES, SLOT_BYTES, SLOTS);
	for (uint64_t i = 0; i < count; i++) {
		write_some(&f->writer, 1);
		if (i % 200 == 199)
			usleep(50); /* so that the reader is now behind and now not */
	}
	_exit(0);
}

static void test_reading_while_another_process_writes(void **state)
{
	enum { RECORDS = 200000 };
	struct fixture *f = *state;
	uint64_t last = 0, taken = 0;
	pid_t pid = writer_start(f, RECORDS);
	int status = 1;
	while (waitpid(pid, &status, WNOHANG) == 0)
		taken += take_all(&f->reader, &last);
	assert_int_equal(status, 0);
	taken += take_all(&f->reader, &last);
	assert_int_equal(taken + f->reader.lost, RECORDS);
	assert_int_equal(f->reader.broken, 0);
	assert_true(taken >= SLOTS - 1);
}

static uint64_t head_of(const struct fixture *f)
{
	return atomic_load(&((struct ring_control *)f->map)->head);
}

/* Each writer is killed somewhere; the next goes on. What the reader gets is whole, and nothing is unaccounted for. */
static void test_writers_are_killed_at_any_point(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, taken = 0;
	unsigned seed = 1;
	for (int round = 0; round < 200; round++) {
		pid_t pid = writer_start(f, UINT64_MAX);
		int status;
		unsigned pause = (seed = seed * 1103515245 + 12345) >> 16;
		/* One at least comes to write; of the others some are killed before, on a busy machine most. */
		while (round == 0 && head_of(f) == 0)
			usleep(100);
		usleep(pause % 1500);
		taken += take_all(&f->reader, &last);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		taken += take_all(&f->reader, &last);
		assert_int_equal(taken + f->reader.lost, head_of(f));
	}
	assert_int_equal(f->reader.broken, 0);
	assert_true(taken > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(test_all_arrive_in_order), CASE(test_losses_are_counted_exactly), CASE(test_start_is_with_the_oldest),
	  CASE(test_half_a_record_is_none), CASE(test_the_slot_being_written_is_left_alone), CASE(test_hostile_heads),
	  CASE(test_wrong_numbers_are_thrown_away), CASE(test_a_file_cut_short_is_an_error),
	  CASE(test_reading_while_another_process_writes), CASE(test_writers_are_killed_at_any_point))
