#include "evidence/stamper.h"

#include "evidence/checkpoint.h"
#include "evidence/test_log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { PATIENCE_MS = 60000 };

static struct test_place place;
static int folder, authority;
static char url[64];
static atomic_bool whole, torn, on_disk; /* the file that was written last, one before it, the folder since then */

static void authority_make(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	authority = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(authority, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(authority, 16), 0);
	assert_int_equal(getsockname(authority, (struct sockaddr *)&address, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
}

static int set_up(void **state)
{
	(void)state;
	place = test_place_make();
	test_write(&place, 10, TEST_NOW_MS, true);
	folder = verify_open_epoch(place.log, 1);
	authority_make();
	atomic_store(&whole, false);
	atomic_store(&torn, false);
	atomic_store(&on_disk, false);
	return folder < 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (authority >= 0)
		close(authority);
	close(folder);
	test_remove(place.folder);
	return 0;
}

/* What is signed now, and of how many records. */
static uint64_t signed_now(struct buffer *note)
{
	struct checkpoint checkpoint;
	*note = buffer_make(NULL);
	assert_int_equal(file_read_at(folder, "checkpoint", 10000, note), 0);
	assert_int_equal(checkpoint_read_note(buffer_slice(note), &checkpoint), 0);
	return checkpoint.size;
}

static void put_aside(uint64_t size, const char *ending, struct slice content)
{
	char name[64];
	snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".%s", size, ending);
	assert_int_equal(disk_place(&disk_kernel, folder, name, content), 0);
}

static bool is_kept(uint64_t size, const char *ending, struct slice content)
{
	char name[64];
	struct buffer found = buffer_make(NULL);
	snprintf(name, sizeof(name), "timestamps/%" PRIu64 ".%s", size, ending);
	bool same = file_read_at(folder, name, 10000, &found) == 0 && slice_equal(buffer_slice(&found), content);
	buffer_free(&found);
	return same;
}

/* Whether the next that is asked to be stamped is that note. It is given no answer. */
static bool asks_for(struct slice note)
{
	uint8_t hash[SHA256_DIGEST_LENGTH], bytes[4096];
	struct pollfd waits = {authority, POLLIN, 0};
	size_t len = 0;
	SHA256(note.ptr, note.len, hash);
	if (poll(&waits, 1, PATIENCE_MS) != 1)
		return false;
	int fd = accept(authority, NULL, NULL);
	bool found = false;
	for (ssize_t got = 1; !found && got > 0 && len<sizeof(bytes); len += got> 0 ? (size_t)got : 0) {
		found = slice_find(slice_make(bytes, len), slice_make(hash, sizeof(hash)), 0) < len;
		waits = (struct pollfd){fd, POLLIN, 0};
		got = found || poll(&waits, 1, PATIENCE_MS) != 1 ? 0 : recv(fd, bytes + len, sizeof(bytes) - len, 0);
	}
	close(fd);
	return found;
}

static struct stamper *begin(const struct disk_calls *disk)
{
	struct stamper *stamper;
	assert_int_equal(stamper_create(disk, folder, url, STAMPER_EVERY_MS, &stamper), 0);
	stamper_hurry(stamper);
	return stamper;
}

/* Where nobody answers. */
static void end(struct stamper *stamper)
{
	close(authority);
	authority = -1;
	stamper_end(stamper);
}

static int seen_fdatasync(int fd)
{
	atomic_store(&whole, true);
	return disk_kernel.fdatasync(fd);
}

static int seen_rename(int at, const char *from, const char *to, unsigned flags)
{
	if (!atomic_exchange(&whole, false))
		atomic_store(&torn, true);
	atomic_store(&on_disk, false);
	return disk_kernel.rename(at, from, to, flags);
}

static int seen_syncfs(int fd)
{
	atomic_store(&on_disk, true);
	return disk_kernel.syncfs(fd);
}

static void what_is_stamped_is_on_the_disk_first(void **state)
{
	struct disk_calls disk = disk_kernel;
	struct buffer note;
	(void)state;
	disk.fdatasync = seen_fdatasync;
	disk.rename = seen_rename;
	disk.syncfs = seen_syncfs;
	(void)signed_now(&note);
	struct stamper *stamper = begin(&disk);
	assert_true(asks_for(buffer_slice(&note)));
	assert_true(atomic_load(&on_disk));
	assert_false(atomic_load(&torn));
	end(stamper);
	buffer_free(&note);
}

/* A power failure leaves names without bytes, where those had not reached the disk. */
static void what_is_empty_is_made_again(void **state)
{
	struct buffer note;
	(void)state;
	uint64_t size = signed_now(&note);
	put_aside(size, "checkpoint", SLICE(""));
	put_aside(size, "tsr", SLICE(""));
	put_aside(2, "checkpoint", SLICE(""));
	struct stamper *stamper = begin(&disk_kernel);
	assert_true(asks_for(buffer_slice(&note)));
	end(stamper);
	assert_true(is_kept(size, "checkpoint", buffer_slice(&note)));
	assert_false(is_kept(size, "tsr", SLICE("")));
	assert_false(is_kept(2, "checkpoint", SLICE("")));
	buffer_free(&note);
}

/* Else a log that nobody touched would have a timestamp that is earlier than that of fewer records. */
static void none_is_stamped_after_one_of_more_records(void **state)
{
	struct buffer early, note;
	(void)state;
	uint64_t size = signed_now(&early);
	put_aside(size, "checkpoint", buffer_slice(&early));
	put_aside(size + 1, "checkpoint", SLICE("one"));
	put_aside(size + 1, "tsr", SLICE("its reply"));
	test_write(&place, 10, TEST_NOW_MS + 1000, true);
	(void)signed_now(&note);
	struct stamper *stamper = begin(&disk_kernel);
	assert_true(asks_for(buffer_slice(&note)));
	end(stamper);
	buffer_free(&early);
	buffer_free(&note);
}

/* A folder stands for a file that cannot be read; the other can, and is none. */
static void what_is_lost_keeps_no_other_waiting(void **state)
{
	struct buffer note;
	(void)state;
	(void)signed_now(&note);
	put_aside(3, "checkpoint", SLICE("nonsense"));
	assert_int_equal(mkdirat(folder, "timestamps/2.checkpoint", 0700), 0);
	struct stamper *stamper = begin(&disk_kernel);
	assert_true(asks_for(buffer_slice(&note)));
	end(stamper);
	buffer_free(&note);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
TEST_MAIN(CASE(what_is_stamped_is_on_the_disk_first), CASE(what_is_empty_is_made_again),
	  CASE(none_is_stamped_after_one_of_more_records), CASE(what_is_lost_keeps_no_other_waiting))
