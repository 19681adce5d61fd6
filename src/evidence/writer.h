/*
 * Evidence as others see it: a log with a thread of its own. What is put is sealed (hashed into the tree and on the
 * disk) within 100 ms and signed for within a second, while the disk does its part; what cannot be is counted, and the
 * count becomes a record.
 */
#ifndef GUIA_EVIDENCE_WRITER_H
#define GUIA_EVIDENCE_WRITER_H

#include "evidence/log.h"

enum { WRITER_QUEUE_BYTES = 16 << 20 };

struct writer;

/* Opens the log (outcomes of log_open()) and begins. */
int writer_create(const struct log_config *config, size_t queue_bytes, struct writer **ret_writer);

/* Seals what was put, says that the log was closed, signs, and ends. NULL is allowed. */
void writer_end(struct writer *writer);

/* From any thread; never waits for a disk. `values` are in the order of the kind's fields. Whether there was room. */
bool writer_put(struct writer *writer, enum leaf_kind kind, const struct leaf_value *values);

/* Has what is signed timestamped now. */
void writer_stamp(struct writer *writer);

struct writer_state {
	struct log_sizes sizes;
	uint64_t lost; /* records, of which gaps tell or will */
	uint64_t longest_unsealed_us;
	uint64_t longest_unsigned_us;
	uint64_t stamped;       /* checkpoints, by the authority */
	uint64_t stamp_backlog; /* that wait for it */
	int stamp_error;
	int error; /* of the last attempt to seal or sign; 0: it went well */
};
struct writer_state writer_state(struct writer *writer);

struct public_key writer_public_key(const struct writer *writer);

#endif
