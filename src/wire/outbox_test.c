#include "wire/outbox.h"

#include "base/error.h"
#include "base/test.h"
#include "wire/inbox.h"
#include "wire/outbox_layout.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct outbox_sizes sizes = {64, 8, 512};
static const struct outbox_names none = {NULL, 0};
static char folder[64];
static int directory;
static struct outbox_control control;

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/guia-outbox-XXXXXX");
	assert_non_null(mkdtemp(folder));
	directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(directory >= 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	DIR *list = opendir(folder);
	for (struct dirent *entry; (entry = readdir(list)) != NULL;)
		if (entry->d_name[0] != '.')
			unlinkat(directory, entry->d_name, 0);
	closedir(list);
	close(directory);
	return rmdir(folder);
}

static struct outbox open_one(int expected)
{
	struct outbox outbox = {0};
	assert_int_equal(outbox_open(folder, &sizes, none, 1, &outbox), expected);
	return outbox;
}

static size_t file_count(void)
{
	size_t count = 0;
	DIR *list = opendir(folder);
	for (struct dirent *entry; (entry = readdir(list)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(list);
	return count;
}

static void event_send(struct outbox *outbox, uint64_t request)
{
	struct event *event = ring_begin(&outbox->events);
	event->request = request;
	ring_commit(&outbox->events);
}

static void test_what_is_sent_is_received(void **state)
{
	(void)state;
	struct outbox outbox = open_one(0);
	struct inbox inbox;
	struct event events[64];
	struct head head;
	struct hash_key key;
	uint16_t site = outbox_site(&outbox, SLICE("www.example.gov.mo"));
	assert_int_equal(site, 1);
	assert_int_equal(outbox_site(&outbox, SLICE("www.example.gov.mo")), 1);
	assert_int_equal(outbox_site(&outbox, SLICE("")), 0);
	assert_int_equal(inbox_open(directory, 0, &inbox), 0);
	assert_int_equal(inbox_writer(&inbox), getpid());
	for (uint64_t i = 0; i < 40; i++)
		event_send(&outbox, i);
	counter_add(&outbox_counters(&outbox, site)->arrived, 40);
	ring_begin(&outbox.heads);
	ring_commit(&outbox.heads);
	assert_int_equal(ring_reader_take(&inbox.events, events, 64), 40);
	assert_int_equal(events[39].request, 39);
	assert_int_equal(ring_reader_take(&inbox.heads, &head, 1), 1);
	assert_int_equal(inbox_read_control(&inbox, &control), 0);
	assert_int_equal(atomic_load(&control.site_count), 2);
	assert_slice(inbox_site_name(&control, 1), "www.example.gov.mo");
	assert_slice(inbox_site_name(&control, 2), "");
	assert_int_equal(counter_get(&control.sites[1].counters.arrived), 40);
	assert_int_equal(inbox_read_key(directory, &key), 0);
	assert_memory_equal(&key, &outbox.key, sizeof(key));
	inbox_close(&inbox);
	outbox_close(&outbox);
}

static void test_the_table_of_sites_has_an_end(void **state)
{
	(void)state;
	struct outbox outbox = open_one(0);
	char name[400];
	for (unsigned i = 1; i < OUTBOX_SITES + 20; i++) {
		memset(name, 'a', sizeof(name));
		snprintf(name, sizeof(name), "%u", i);
		name[strlen(name)] = '.';
		assert_int_equal(outbox_site(&outbox, slice_make(name, sizeof(name))), i < OUTBOX_SITES ? i : 0);
	}
	assert_ptr_equal(outbox_counters(&outbox, OUTBOX_SITES), outbox_counters(&outbox, 0));
	outbox_close(&outbox);
}

static uint64_t arrived(struct slice name)
{
	for (uint16_t i = 0; i < atomic_load(&control.site_count); i++)
		if (slice_equal(inbox_site_name(&control, i), name))
			return counter_get(&control.sites[i].counters.arrived);
	return 0;
}

static void names_make(unsigned first, unsigned count, char texts[][16], struct slice *names)
{
	for (unsigned i = 0; i < count; i++) {
		snprintf(texts[i], 16, "site-%u", first + i);
		names[i] = slice_from_string(texts[i]);
	}
}

/* As a worker of the configuration with these does. */
static void serve_names(const struct slice *names, size_t count)
{
	struct outbox outbox;
	assert_int_equal(outbox_open(folder, &sizes, (struct outbox_names){names, count}, 1, &outbox), 0);
	assert_int_equal(outbox.file, 0);
	for (size_t i = 0; i < count; i++) {
		uint16_t site = outbox_site(&outbox, names[i]);
		assert_true(i >= OUTBOX_SITES - 1 || site > 0);
		counter_add(&outbox_counters(&outbox, site)->arrived, 1);
	}
	counter_add(&outbox.connections->accepted, count);
	counter_add(&outbox.connections->closed, count);
	hit_table_add(outbox.hits, 7, 1);
	outbox_close(&outbox);
}

static void test_sites_that_are_served_no_more_make_room(void **state)
{
	(void)state;
	enum { EACH = 100, TIMES = 9 };
	struct inbox inbox;
	struct stat before, after;
	char texts[EACH][16];
	struct slice names[EACH];
	for (unsigned time = 0; time < TIMES; time++) {
		names_make(time * (EACH - 1), EACH, texts, names); /* the last of those before is the first */
		serve_names(names, EACH);
		assert_int_equal(inbox_open(directory, 0, &inbox), 0);
		assert_int_equal(inbox_read_control(&inbox, &control), 0);
		for (unsigned i = 0; i < EACH; i++)
			assert_int_equal(arrived(names[i]), i == 0 && time > 0 ? 2 : 1);
		assert_slice(inbox_site_name(&control, 0), "");
		assert_int_equal(counter_get(&control.lives), time + 1);
		assert_int_equal(counter_get(&control.connections.accepted), EACH * (time + 1));
		assert_int_equal(counter_get(&control.connections.abandoned), 0);
		assert_int_equal(inbox_hits(&inbox, 7), time + 1);
		inbox_close(&inbox);
	}
	/* nothing is gained by another file for the same names */
	assert_int_equal(fstatat(directory, "worker-0", &before, 0), 0);
	serve_names(names, EACH);
	assert_int_equal(fstatat(directory, "worker-0", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(file_count(), 2); /* and the key */
}

static void test_more_sites_than_any_table_has_keep_their_file(void **state)
{
	(void)state;
	enum { MANY = OUTBOX_SITES + 40 };
	static char texts[MANY][16];
	static struct slice names[MANY];
	struct inbox inbox;
	names_make(0, MANY, texts, names);
	serve_names(names, MANY);
	assert_int_equal(inbox_open(directory, 0, &inbox), 0);
	serve_names(names, MANY);
	assert_int_equal(inbox_check(&inbox, directory, 0), 0);
	inbox_close(&inbox);
}

/* A child that opens an outbox, counts, sends, and does not end by itself. Returns when it has said so. */
static pid_t worker_start(int *ret_file)
{
	int said[2];
	assert_int_equal(pipe(said), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct outbox outbox;
		int r = outbox_open(folder, &sizes, none, 1, &outbox), file = r < 0 ? r : (int)outbox.file;
		if (r >= 0) {
			struct site_counters *c = outbox_counters(&outbox, outbox_site(&outbox, SLICE("one")));
			counter_add(&c->arrived, 5);
			counter_add(&c->ended[EVENT_PASSED][EVENT_NO_REASON], 3);
			counter_add(&outbox.connections->accepted, 4);
			counter_add(&outbox.connections->closed, 1);
			counter_set(&outbox.connections->now[STATE_IDLE], 3);
			counter_set(&outbox.load->origins_of[1], counter_get(&outbox.load->origins_of[1]) + 4);
			counter_set(&outbox.load->origins[2].at_most, 50);
			for (uint64_t i = 0; i < 5; i++)
				event_send(&outbox, i);
		}
		if (write(said[1], &file, sizeof(file)) == sizeof(file))
			pause();
		_exit(1);
	}
	close(said[1]);
	assert_int_equal(read(said[0], ret_file, sizeof(*ret_file)), sizeof(*ret_file));
	close(said[0]);
	return pid;
}

static void worker_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_sums_outlive_workers(void **state)
{
	(void)state;
	struct inbox inbox;
	struct load_gauges load;
	struct event events[64];
	int file;
	for (unsigned life = 1; life <= 3; life++) {
		pid_t pid = worker_start(&file);
		assert_int_equal(file, 0);
		if (life == 1)
			assert_int_equal(inbox_open(directory, 0, &inbox), 0);
		assert_int_equal(inbox_writer(&inbox), pid);
		worker_kill(pid);
		assert_int_equal(inbox_writer(&inbox), 0);
		/* a gauge is of the living one */
		assert_int_equal(inbox_read_load(&inbox, &load), 0);
		assert_int_equal(counter_get(&load.origins_of[1]), 4);
		assert_int_equal(counter_get(&load.origins[2].at_most), 50);
		assert_int_equal(ring_reader_take(&inbox.events, events, 64), 5);
		assert_int_equal(inbox_read_control(&inbox, &control), 0);
		const struct site_counters *c = &control.sites[1].counters;
		assert_int_equal(counter_get(&control.lives), life);
		assert_int_equal(counter_get(&c->arrived), 5 * life);
		assert_int_equal(counter_get(&c->ended[EVENT_PASSED][EVENT_NO_REASON]), 3 * life);
		assert_int_equal(counter_get(&c->abandoned), 2 * (life - 1));
		assert_int_equal(counter_get(&control.connections.abandoned), 3 * (life - 1));
	}
	assert_int_equal(inbox_check(&inbox, directory, 0), 0);
	inbox_close(&inbox);
	assert_int_equal(file_count(), 2); /* and the key */
}

static void test_many_workers_at_once(void **state)
{
	enum { WORKERS = 8 };
	(void)state;
	pid_t pids[WORKERS];
	bool seen[WORKERS] = {false};
	for (int round = 0; round < 2; round++) {
		memset(seen, 0, sizeof(seen));
		for (size_t i = 0; i < WORKERS; i++) {
			int file;
			pids[i] = worker_start(&file);
			assert_in_range(file, 0, WORKERS - 1);
			assert_false(seen[file]);
			seen[file] = true;
		}
		for (size_t i = 0; i < WORKERS; i++)
			worker_kill(pids[i]);
		assert_int_equal(file_count(), WORKERS + 1);
	}
}

/* All at the same moment, for a file each that is not there yet; and killed at any point of it. */
static void test_workers_start_in_a_race(void **state)
{
	enum { WORKERS = 6 };
	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		pid_t pids[WORKERS];
		for (size_t i = 0; i < WORKERS; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				struct outbox outbox;
				int r = outbox_open(folder, &sizes, none, 1, &outbox);
				usleep(3000);
				_exit(r != 0);
			}
		}
		bool kills = round % 2 == 0;
		usleep(round * 97 % 1000);
		for (size_t i = 0; i < WORKERS; i++) {
			int status;
			if (kills)
				kill(pids[i], SIGKILL);
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_true(kills || status == 0);
		}
	}
	struct outbox outbox = open_one(0);
	assert_int_equal(outbox.file, 0);
	outbox_close(&outbox);
}

static void file_write(const char *name, const void *bytes, size_t len, off_t at)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT, 0640);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void test_foreign_files_are_replaced(void **state)
{
	(void)state;
	struct inbox inbox;
	struct outbox outbox;
	file_write("worker-0", "something else", 14, 0);
	assert_int_equal(inbox_open(directory, 0, &inbox), INBOX_FOREIGN);
	outbox = open_one(OUTBOX_REPLACED);
	outbox_close(&outbox);
	/* Every byte of the header counts. */
	for (size_t at = 0; at < sizeof(struct outbox_header); at += 3) {
		assert_int_equal(inbox_open(directory, 0, &inbox), 0);
		uint8_t byte;
		assert_int_equal(pread(inbox.fd, &byte, 1, (off_t)at), 1);
		byte ^= 0x41;
		file_write("worker-0", &byte, 1, (off_t)at);
		struct inbox other;
		assert_int_equal(inbox_open(directory, 0, &other), INBOX_FOREIGN);
		outbox = open_one(OUTBOX_REPLACED);
		assert_int_equal(inbox_check(&inbox, directory, 0), INBOX_CHANGED);
		inbox_close(&inbox);
		outbox_close(&outbox);
	}
	outbox = open_one(0);
	outbox_close(&outbox);
	assert_int_equal(file_count(), 2);
}

static void test_a_file_cut_short(void **state)
{
	(void)state;
	struct outbox outbox = open_one(0);
	struct inbox inbox, other;
	struct event events[4];
	event_send(&outbox, 1);
	assert_int_equal(inbox_open(directory, 0, &inbox), 0);
	outbox_close(&outbox);
	char path[128];
	snprintf(path, sizeof(path), "%s/worker-0", folder);
	assert_int_equal(truncate(path, 4200), 0);
	assert_int_equal(inbox_check(&inbox, directory, 0), INBOX_CHANGED);
	assert_int_equal(inbox_read_control(&inbox, &control), -EIO);
	assert_int_equal(ring_reader_take(&inbox.events, events, 4), -EIO);
	assert_int_equal(inbox_open(directory, 0, &other), INBOX_FOREIGN);
	inbox_close(&inbox);
	outbox = open_one(OUTBOX_REPLACED);
	outbox_close(&outbox);
}

static void test_directories_that_do_not_do(void **state)
{
	(void)state;
	struct outbox outbox;
	char path[128];
	assert_int_equal(outbox_open("/nowhere/at/all", &sizes, none, 1, &outbox), -ENOENT);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(outbox_open(folder, &sizes, none, 1, &outbox), -EPERM);
	assert_int_equal(chmod(folder, 0770), 0);
	assert_int_equal(outbox_open(folder, &sizes, none, 1, &outbox), -EPERM);
	assert_int_equal(chmod(folder, 02750), 0);
	snprintf(path, sizeof(path), "%s/worker-0", folder);
	assert_int_equal(outbox_open(path, &sizes, none, 1, &outbox), -ENOENT);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(outbox_open(folder, &sizes, none, 1, &outbox), -ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(outbox_open(folder, &sizes, none, 1, &outbox), -EPERM);
	struct inbox inbox;
	assert_int_equal(inbox_open(directory, 0, &inbox), INBOX_FOREIGN);
	unlink(path);
	/* Whoever may look into it may read: its group, here. */
	struct stat st;
	umask(077);
	outbox = open_one(0);
	outbox_close(&outbox);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	unlink(path);
	assert_int_equal(chmod(folder, 0700), 0);
	outbox = open_one(0);
	outbox_close(&outbox);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* The file would pass what may be written: nothing is left, and nothing is mapped that is not there. */
static void test_no_room(void **state)
{
	(void)state;
	struct outbox outbox;
	struct rlimit before, little = {8192, 0};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	int r = outbox_open(folder, &sizes, none, 1, &outbox);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(file_count(), 1); /* the key */
	outbox = open_one(0);
	outbox_close(&outbox);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(test_what_is_sent_is_received), CASE(test_the_table_of_sites_has_an_end),
	  CASE(test_sites_that_are_served_no_more_make_room), CASE(test_more_sites_than_any_table_has_keep_their_file),
	  CASE(test_sums_outlive_workers), CASE(test_many_workers_at_once), CASE(test_workers_start_in_a_race),
	  CASE(test_foreign_files_are_replaced), CASE(test_a_file_cut_short), CASE(test_directories_that_do_not_do),
	  CASE(test_no_room))
