#include "wire/collection_table.h"

#include "base/error.h"
#include "base/test.h"
#include "wire/collection_region.h"

#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { REGION_BYTES = COLLECTION_REGION_MIN_BYTES, TRIALS = 1500 };

/* A lock in shared memory that, like nginx's, can be opened for a process that died. */
struct shared {
	pid_t owner;
	uint32_t inside; /* set while a change may be in progress */
	uint32_t done;   /* changes completed by the child */
};

static void shared_lock(void *context)
{
	struct shared *s = context;
	pid_t none = 0;
	while (!__atomic_compare_exchange_n(&s->owner, &none, getpid(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		none = 0;
		sched_yield();
	}
	s->inside = 1;
}

static void shared_unlock(void *context)
{
	struct shared *s = context;
	s->inside = 0;
	__atomic_store_n(&s->owner, 0, __ATOMIC_SEQ_CST);
}

static void *mapped(size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	return map;
}

static struct shared *shared;
static uint8_t *region;
static struct collection_table table;

static int attach(struct collection_table *t)
{
	const struct collection_lock lock = {shared_lock, shared_unlock, shared};
	return collection_table_attach(t, region, REGION_BYTES, &lock);
}

static int set_up(void **state)
{
	(void)state;
	shared = mapped(sizeof(*shared));
	region = mapped(REGION_BYTES);
	return attach(&table) != COLLECTION_TABLE_NEW;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(shared, sizeof(*shared));
	return munmap(region, REGION_BYTES);
}

static struct collection_id ip(const char *key)
{
	return (struct collection_id){COLLECTION_IP, slice_make(NULL, 0), slice_from_string(key)};
}

/* "name=value name=value", in the record's order; "-" if there is no record. */
static const char *listed(struct collection_table *t, const struct collection_id *id, uint64_t now_ms)
{
	static char text[COLLECTION_RECORD_BYTES * 2];
	struct collection_snapshot snapshot;
	struct slice name, value;
	size_t len = 0;
	if (collection_table_read(t, id, now_ms, &snapshot) == 0)
		return "-";
	text[0] = 0;
	for (size_t cursor = 0; collection_snapshot_next(&snapshot, &cursor, &name, &value);)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s=%.*s", len > 0 ? " " : "",
					SLICE_ARG(name), SLICE_ARG(value));
	return text;
}

static void values_are_set_added_and_removed(void **state)
{
	(void)state;
	struct collection_id id = ip("192.0.2.1");
	int64_t sum;
	assert_string_equal(listed(&table, &id, 1), "-");
	assert_int_equal(collection_table_set(&table, &id, SLICE("a"), SLICE("one"), 1), 0);
	assert_int_equal(collection_table_add(&table, &id, SLICE("n"), 5, 1, &sum), 0);
	assert_int_equal(sum, 5);
	assert_int_equal(collection_table_add(&table, &id, SLICE("N"), -7, 1, &sum), 0);
	assert_int_equal(sum, -2);
	assert_string_equal(listed(&table, &id, 1), "a=one N=-2");
	assert_int_equal(collection_table_set(&table, &id, SLICE("A"), SLICE(""), 1), 0);
	assert_string_equal(listed(&table, &id, 1), "N=-2 A=");
	assert_int_equal(collection_table_remove(&table, &id, SLICE("n"), 1), 1);
	assert_int_equal(collection_table_remove(&table, &id, SLICE("n"), 1), 0);
	assert_string_equal(listed(&table, &id, 1), "A=");
	assert_int_equal(collection_table_verify(&table), 0);
}

static void numbers_are_read_as_far_as_they_go(void **state)
{
	(void)state;
	struct collection_id id = ip("k");
	static const struct {
		const char *before;
		int64_t delta, sum;
	} rows[] = {
		{"12abc", 1, 13},
		{"abc", 3, 3},
		{"", -1, -1},
		{" \t-4", 1, -3},
		{"+9", 1, 10},
		{"-", 2, 2},
		{"9223372036854775807", 1, INT64_MAX},
		{"99999999999999999999", -1, INT64_MAX - 1},
		{"-99999999999999999999", -1, INT64_MIN},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t sum;
		collection_table_set(&table, &id, SLICE("n"), slice_from_string(rows[i].before), 1);
		assert_int_equal(collection_table_add(&table, &id, SLICE("n"), rows[i].delta, 1, &sum), 0);
		assert_true(sum == rows[i].sum);
	}
}

static void records_are_kept_apart(void **state)
{
	(void)state;
	struct collection_id ids[] = {
		{COLLECTION_IP, SLICE_INIT("a"), SLICE_INIT("bc")},
		{COLLECTION_IP, SLICE_INIT("ab"), SLICE_INIT("c")},
		{COLLECTION_GLOBAL, SLICE_INIT("a"), SLICE_INIT("bc")},
		{COLLECTION_SESSION, {NULL, 0}, SLICE_INIT("aB")},
		{COLLECTION_SESSION, {NULL, 0}, SLICE_INIT("Ab")},
		{COLLECTION_USER, {NULL, 0}, {NULL, 0}},
		{COLLECTION_RESOURCE, {NULL, 0}, SLICE_INIT("a\0b")},
	};
	enum { COUNT = sizeof(ids) / sizeof(ids[0]) };
	for (int i = 0; i < COUNT; i++)
		collection_table_add(&table, &ids[i], SLICE("n"), i + 10, 1, NULL);
	for (int i = 0; i < COUNT; i++) {
		char expected[16];
		snprintf(expected, sizeof(expected), "n=%d", i + 10);
		assert_string_equal(listed(&table, &ids[i], 1), expected);
	}
	assert_int_equal(collection_table_facts(&table).records, COUNT);
}

static void values_and_records_expire(void **state)
{
	(void)state;
	struct collection_id id = ip("k");
	collection_table_set(&table, &id, SLICE("a"), SLICE("1"), 1000);
	collection_table_set(&table, &id, SLICE("b"), SLICE("2"), 1000);
	assert_int_equal(collection_table_expire(&table, &id, SLICE("A"), 10, 1000), 0);
	assert_int_equal(collection_table_expire(&table, &id, SLICE("absent"), 10, 1000), 0);
	assert_string_equal(listed(&table, &id, 10999), "a=1 b=2");
	assert_string_equal(listed(&table, &id, 11000), "b=2");
	collection_table_add(&table, &id, SLICE("a"), 1, 10000, NULL); /* keeps its expiry */
	assert_string_equal(listed(&table, &id, 10999), "b=2 a=2");
	collection_table_add(&table, &id, SLICE("a"), 1, 11000, NULL); /* begins again, without one */
	assert_string_equal(listed(&table, &id, 99999), "b=2 a=1");
	assert_int_equal(collection_table_timeout(&table, &id, 60, 100000), 0);
	assert_string_equal(listed(&table, &id, 159999), "b=2 a=1");
	assert_string_equal(listed(&table, &id, 160000), "-");
	assert_int_equal(collection_table_facts(&table).records, 0);
	struct collection_id other = ip("made by its timeout");
	collection_table_timeout(&table, &other, 1, 1000);
	assert_string_equal(listed(&table, &other, 1999), "");
	assert_int_equal(collection_table_expire(&table, &id, SLICE("a"), 1, 1), 0);
	assert_string_equal(listed(&table, &id, 1), "-");
	assert_int_equal(collection_table_verify(&table), 0);
}

static void what_is_too_large_changes_nothing(void **state)
{
	(void)state;
	static uint8_t big[COLLECTION_RECORD_BYTES + 1];
	memset(big, 'x', sizeof(big));
	struct collection_id id = ip("k");
	struct collection_id wide = {COLLECTION_IP, slice_make(big, 1000), slice_make(big, 25)};
	collection_table_set(&table, &id, SLICE("a"), SLICE("1"), 1);
	assert_int_equal(collection_table_set(&table, &wide, SLICE("a"), SLICE("1"), 1), -E2BIG);
	assert_string_equal(listed(&table, &wide, 1), "-");
	assert_int_equal(collection_table_set(&table, &id, slice_make(big, 256), SLICE("1"), 1), -E2BIG);
	assert_int_equal(collection_table_set(&table, &id, slice_make(NULL, 0), SLICE("1"), 1), -E2BIG);
	assert_int_equal(collection_table_set(&table, &id, SLICE("b"), slice_make(big, sizeof(big)), 1), -E2BIG);
	size_t most = COLLECTION_RECORD_BYTES - 1 - 12 - 2 - 12 - 1; /* the key, a=1, the head and name of b */
	assert_int_equal(collection_table_set(&table, &id, SLICE("b"), slice_make(big, most + 1), 1), -E2BIG);
	assert_string_equal(listed(&table, &id, 1), "a=1");
	assert_int_equal(collection_table_set(&table, &id, SLICE("b"), slice_make(big, most), 1), 0);
	assert_int_equal(collection_table_add(&table, &id, SLICE("c"), 1, 1, NULL), -E2BIG);
	assert_int_equal(strlen(listed(&table, &id, 1)), 3 + 1 + 2 + most);
	assert_int_equal(collection_table_verify(&table), 0);
}

static void the_least_recently_used_goes_first(void **state)
{
	(void)state;
	char key[32];
	struct collection_id first = ip("kept in use"), id;
	collection_table_set(&table, &first, SLICE("a"), SLICE("1"), 1);
	uint64_t cells = collection_table_facts(&table).cells;
	for (unsigned i = 0; i < 3 * cells; i++) {
		snprintf(key, sizeof(key), "10.0.%u.%u", i / 256, i % 256);
		id = ip(key);
		assert_int_equal(collection_table_add(&table, &id, SLICE("n"), 1, 1, NULL), 0);
		assert_string_equal(listed(&table, &first, 1), "a=1");
	}
	struct collection_table_facts facts = collection_table_facts(&table);
	assert_int_equal(facts.evicted, 3 * cells - facts.records + 1);
	assert_true(facts.records >= cells - 2);
	assert_string_equal(listed(&table, &id, 1), "n=1");
	id = ip("10.0.0.0");
	assert_string_equal(listed(&table, &id, 1), "-");
	assert_int_equal(collection_table_verify(&table), 0);
}

static void contents_survive_attaching_again(void **state)
{
	(void)state;
	struct collection_id id = ip("k");
	collection_table_set(&table, &id, SLICE("a"), SLICE("1"), 1);
	uint8_t *elsewhere = mapped(REGION_BYTES);
	struct collection_table again;
	assert_int_equal(attach(&again), COLLECTION_TABLE_KEPT);
	assert_string_equal(listed(&again, &id, 1), "a=1");
	memcpy(elsewhere, region, REGION_BYTES); /* nothing in it says where it is */
	const struct collection_lock lock = {shared_lock, shared_unlock, shared};
	assert_int_equal(collection_table_attach(&again, elsewhere, REGION_BYTES, &lock), COLLECTION_TABLE_KEPT);
	assert_string_equal(listed(&again, &id, 1), "a=1");
	assert_int_equal(collection_table_facts(&again).repairs, 0);
	munmap(elsewhere, REGION_BYTES);
}

static void other_forms_and_sizes_start_afresh(void **state)
{
	(void)state;
	struct collection_id id = ip("k");
	const struct collection_lock lock = {shared_lock, shared_unlock, shared};
	struct region_header *h = (struct region_header *)region;
	for (int round = 0; round < 3; round++) {
		collection_table_set(&table, &id, SLICE("a"), SLICE("1"), 1);
		if (round == 0)
			h->version++;
		if (round == 1)
			h->seed.k0++;
		int r = round == 2 ? collection_table_attach(&table, region, REGION_BYTES, &lock) : attach(&table);
		assert_int_equal(r, round == 2 ? COLLECTION_TABLE_KEPT : COLLECTION_TABLE_RESET);
		assert_string_equal(listed(&table, &id, 1), round == 2 ? "a=1" : "-");
		assert_int_equal(collection_table_verify(&table), 0);
	}
	uint8_t *larger = mapped(REGION_BYTES * 2);
	memcpy(larger, region, REGION_BYTES);
	assert_int_equal(collection_table_attach(&table, larger, REGION_BYTES * 2, &lock), COLLECTION_TABLE_RESET);
	assert_string_equal(listed(&table, &id, 1), "-");
	munmap(larger, REGION_BYTES * 2);
	assert_int_equal(collection_table_attach(&table, region, REGION_BYTES - 64, &lock), -EINVAL);
	assert_int_equal(collection_table_attach(&table, region + 8, REGION_BYTES, &lock), -EINVAL);
	assert_int_equal(collection_table_attach(&table, region, SIZE_MAX, &lock), -EINVAL);
}

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % bound;
}

