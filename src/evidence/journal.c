/*
 * How heads and batches lie in a half, numbers with the most significant byte first. A head ends with its SHA-256. A
 * batch has no sum of its own: its first record's number must be the next, and its root is for tail.c to compare.
 */
#include "evidence/journal.h"

#include "base/error.h"
#include "base/region.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char head_magic[] = "guia evidence journal 1\n";
static const uint8_t batch_magic[4] = {'S', 'E', 'A', 'L'};

enum {
	HEAD_SIZE_AT = sizeof(head_magic) - 1,
	HEAD_HASHES_AT = HEAD_SIZE_AT + 8,
	HEAD_SUM_AT = JOURNAL_HEAD_BYTES - 32
};
_Static_assert(HEAD_HASHES_AT + MERKLE_LEVELS * MERKLE_HASH_BYTES <= HEAD_SUM_AT, "a head holds any frontier");

const char *journal_name(unsigned half)
{
	static const char *const names[JOURNAL_HALVES] = {"journal.0", "journal.1"};
	return names[half];
}

static void put_number(uint8_t *out, uint64_t number, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
}

static uint64_t get_number(const uint8_t *in, unsigned bytes)
{
	uint64_t number = 0;
	for (unsigned i = 0; i < bytes; i++)
		number = number << 8 | in[i];
	return number;
}

/* ---- making ---- */

/* Zeros are written where a promise of room would do on some file systems and not on others. */
static int fill(const struct disk_calls *disk, int fd, size_t from, size_t bytes)
{
	struct region zeros;
	int r = region_map(bytes - from, &zeros);
	if (r != 0)
		return r;
	r = disk_write_slice(disk, fd, slice_make(zeros.ptr, bytes - from), (off_t)from);
	region_unmap(&zeros);
	if (r == 0)
		r = disk->fdatasync(fd);
	if (r != 0)
		(void)disk->truncate(fd, (off_t)from);
	return r;
}

/* Of a quarter of what is free, half. */
static int fit(int folder, size_t wanted, size_t *ret_bytes)
{
	struct statvfs system;
	size_t bytes = wanted;
	if (wanted > JOURNAL_HALF_BYTES_SMALL && fstatvfs(folder, &system) == 0)
		while (bytes >= JOURNAL_HALF_BYTES_SMALL && bytes > system.f_bavail * system.f_frsize / 8)
			bytes /= 2;
	*ret_bytes = bytes;
	return bytes < JOURNAL_HALF_BYTES_SMALL && bytes < wanted ? -ENOSPC : 0;
}

/* One that is not may have been left while it was filled. */
static bool is_used(int fd)
{
	uint8_t first = 0;
	return pread(fd, &first, 1, 0) == 1 && first != 0;
}

