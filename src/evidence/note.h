/*
 * Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature, "— NAME BASE64" with four
 * bytes that identify the key before the signature. Only Ed25519 (type 0x01) is verified; other signatures are passed
 * over. Of base64 only the one spelling that encodes the bytes is taken.
 */
#ifndef GUIA_EVIDENCE_NOTE_H
#define GUIA_EVIDENCE_NOTE_H

#include "base/buffer.h"
#include "evidence/signing_key.h"

enum {
	NOTE_NAME_BYTES_MOST = 255,
	NOTE_SIGNATURES_MOST = 64,
	NOTE_BYTES_MOST = 64 * 1024,
};

/* Whether a key may be called so: UTF-8 without spaces, control characters and '+'. */
bool note_name_valid(struct slice name);

uint32_t note_key_id(struct slice name, const struct public_key *key);

/* Appends the note: `text` ends with a line feed. 0 or -ENOMEM. */
int note_sign(struct slice text, struct slice name, const struct signing_key *key, struct buffer *out);

enum {
	NOTE_MALFORMED = 1,
	NOTE_BADLY_SIGNED = 2, /* there is a signature of that key, and it is not of this text */
	NOTE_UNSIGNED = 3,     /* by that key */
};

/* Parts a note into its text, with the last line feed, and the lines of signatures. 0 or NOTE_MALFORMED. */
int note_split(struct slice note, struct slice *ret_text, struct slice *ret_signatures);

/* 0 with the text, or one of the outcomes above. */
int note_verify(struct slice note, struct slice name, const struct public_key *key, struct slice *ret_text);

/* Exactly `len` bytes, in their one spelling. */
bool base64_exact(struct slice text, uint8_t *out, size_t len);

#endif
