#include "wire/parcel.h"

#include "base/error.h"
#include "base/test.h"

#include <signal.h>
#include <sys/wait.h>

enum { SLOTS = 512, CONTROL_BYTES = 4096, FILE_BYTES = CONTROL_BYTES + SLOTS * PARCEL_SLOT_BYTES };

/* A ring in a file, with both ends. */
struct fixture {
	int fd;
	uint8_t *map;
	struct parcel_writer writer;
	struct parcel_reader reader;
};

static void reader_begin(struct fixture *f)
{
	parcel_reader_release(&f->reader);
	f->reader = (struct parcel_reader){.ring = {.fd = f->fd, .slots_at = CONTROL_BYTES, .slot_count = SLOTS}};
	assert_int_equal(parcel_reader_start(&f->reader), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->fd = memfd_create("parcels", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->fd, FILE_BYTES), 0);
	f->map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_true(f->map != MAP_FAILED);
	parcel_attach(&f->writer, (struct ring_control *)f->map, f->map + CONTROL_BYTES, SLOTS);
	reader_begin(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	parcel_reader_release(&f->reader);
	munmap(f->map, FILE_BYTES);
	close(f->fd);
	free(f);
	return 0;
}

static struct parcel_slot *slot_at(struct fixture *f, uint64_t number)
{
	return (struct parcel_slot *)(f->map + CONTROL_BYTES) + number % SLOTS;
}

/* Of its number's own length and bytes. */
static size_t length_of(uint64_t number)
{
	static const size_t lengths[] = {
		8,    9,     PARCEL_PART_BYTES,     PARCEL_PART_BYTES + 1, 5 * PARCEL_PART_BYTES, 3000,
		1500, 70000, PARCEL_PART_BYTES - 1, PARCEL_BYTES_MOST};
	return lengths[number % (sizeof(lengths) / sizeof(lengths[0]))];
}

static struct slice text_of(uint64_t number, uint8_t *text)
{
	size_t length = length_of(number);
	for (size_t i = 0; i < length; i++)
		text[i] = (uint8_t)(number * 31 + i * 7 + i / 1000);
	memcpy(text, &number, sizeof(number));
	return slice_make(text, length);
}

static void send_one(struct parcel_writer *writer, uint64_t number)
{
	static uint8_t text[PARCEL_BYTES_MOST];
	struct slice whole = text_of(number, text);
	/* In pieces, of which some are empty. */
	const struct slice pieces[] = {slice_sub(whole, 0, 3), slice_sub(whole, 0, 0), slice_sub(whole, 3, 1000),
				       slice_after(whole, 1000)};
	assert_true(parcel_send(writer, pieces, 4));
}

/* Every one must be whole, and later than those before. Returns how many. */
static size_t take_all(struct parcel_reader *reader, uint64_t *ret_last)
{
	static uint8_t text[PARCEL_BYTES_MOST];
	struct slice parcel;
	size_t sum = 0;
	int r;
	while ((r = parcel_reader_take(reader, &parcel)) > 0) {
		uint64_t number;
		assert_true(parcel.len >= sizeof(number));
		memcpy(&number, parcel.ptr, sizeof(number));
		assert_true(sum == 0 || number > *ret_last);
		*ret_last = number;
		struct slice wanted = text_of(number, text);
		assert_int_equal(parcel.len, wanted.len);
		assert_memory_equal(parcel.ptr, wanted.ptr, wanted.len);
		sum++;
	}
	assert_int_equal(r, 0);
	return sum;
}

static void test_all_arrive_whole_and_in_order(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;
	for (uint64_t number = 0; number < 300; number++) {
		send_one(&f->writer, number);
		assert_int_equal(take_all(&f->reader, &last), 1);
		assert_int_equal(last, number);
	}
	assert_int_equal(f->reader.lost, 0);
	assert_int_equal(f->reader.broken, 0);
}

static void test_losses_are_counted_exactly(void **state)
{
	struct fixture *f = *state;
	uint64_t sent = 0, taken = 0, last = 0;
	send_one(&f->writer, sent++);
	taken += take_all(&f->reader, &last);
	for (size_t round = 1; round < 200; round++) {
		for (size_t i = 0; i < round % 37; i++)
			send_one(&f->writer, sent++);
		taken += take_all(&f->reader, &last);
		assert_int_equal(last, sent - 1);
		assert_int_equal(taken + f->reader.lost, sent);
	}
	assert_true(f->reader.lost > 100);
	assert_int_equal(f->reader.broken, 0);
}

static void test_what_is_too_long_or_empty_is_refused(void **state)
{
	static uint8_t text[PARCEL_BYTES_MOST + 1];
	struct fixture *f = *state;
	struct slice parcel, pieces[2] = {slice_make(text, PARCEL_BYTES_MOST), slice_make(text, 1)};
	assert_false(parcel_send(&f->writer, pieces, 2));
	assert_false(parcel_send(&f->writer, pieces, 0));
	assert_int_equal(parcel_reader_take(&f->reader, &parcel), 0);
	assert_true(parcel_send(&f->writer, pieces, 1));
	assert_int_equal(parcel_reader_take(&f->reader, &parcel), 1);
	assert_int_equal(parcel.len, PARCEL_BYTES_MOST);
	assert_int_equal(f->reader.lost + f->reader.broken, 0);
}

/* Another life goes on with the numbers, so that what was lost between is known. */
static void test_numbers_outlive_writers(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, sent = 0, taken = 0;
	for (size_t life = 0; life < 50; life++) {
		parcel_attach(&f->writer, (struct ring_control *)f->map, f->map + CONTROL_BYTES, SLOTS);
		assert_int_equal(f->writer.parcel, sent);
		for (size_t i = 0; i < life % 9; i++)
			send_one(&f->writer, sent++);
		if (life % 7 == 1)
			taken += take_all(&f->reader, &last);
	}
	taken += take_all(&f->reader, &last);
	assert_int_equal(taken + f->reader.lost, sent);
	assert_true(f->reader.lost > 0);
}

/* Killed anywhere, with a reader beside it: nothing that is not whole is seen, and what follows is. */
static void test_a_writer_killed_in_the_middle(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, taken = 0, from = 0;
	for (unsigned round = 0; round < 40; round++) {
		pid_t pid = fork();
		if (pid == 0) {
			for (uint64_t number = from;; number++)
				send_one(&f->writer, number);
		}
		/* One at least comes to send; of the others some are killed before, on a busy machine most. */
		do
			taken += take_all(&f->reader, &last);
		while (round == 0 && taken == 0);
		for (unsigned i = 0; i < 4; i++)
			taken += take_all(&f->reader, &last);
		usleep(round * 53 % 700);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		taken += take_all(&f->reader, &last);
		parcel_attach(&f->writer, (struct ring_control *)f->map, f->map + CONTROL_BYTES, SLOTS);
		from = f->writer.parcel;
		assert_int_equal(taken + f->reader.lost, from);
		assert_true(from == 0 || last == from - 1);
	}
	assert_true(taken > 0);
	assert_int_equal(f->reader.broken, 0);
}

/* Lapped before it took anything: what it missed since it began is known. */
static void test_a_reader_that_is_lapped_at_once(void **state)
{
	struct fixture *f = *state;
	for (uint64_t before = 0; before < 30; before += 7) {
		uint64_t last = 0, first = f->writer.parcel;
		reader_begin(f);
		size_t there = take_all(&f->reader, &last);
		reader_begin(f);
		for (uint64_t number = 0; number < 40; number++)
			send_one(&f->writer, first + number);
		size_t taken = take_all(&f->reader, &last);
		assert_int_equal(taken + f->reader.lost, there + 40);
		assert_true(f->reader.lost > 0);
	}
}

/* A reader that begins late begins with a whole one. */
static void test_a_reader_begins_anywhere(void **state)
{
	struct fixture *f = *state;
	uint64_t last;
	for (uint64_t number = 0; number < 100; number++) {
		send_one(&f->writer, number);
		reader_begin(f);
		assert_true(take_all(&f->reader, &last) >= 1);
		assert_int_equal(last, number);
		assert_int_equal(f->reader.lost + f->reader.broken, 0);
	}
}

/* Any word of any slot may hold anything: no more than was sent is taken, and it ends. */
static void test_hostile_slots(void **state)
{
	static const uint64_t values[] = {0, 1, 255, 1024, PARCEL_BYTES_MOST, UINT32_MAX, UINT64_MAX, UINT64_MAX - 1};
	struct fixture *f = *state;
	struct slice parcel;
	for (size_t at = 0; at < 3; at++) {
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			for (uint64_t number = 0; number < 10; number++)
				send_one(&f->writer, number);
			uint64_t newest = f->writer.ring.next - 5;
			memcpy((uint64_t *)(void *)slot_at(f, newest) + at, &values[v], sizeof(uint64_t));
			size_t taken = 0;
			int r;
			while ((r = parcel_reader_take(&f->reader, &parcel)) > 0) {
				assert_true(parcel.len > 0 && parcel.len <= PARCEL_BYTES_MOST);
				taken++;
			}
			assert_int_equal(r, 0);
			assert_true(taken <= 10);
		}
	}
	assert_true(f->reader.broken > 0);
	assert_true(f->reader.lost <= f->writer.parcel);
	/* And then all is as it was. */
	uint64_t before = f->reader.lost, last = 0;
	for (uint64_t number = 0; number < 3; number++)
		send_one(&f->writer, number);
	assert_int_equal(take_all(&f->reader, &last), 3);
	assert_true(f->reader.lost <= before + 1);
}

static void test_a_file_cut_short(void **state)
{
	struct fixture *f = *state;
	struct slice parcel;
	send_one(&f->writer, 4);
	assert_int_equal(ftruncate(f->fd, CONTROL_BYTES + 100), 0);
	assert_int_equal(parcel_reader_take(&f->reader, &parcel), -EIO);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(test_all_arrive_whole_and_in_order), CASE(test_losses_are_counted_exactly),
	  CASE(test_what_is_too_long_or_empty_is_refused), CASE(test_numbers_outlive_writers),
	  CASE(test_a_writer_killed_in_the_middle), CASE(test_a_reader_that_is_lapped_at_once),
	  CASE(test_a_reader_begins_anywhere), CASE(test_hostile_slots), CASE(test_a_file_cut_short))
