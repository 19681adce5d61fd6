/*
 * Where records are sealed: two files of one size, allocated when the log is made and written in turn, so that a full
 * disk takes what is sealed all the same, and a seal is one overwrite and one fdatasync. A half begins with a head,
 * which says from which record on it goes (a multiple of 256) and what the tree before was; batches follow, each with
 * the number of its first record, how many they are, and the root of the tree after them. The root is what tells a
 * batch from one that is torn, changed, or left from an earlier turn. A half is taken anew only when the tiles of all
 * its records are on the disk, and begins with the records of the tile that was not full.
 */
#ifndef GUIA_EVIDENCE_JOURNAL_H
#define GUIA_EVIDENCE_JOURNAL_H

#include "evidence/disk.h"
#include "evidence/merkle.h"
#include "evidence/tile.h"

enum {
	JOURNAL_HALVES = 2,
	JOURNAL_HEAD_BYTES = 4096,
	JOURNAL_BATCH_BYTES = 64, /* before its records */
	JOURNAL_PARTS_MOST = 64,  /* pieces of memory in one batch */
};

/* 64 MB each: a full disk leaves one to be written. A smaller one is for tests. */
#define JOURNAL_HALF_BYTES       ((size_t)64 << 20)
#define JOURNAL_HALF_BYTES_SMALL ((size_t)1 << 20)
#define JOURNAL_HALF_BYTES_LEAST ((size_t)64 << 10)

struct journal {
	const struct disk_calls *disk;
	int fds[JOURNAL_HALVES]; /* -1: none */
	size_t half_bytes;
	unsigned half; /* which is written */
	size_t at;
};

struct journal_batch {
	uint64_t first;
	uint32_t count;
	struct merkle_hash root;
	struct iovec parts[1 + JOURNAL_PARTS_MOST]; /* the first is the journal's */
	unsigned part_count;                        /* without it */
	size_t bytes;
};

/*
 * Makes both files where they are missing, filled and on the disk. Both together take a quarter of what is free at
 * most; where that comes to less than two of JOURNAL_HALF_BYTES_SMALL there is no room. 0 or -errno, and then what was
 * filled is free again.
 */
int journal_create(struct journal *journal, const struct disk_calls *disk, int folder, size_t half_bytes);
void journal_close(struct journal *journal);

/* Bytes left in the half for batches. */
size_t journal_room(const struct journal *journal);

/* Writes and waits until it is on the disk. 0, -errno: it is to be given again, as it is; -ENOSPC: there is no room. */
int journal_seal(struct journal *journal, const struct journal_batch *batch);

/* Goes over to the other half: `before` has a multiple of 256 leaves. 0 or -errno, and then nothing has changed. */
int journal_turn(struct journal *journal, const struct merkle_frontier *before);

/* ---- reading ---- */

/* What a half holds, of bytes that may be of anyone's making. */
struct journal_reader {
	struct slice bytes;
	struct merkle_frontier before;
	size_t at;
	uint64_t next; /* the record that the next batch must begin with */
};

/* False if it has no head. */
bool journal_read(struct slice half, struct journal_reader *ret_reader);

/*
 * The records of the next batch, as in a bundle, and the root it claims: whether this is the root is for who hashes
 * them to say. False at the end, which is also where a batch is torn.
 */
bool journal_next(struct journal_reader *reader, struct slice *ret_records, uint32_t *ret_count,
		  struct merkle_hash *ret_root);

/* At the end: whether a batch begins there that is not whole. */
bool journal_torn(const struct journal_reader *reader);

/* "journal.0", "journal.1" */
const char *journal_name(unsigned half);

#endif
