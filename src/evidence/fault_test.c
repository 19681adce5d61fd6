/*
 * The process is killed at each call by which the log reaches the disk in turn, before it, in the midst of a write, and
 * after it; and each call in turn fails, once and for a while. What was said to be sealed is there afterwards, the log
 * verifies, and what is not known is stated.
 */
#include "base/clock.h"
#include "evidence/test_log.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum fault { KILLED_BEFORE, KILLED_MIDWAY, KILLED_AFTER, FAILS_ONCE, FAILS_A_WHILE, SHORT_WRITE, FAULTS };
enum { RECORDS = 700, WHILE = 6, DENSE = 60, STRIDE = 9, PATIENCE_MS = 120000 };

/* Shared with the process that dies. */
static struct shared {
	atomic_uint sealed; /* records of the test's own */
	atomic_bool opened;
	atomic_bool hit;
} * shared;

static enum fault fault;
static unsigned fault_at;
static atomic_uint calls;

static void die(void)
{
	(void)kill(getpid(), SIGKILL);
}

/* 0: the call is to be made; else what it returns. */
static int before(void)
{
	unsigned call = atomic_fetch_add(&calls, 1) + 1;
	bool now = call == fault_at || (fault == FAILS_A_WHILE && call > fault_at && call < fault_at + WHILE);
	if (now)
		atomic_store(&shared->hit, true);
	if (now && (fault == KILLED_BEFORE || fault == KILLED_MIDWAY))
		die();
	return now && (fault == FAILS_ONCE || fault == FAILS_A_WHILE) ? -EIO : 0;
}

static int after(int result)
{
	if (fault == KILLED_AFTER && atomic_load(&calls) == fault_at)
		die();
	return result;
}

static int faulty_open(int folder, const char *path, int flags, mode_t mode)
{
	int r = before();
	return r != 0 ? r : after(disk_kernel.open(folder, path, flags, mode));
}

static ssize_t faulty_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	unsigned call = atomic_load(&calls) + 1;
	if (call == fault_at && (fault == KILLED_MIDWAY || fault == SHORT_WRITE)) {
		struct iovec half = {parts[count - 1].iov_base, parts[count - 1].iov_len / 2};
		if (count > 1)
			half = parts[0];
		atomic_store(&shared->hit, true);
		ssize_t put = disk_kernel.pwritev(fd, &half, 1, offset);
		if (fault == KILLED_MIDWAY)
			die();
		atomic_fetch_add(&calls, 1);
		return put > 0 ? put : -EINTR;
	}
	int r = before();
	if (r != 0)
		return r;
	ssize_t put = disk_kernel.pwritev(fd, parts, count, offset);
	(void)after(0);
	return put;
}

static int faulty_fdatasync(int fd)
{
	int r = before();
	return r != 0 ? r : after(disk_kernel.fdatasync(fd));
}

static int faulty_syncfs(int fd)
{
	int r = before();
	(void)fd;
	return r != 0 ? r : after(0);
}

static int faulty_truncate(int fd, off_t len)
{
	int r = before();
	return r != 0 ? r : after(disk_kernel.truncate(fd, len));
}

static int faulty_mkdir(int folder, const char *path, mode_t mode)
{
	int r = before();
	return r != 0 ? r : after(disk_kernel.mkdir(folder, path, mode));
}

static int faulty_rename(int folder, const char *from, const char *to, unsigned flags)
{
	int r = before();
	return r != 0 ? r : after(disk_kernel.rename(folder, from, to, flags));
}

static int faulty_unlink(int folder, const char *path)
{
	int r = before();
	return r != 0 ? r : after(disk_kernel.unlink(folder, path));
}

static const struct disk_calls faulty = {faulty_open,     faulty_pwritev, faulty_fdatasync, faulty_syncfs,
					 faulty_truncate, faulty_mkdir,   faulty_rename,    faulty_unlink};

/* As the writer does: what fails is tried again. The thread that settles the other half may be as slow as it is. */
static void seal_patiently(struct log *log)
{
	uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
	while (log_seal(log, LOG_KEEPS_RESERVE) != 0) {
		if (clock_monotonic_ms() > end_ms)
			_exit(3);
		(void)log_sign(log);
		usleep(500);
	}
}