/* Whatever stands in the region behind a sound header, nothing crashes or loops, and attaching makes it sound. */
static void any_bytes_are_survived(void **state)
{
	(void)state;
	char key[16];
	for (int round = 0; round < 300; round++) {
		for (int i = 0; i < 20; i++) {
			snprintf(key, sizeof(key), "k%u", random_below(30));
			struct collection_id id = ip(key);
			collection_table_set(&table, &id, SLICE("a"), slice_make(region, random_below(900)), 1);
		}
		for (uint32_t i = random_below(40); i > 0; i--) {
			size_t from = offsetof(struct region_header, changing);
			region[from + random_below((uint32_t)(REGION_BYTES - from))] ^=
				(uint8_t)(1 + random_below(255));
		}
		for (int i = 0; i < 20; i++) {
			snprintf(key, sizeof(key), "k%u", random_below(30));
			struct collection_id id = ip(key);
			struct collection_snapshot snapshot;
			collection_table_read(&table, &id, 1, &snapshot);
			collection_table_add(&table, &id, SLICE("n"), 1, 1, NULL);
			collection_table_remove(&table, &id, SLICE("a"), 1);
		}
		assert_int_equal(attach(&table), COLLECTION_TABLE_KEPT);
		assert_int_equal(collection_table_verify(&table), 0);
	}
}

