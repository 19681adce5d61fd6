/*
 * Evidence as others see it: a log with a thread of its own. What is put is sealed (hashed into the tree and on the
 * disk) within 100 ms and signed for within a second, while the disk does its part; what cannot be is counted, and the
 * count becomes a record. The thread opens the log, too: what is put waits until that is done, and where it cannot be
 * done it is tried again.
 */
#ifndef GUIA_EVIDENCE_WRITER_H
#define GUIA_EVIDENCE_WRITER_H

#include "evidence/log.h"

enum { WRITER_QUEUE_BYTES = 16 << 20 };

struct writer;

/* The texts of `config` are copied. 0, -ENOMEM or -errno of a thread that cannot be had. */
int writer_create(const struct log_config *config, size_t queue_bytes, struct writer **ret_writer);

/*
 * Seals what was put, says that the log was closed, signs, and ends; what was put into a log that could not be opened
 * is lost. NULL is allowed.
 */
void writer_end(struct writer *writer);

/* From any thread; never waits for a disk. `values` are in the order of the kind's fields. Whether there was room. */
bool writer_put(struct writer *writer, enum leaf_kind kind, const struct leaf_value *values);

/* Has another key take the place of the log's, in the same file, as soon as what was put so far is sealed. */
void writer_rotate(struct writer *writer);

/* Has what was put so far timestamped as soon as it is signed, which it is now. */
void writer_stamp(struct writer *writer);

struct writer_state {
	bool open;
	int fault;                      /* of log_open(), as it was tried last; 0: it is open, or not tried yet */
	struct log_beginning beginning; /* once it is open, like all below */
	struct public_key key;
	struct log_sizes sizes;
	uint64_t unsealed_ms; /* since when the oldest record waits to be sealed; 0: none does */
	uint64_t unsigned_ms;
	uint64_t lost;                /* records, of which gaps tell or will */
	uint64_t longest_unsealed_us; /* since it is open */
	uint64_t longest_unsigned_us;
	uint64_t stamped;        /* checkpoints, by the authority */
	uint64_t stamp_backlog;  /* that wait for it */
	uint64_t stamp_waits_ms; /* since the oldest of them was set aside, or this writer began */
	int stamp_error;
	int error; /* of the last attempt to seal or sign; 0: it went well */
};
struct writer_state writer_state(struct writer *writer);

#endif
