/*
 * What only the holder of the export key may read: CMS authenticated-enveloped data (RFC 5652, 5083, 5084), AES-256-GCM
 * under a key agreed on with P-256 (RFC 5753, SHA-256). A gate has the certificate alone; `openssl cms -decrypt -inform
 * DER -inkey KEY` opens an envelope without this program.
 */
#ifndef GUIA_EVIDENCE_ENVELOPE_H
#define GUIA_EVIDENCE_ENVELOPE_H

#include "base/buffer.h"

struct export_certificate;
struct export_key;

enum {
	ENVELOPE_BAD = 1,       /* the file holds no certificate, or key, of a curve */
	ENVELOPE_OTHER_KEY = 2, /* it is sealed to another key, or is not whole */
};

/* Makes a key pair: two files in PEM, the key readable by its owner only. -EEXIST: one is there. 0 or -errno. */
int export_key_create(const char *key_path, const char *certificate_path);

/* 0, ENVELOPE_BAD or -errno; to be freed, NULL is allowed. */
int export_certificate_load(const char *path, struct export_certificate **ret_certificate);
void export_certificate_free(struct export_certificate *certificate);
int export_key_load(const char *path, struct export_key **ret_key);
void export_key_free(struct export_key *key);

/* Appends the envelope in DER. 0 or -ENOMEM. */
int envelope_seal(const struct export_certificate *certificate, struct slice content, struct buffer *out);

/* Appends what is in it. 0, ENVELOPE_OTHER_KEY or -ENOMEM. */
int envelope_open(const struct export_key *key, struct slice envelope, struct buffer *out);

#endif