static void child(const struct test_place *place)
{
	static const struct leaf_value why[LEAF_FIELDS_MOST] = {{.bytes = SLICE_INIT("a test ended")}};
	const struct log_config config = test_config(place, &faulty);
	struct log *log;
	if (log_open(&config, TEST_NOW_MS, &log) != 0)
		_exit(0);
	seal_patiently(log);
	atomic_store(&shared->opened, true);
	for (unsigned i = 0; i < RECORDS; i++) {
		if (test_add(log, i, TEST_NOW_MS + i) != 0)
			_exit(3);
		if (i % 25 != 24)
			continue;
		seal_patiently(log);
		atomic_store(&shared->sealed, i + 1);
		if (i % 100 == 99)
			(void)log_sign(log);
	}
	(void)log_add_values(log, LEAF_CLOSE, TEST_NOW_MS + RECORDS, why);
	seal_patiently(log);
	(void)log_sign(log);
	log_close(log);
	_exit(0);
}

static bool run_child(const struct test_place *place)
{
	int status;
	atomic_store(&shared->sealed, 0);
	atomic_store(&shared->opened, false);
	atomic_store(&shared->hit, false);
	atomic_store(&calls, 0);
	pid_t pid = fork();
	if (pid == 0)
		child(place);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return atomic_load(&shared->hit);
}

static bool told(const struct verify_report *report, const char *text)
{
	return slice_find(buffer_slice(&report->text), slice_from_string(text), 0) < report->text.len;
}

/* Every record that was sealed is there, in order, behind the two that open the log. */
static void assert_records(const struct test_place *place, unsigned count)
{
	struct buffer bytes = buffer_make(NULL);
	struct slice record = slice_make(NULL, 0);
	char expected[32];
	unsigned width, seen = 0;
	int folder = verify_open_epoch(place->log, 1);
	for (uint64_t number = 0; seen < count; number++) {
		buffer_clear(&bytes);
		assert_int_equal(walk_read_bundle(folder, number, &bytes, &width), 0);
		for (struct reader r = reader_make(buffer_slice(&bytes)); seen < count && bundle_next(&r, &record);) {
			snprintf(expected, sizeof(expected), "\"why\":\"%06u\"}", seen);
			seen += slice_ends_with(record, slice_from_string(expected));
		}
		assert_true(seen == count || width == TILE_WIDTH);
	}
	close(folder);
	buffer_free(&bytes);
}

static void check(const struct test_place *place, bool killed)
{
	const struct verify_options options = {{NULL, 0}, NULL, NULL};
	struct verify_report report;
	unsigned sealed = atomic_load(&shared->sealed);
	test_write(place, 3, TEST_NOW_MS + 10000, true);
	assert_int_equal(verify_log(place->log, &options, &report), 0);
	if (report.finding != FINDING_NONE)
		fail_msg("fault %d at call %u: %.*s", fault, fault_at, SLICE_ARG(buffer_slice(&report.text)));
	if (killed && sealed > 0 && sealed < RECORDS && !told(&report, "the log was not closed"))
		fail_msg("fault %d at call %u: no gap is stated", fault, fault_at);
	verify_report_free(&report);
	if (sealed > 0)
		assert_records(place, sealed);
}

static void at_every_call(enum fault kind)
{
	bool hit = true;
	fault = kind;
	for (fault_at = 1; hit; fault_at += fault_at < DENSE ? 1 : STRIDE) {
		struct test_place place = test_place_make();
		hit = run_child(&place);
		check(&place, kind <= KILLED_AFTER);
		test_remove(place.folder);
	}
	assert_true(fault_at > DENSE);
}

#define FAULT_CASE(name, kind)                                                                                         \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		at_every_call(kind);                                                                                   \
	}

FAULT_CASE(killed_before_each_call, KILLED_BEFORE)
FAULT_CASE(killed_in_the_midst_of_each_write, KILLED_MIDWAY)
FAULT_CASE(killed_after_each_call, KILLED_AFTER)
FAULT_CASE(each_call_fails_once, FAILS_ONCE)
FAULT_CASE(each_call_fails_for_a_while, FAILS_A_WHILE)
FAULT_CASE(each_write_is_short, SHORT_WRITE)

static int set_up(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest unit_tests[] = {
		cmocka_unit_test(killed_before_each_call),     cmocka_unit_test(killed_in_the_midst_of_each_write),
		cmocka_unit_test(killed_after_each_call),      cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(each_call_fails_for_a_while), cmocka_unit_test(each_write_is_short),
	};
	return cmocka_run_group_tests(unit_tests, set_up, NULL);
}
