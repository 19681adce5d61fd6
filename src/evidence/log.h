/*
 * A log that is written: what was sealed before is found and taken up, records are added, sealed, and signed for. One
 * thread. A log is a folder of epochs, 0001 and so on, each a tree with its own name (LOG/1) and key: a new one begins
 * where the old one cannot be gone on with: its key is lost, its newest records are not what was signed, its tiles are
 * damaged, or a newer version wrote it. Nothing in it is changed then, and the new one's first record names its last
 * root.
 */
#ifndef GUIA_EVIDENCE_LOG_H
#define GUIA_EVIDENCE_LOG_H

#include "evidence/disk.h"
#include "evidence/leaf.h"
#include "evidence/recent.h"
#include "evidence/signing_key.h"

enum { LOG_FORMAT = 1, LOG_NAME_BYTES_MOST = 200, LOG_EPOCHS_MOST = 9999 };

struct log_config {
	const char *path;
	const char *name;     /* without spaces and '+' */
	const char *key_path; /* made where there is none */
	const struct disk_calls *disk;
	const char *authority; /* that timestamps checkpoints, http://HOST[:PORT]/PATH; NULL: none */
	unsigned stamp_every_ms;
	size_t half_bytes; /* of the journal, at most; a disk with little room has a smaller one */
};

struct log;

enum {
	LOG_NAME_BAD = 1,
	LOG_FULL = 2, /* 9999 epochs */
};

/* Of an outcome above or -errno. */
const char *log_fault_text(int fault);

/*
 * Takes the log up, or makes it. `now_ms` is UTC. 0, an outcome above, -EBUSY: somebody else writes it, or -errno;
 * nothing that is there is lost in either case. The records that say so (epoch, gap, start) are added, not yet sealed.
 */
int log_open(const struct log_config *config, uint64_t now_ms, struct log **ret_log);

/* How it was taken up. */
struct log_beginning {
	unsigned epoch;
	const char *why;   /* a new epoch had to begin; "a new log": there was none; NULL: the epoch is gone on with */
	bool key_is_shown; /* others than its owner may read the key's file */
	struct recent *recent; /* what the newest records tell that are gone on from; the log's, as long as it is open,
				  and to be changed by one who asks it alone */
};
struct log_beginning log_beginning(const struct log *log);

/* Asks the kernel of its clock: records say it from now on. */
void log_look_at_clock(struct log *log);

/* Ends it: what is in the journal is written to tiles. What was not sealed is lost. NULL is allowed. */
void log_close(struct log *log);

/* Adds a record, to be sealed. 0, -ENOMEM. */
int log_add(struct log *log, enum leaf_kind kind, uint64_t time_ms, struct slice fields);
int log_add_values(struct log *log, enum leaf_kind kind, uint64_t time_ms, const struct leaf_value *values);

/* Whether what is added should be sealed before there is more. */
bool log_batch_full(const struct log *log);

enum log_reserve { LOG_KEEPS_RESERVE, LOG_TAKES_RESERVE };

/*
 * What was added is on the disk when this returns 0. -ENOSPC: the journal is full until tiles can be written; a part of
 * it is only for LOG_TAKES_RESERVE. On any failure it is to be called again.
 */
int log_seal(struct log *log, enum log_reserve reserve);

/* Forgets what was added and not sealed. Returns how many records. */
uint64_t log_forget(struct log *log);

/* Signs what is sealed. 0 or -errno. Does nothing where that is signed already. */
int log_sign(struct log *log);

/*
 * Another key takes the place of the log's, in the same file; what was added is sealed before. 0, or -errno: then it
 * may be called again.
 */
int log_rotate(struct log *log, const char *key_path, uint64_t now_ms);

struct log_sizes {
	uint64_t added;
	uint64_t sealed;
	uint64_t is_signed;
};
struct log_sizes log_sizes(const struct log *log);

/* The folder of the epoch that is written. */
int log_folder(const struct log *log);

struct public_key log_public_key(const struct log *log);

#endif