/* Links that no look-up meets go bad: the free list's first, one within it, the order of use when room is needed. */
static void what_a_call_says_was_written_stands(void **state)
{
	(void)state;
	struct region_header *h = region_header(&table);
	const struct collection_id id = ip("192.0.2.1");
	static char long_value[2000];
	memset(long_value, 'x', sizeof(long_value));
	int64_t sum = 0;
	assert_int_equal(collection_table_add(&table, &id, SLICE("n"), 1, 1, &sum), 0);
	h->free_first = table.cells + 1;
	assert_int_equal(collection_table_add(&table, &id, SLICE("n"), 1, 1, &sum), 0);
	assert_int_equal(sum, 2);
	assert_string_equal(listed(&table, &id, 1), "n=2");
	region_cell(&table, h->free_first)->next = table.cells + 1;
	const struct collection_id other = ip("192.0.2.2");
	assert_int_equal(collection_table_set(&table, &other, SLICE("v"), slice_make(long_value, 2000), 1), 0);
	assert_int_equal(strlen(listed(&table, &other, 1)), 2002);
	assert_string_equal(listed(&table, &id, 1), "n=2");
	h->oldest = table.cells + 1;
	h->free_count = 0;
	assert_int_equal(collection_table_add(&table, &id, SLICE("n"), 1, 1, &sum), 0);
	assert_int_equal(sum, 3);
	assert_string_equal(listed(&table, &id, 1), "n=3");
	assert_int_equal(collection_table_facts(&table).repairs, 3);
	assert_int_equal(collection_table_verify(&table), 0);
}

