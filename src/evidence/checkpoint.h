/*
 * What a log was at a moment (C2SP tlog-checkpoint): its name, its size and its root, as the text of a signed note; and
 * the proof that a record is in it (C2SP tlog-proof), which holds the checkpoint whole.
 */
#ifndef GUIA_EVIDENCE_CHECKPOINT_H
#define GUIA_EVIDENCE_CHECKPOINT_H

#include "evidence/merkle.h"
#include "evidence/note.h"

struct checkpoint {
	struct slice origin; /* in the text it was read from */
	uint64_t size;
	struct merkle_hash root;
};

void checkpoint_write(const struct checkpoint *checkpoint, struct buffer *out);

/* Of a note's text; lines behind the third are passed over. False if it is none. */
bool checkpoint_read(struct slice text, struct checkpoint *ret_checkpoint);

/* The two above with the note around it, signed by the log's key, whose name is the origin. 0 or -ENOMEM. */
int checkpoint_sign(const struct checkpoint *checkpoint, const struct signing_key *key, struct buffer *out);

/* 0, or an outcome of note_verify(); NOTE_MALFORMED also where the text is no checkpoint. */
int checkpoint_verify(struct slice note, const struct public_key *key, struct checkpoint *ret_checkpoint);

/* Without a look at signatures. 0 or NOTE_MALFORMED. */
int checkpoint_read_note(struct slice note, struct checkpoint *ret_checkpoint);

struct log_proof {
	uint64_t index;
	struct merkle_proof inclusion;
	struct slice note; /* in the text it was read from */
};

void log_proof_write(const struct log_proof *proof, struct buffer *out);
bool log_proof_read(struct slice text, struct log_proof *ret_proof);

/* A decimal number as these forms have it: no sign, no leading zero, of 64 bits. */
bool decimal_read(struct slice text, uint64_t *ret_number);

#endif