static int create_half(struct journal *journal, int folder, unsigned half)
{
	struct stat stat;
	int fd = journal->disk->open(folder, journal_name(half), O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return fd;
	journal->fds[half] = fd;
	if (fstat(fd, &stat) != 0)
		return -errno;
	size_t has = (size_t)stat.st_size;
	if (half == 0 && is_used(fd)) {
		journal->half_bytes = has;
		return 0;
	}
	int r = half == 0 && has < journal->half_bytes ? fit(folder, journal->half_bytes, &journal->half_bytes) : 0;
	return r != 0 || has >= journal->half_bytes ? r : fill(journal->disk, fd, has, journal->half_bytes);
}

int journal_create(struct journal *journal, const struct disk_calls *disk, int folder, size_t half_bytes)
{
	int r = 0;
	*journal = (struct journal){
		.disk = disk, .fds = {-1, -1}, .half_bytes = half_bytes, .half = 1, .at = JOURNAL_HEAD_BYTES};
	for (unsigned half = 0; half < JOURNAL_HALVES && r == 0; half++)
		r = create_half(journal, folder, half);
	if (r != 0)
		journal_close(journal);
	return r;
}

void journal_close(struct journal *journal)
{
	for (unsigned half = 0; half < JOURNAL_HALVES; half++)
		if (journal->fds[half] >= 0)
			close(journal->fds[half]);
	journal->fds[0] = journal->fds[1] = -1;
}

/* ---- writing ---- */

size_t journal_room(const struct journal *journal)
{
	size_t left = journal->half_bytes - journal->at;
	return left > JOURNAL_BATCH_BYTES ? left - JOURNAL_BATCH_BYTES : 0;
}

int journal_seal(struct journal *journal, const struct journal_batch *batch)
{
	uint8_t head[JOURNAL_BATCH_BYTES] = {0};
	struct iovec parts[1 + JOURNAL_PARTS_MOST];
	if (batch->bytes > journal_room(journal))
		return -ENOSPC;
	memcpy(head, batch_magic, sizeof(batch_magic));
	put_number(head + 4, batch->count, 4);
	put_number(head + 8, batch->bytes, 8);
	put_number(head + 16, batch->first, 8);
	memcpy(head + 24, batch->root.bytes, sizeof(batch->root.bytes));
	memcpy(parts, batch->parts, sizeof(parts));
	parts[0] = (struct iovec){head, sizeof(head)};
	int fd = journal->fds[journal->half];
	int r = disk_write(journal->disk, fd, parts, 1 + (int)batch->part_count, (off_t)journal->at);
	if (r == 0)
		r = journal->disk->fdatasync(fd);
	if (r == 0)
		journal->at += sizeof(head) + batch->bytes;
	return r;
}

int journal_turn(struct journal *journal, const struct merkle_frontier *before)
{
	uint8_t head[JOURNAL_HEAD_BYTES] = {0};
	unsigned other = (journal->half + 1) % JOURNAL_HALVES;
	memcpy(head, head_magic, HEAD_SIZE_AT);
	put_number(head + HEAD_SIZE_AT, before->size, 8);
	for (unsigned level = 0; level < MERKLE_LEVELS; level++)
		if ((before->size >> level & 1) != 0)
			memcpy(head + HEAD_HASHES_AT + level * MERKLE_HASH_BYTES, before->subtree[level].bytes,
			       MERKLE_HASH_BYTES);
	struct merkle_hash sum = merkle_sha256(slice_make(head, HEAD_SUM_AT), slice_make(NULL, 0));
	memcpy(head + HEAD_SUM_AT, sum.bytes, sizeof(sum.bytes));
	int r = disk_write_slice(journal->disk, journal->fds[other], slice_make(head, sizeof(head)), 0);
	if (r == 0)
		r = journal->disk->fdatasync(journal->fds[other]);
	if (r == 0) {
		journal->half = other;
		journal->at = JOURNAL_HEAD_BYTES;
	}
	return r;
}

/* ---- reading ---- */

bool journal_read(struct slice half, struct journal_reader *ret_reader)
{
	struct journal_reader reader = {.bytes = half, .at = JOURNAL_HEAD_BYTES};
	if (half.len < JOURNAL_HEAD_BYTES || memcmp(half.ptr, head_magic, HEAD_SIZE_AT) != 0)
		return false;
	struct merkle_hash sum = merkle_sha256(slice_sub(half, 0, HEAD_SUM_AT), slice_make(NULL, 0));
	if (memcmp(half.ptr + HEAD_SUM_AT, sum.bytes, sizeof(sum.bytes)) != 0)
		return false;
	reader.next = reader.before.size = get_number(half.ptr + HEAD_SIZE_AT, 8);
	memcpy(reader.before.subtree, half.ptr + HEAD_HASHES_AT, sizeof(reader.before.subtree));
	if (reader.next % TILE_WIDTH != 0)
		return false;
	*ret_reader = reader;
	return true;
}

bool journal_torn(const struct journal_reader *reader)
{
	struct slice rest = slice_after(reader->bytes, reader->at);
	return rest.len >= JOURNAL_BATCH_BYTES && memcmp(rest.ptr, batch_magic, sizeof(batch_magic)) == 0 &&
	       get_number(rest.ptr + 16, 8) == reader->next;
}

bool journal_next(struct journal_reader *reader, struct slice *ret_records, uint32_t *ret_count,
		  struct merkle_hash *ret_root)
{
	struct slice rest = slice_after(reader->bytes, reader->at), record;
	if (rest.len < JOURNAL_BATCH_BYTES || memcmp(rest.ptr, batch_magic, sizeof(batch_magic)) != 0 ||
	    get_number(rest.ptr + 16, 8) != reader->next)
		return false;
	uint64_t count = get_number(rest.ptr + 4, 4), bytes = get_number(rest.ptr + 8, 8), found = 0;
	if (bytes > rest.len - JOURNAL_BATCH_BYTES || count == 0 || reader->next + count < reader->next)
		return false;
	struct slice records = slice_sub(rest, JOURNAL_BATCH_BYTES, JOURNAL_BATCH_BYTES + (size_t)bytes);
	struct reader bundle = reader_make(records);
	while (bundle_next(&bundle, &record))
		found++;
	if (found != count || !reader_at_end(&bundle))
		return false;
	reader->at += JOURNAL_BATCH_BYTES + records.len;
	reader->next += count;
	*ret_records = records;
	*ret_count = (uint32_t)count;
	memcpy(ret_root->bytes, rest.ptr + 24, sizeof(ret_root->bytes));
	return true;
}
