/* What a log's files share: only log.c and log_open.c see it. */
#ifndef GUIA_EVIDENCE_LOG_STATE_H
#define GUIA_EVIDENCE_LOG_STATE_H

#include "evidence/checkpoint.h"
#include "evidence/log.h"
#include "evidence/settler.h"

struct log {
	const struct disk_calls *disk;
	int folder;
	int lock;
	int epoch_folder;
	struct signing_key *key;
	char origin[LOG_NAME_BYTES_MOST + 8];
	struct tail tail;
	struct journal journal;
	struct settler *settler;
	struct merkle_frontier sealed;
	struct bundle *sealed_in; /* the bundle in which the next record to be sealed is */
	size_t sealed_bytes;      /* and where in it */
	uint64_t other_end;       /* records below this are in the half that is not written */
	uint64_t signed_size;
	int checkpoint_fds[2]; /* the file that is seen, and the one that takes its place; -1: none */
	struct clock_state clock;
	struct log_beginning beginning;
	struct recent recent;
};

/* Bundles that are full of what was sealed go to become tiles. */
void log_hand_over(struct log *log);

/* Whether a record of the tail makes this the key, and whose place it took. */
bool log_rotated_to(const struct tail *tail, const struct public_key *key, struct public_key *ret_old);

/* A rotation whose record was sealed is gone through with; one that was not is forgotten. 0 or -errno. */
int log_finish_rotation(struct log *log, const char *key_path);

#endif