static void increments_of_many_processes_add_up(void **state)
{
	(void)state;
	enum { CHILDREN = 4, TIMES = 3000 };
	struct collection_id id = ip("shared");
	for (int i = 0; i < CHILDREN; i++) {
		if (fork() == 0) {
			struct collection_table own;
			if (attach(&own) != COLLECTION_TABLE_KEPT)
				_exit(1);
			for (int n = 0; n < TIMES; n++)
				collection_table_add(&own, &id, SLICE("n"), 1, 1, NULL);
			_exit(0);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	char expected[32];
	snprintf(expected, sizeof(expected), "n=%d", CHILDREN * TIMES);
	assert_string_equal(listed(&table, &id, 1), expected);
	assert_int_equal(collection_table_verify(&table), 0);
}

/* Counts up records of several sizes for as long as it lives, evicting on the way. */
static void work_until_killed(void)
{
	static uint8_t filler[4000];
	for (uint32_t i = 0;; i++) {
		char key[16];
		snprintf(key, sizeof(key), "k%u", i % 300);
		struct collection_id id = ip(key), counter = ip("counter");
		collection_table_set(&table, &id, SLICE("filler"), slice_make(filler, i * 37 % 4000), 1);
		collection_table_add(&table, &counter, SLICE("n"), 1, 1, NULL);
		shared->done = i + 1;
	}
}

static bool has_begun(pid_t child)
{
	return shared->owner == child || shared->done > 0;
}

static void a_writer_may_be_killed_at_any_time(void **state)
{
	(void)state;
	struct collection_id counter = ip("counter");
	uint64_t total = 0;
	uint32_t inside = 0, begun = 0;
	for (unsigned trial = 0; begun < TRIALS; trial++) {
		shared->done = 0;
		pid_t child = fork();
		if (child == 0)
			work_until_killed();
		/* Of some it is not waited for that they begin: on a busy machine those are killed before. */
		while (trial % 4 != 0 && !has_begun(child))
			usleep(20);
		usleep(50 + random_below(400));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		inside += shared->owner == child && shared->inside;
		begun += has_begun(child);
		if (shared->owner == child)
			shared_unlock(shared); /* as nginx's master does */
		assert_int_equal(collection_table_verify(&table), 0);
		int64_t now = 0;
		collection_table_add(&table, &counter, SLICE("n"), 0, 1, &now);
		/* The one in progress may have been added or not, or its count not have been told yet. */
		assert_in_range(now, total + shared->done, total + shared->done + 1);
		total = (uint64_t)now;
	}
	printf("# killed inside %u times of %u, %llu repairs\n", inside, begun,
	       (unsigned long long)collection_table_facts(&table).repairs);
	assert_true(inside > begun / 20);
}

/* The change that is stopped after every instruction: it evicts, spreads over cells, and replaces a record. */
static void change_once(void)
{
	static uint8_t filler[700];
	struct collection_id id = ip("k5");
	collection_table_set(&table, &id, SLICE("b"), slice_make(filler, sizeof(filler)), 1);
}

static void assert_sound_copy(uint8_t *copy, uint32_t *before, uint32_t *after)
{
	const struct collection_lock lock = {shared_lock, shared_unlock, mapped(sizeof(struct shared))};
	struct collection_table t = {.region = copy, .lock = lock};
	region_measure(&t, REGION_BYTES);
	struct collection_id id = ip("k5"), other = ip("kept");
	const char *now = listed(&t, &id, 1); /* locks, so repairs */
	if (strcmp(now, "a=1") == 0)
		++*before;
	else if (strncmp(now, "a=1 b=", 6) == 0)
		++*after;
	else
		fail_msg("got [%s]", now);
	assert_string_equal(listed(&t, &other, 1), "a=kept");
	assert_int_equal(collection_table_verify(&t), 0);
	munmap(lock.context, sizeof(struct shared));
}

static void a_change_may_stop_at_every_store(void **state)
{
	(void)state;
	char key[16];
	struct collection_id id;
	for (int i = 0; i < 400; i++) { /* full */
		snprintf(key, sizeof(key), "f%d", i);
		id = ip(key);
		collection_table_set(&table, &id, SLICE("a"), SLICE("1"), 1);
	}
	id = ip("k5");
	collection_table_set(&table, &id, SLICE("a"), SLICE("1"), 1);
	id = ip("kept");
	collection_table_set(&table, &id, SLICE("a"), SLICE("kept"), 1);
	pid_t child = fork();
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(77);
		raise(SIGSTOP);
		change_once();
		_exit(0);
	}
	uint8_t *last = malloc(REGION_BYTES), *copy = mapped(REGION_BYTES);
	memcpy(last, region, REGION_BYTES);
	uint32_t states = 0, before = 0, after = 0;
	int status;
	for (;;) {
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSTOPPED(status))
			break;
		if (memcmp(last, region, REGION_BYTES) != 0) {
			memcpy(last, region, REGION_BYTES);
			memcpy(copy, region, REGION_BYTES);
			assert_sound_copy(copy, &before, &after);
			states++;
		}
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0)
			break;
	}
	free(last);
	munmap(copy, REGION_BYTES);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	printf("# %u states of the region: %u as before, %u as after\n", states, before, after);
	assert_true(before > 50 && after > 10);
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

TEST_MAIN(WITH_TABLE(values_are_set_added_and_removed), WITH_TABLE(numbers_are_read_as_far_as_they_go),
	  WITH_TABLE(records_are_kept_apart), WITH_TABLE(values_and_records_expire),
	  WITH_TABLE(what_is_too_large_changes_nothing), WITH_TABLE(the_least_recently_used_goes_first),
	  WITH_TABLE(contents_survive_attaching_again), WITH_TABLE(other_forms_and_sizes_start_afresh),
	  WITH_TABLE(any_bytes_are_survived), WITH_TABLE(what_a_call_says_was_written_stands),
	  WITH_TABLE(increments_of_many_processes_add_up), WITH_TABLE(a_writer_may_be_killed_at_any_time),
	  WITH_TABLE(a_change_may_stop_at_every_store))
