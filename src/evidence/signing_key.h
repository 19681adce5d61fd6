/*
 * Ed25519 (RFC 8032) by libcrypto: the key that signs a log's checkpoints, and the public keys that these are checked
 * against. A public key is known to people by its fingerprint: SHA-256 of its SubjectPublicKeyInfo (RFC 8410), which
 * `openssl pkey -pubout -outform DER | sha256sum` prints as well.
 */
#ifndef GUIA_EVIDENCE_SIGNING_KEY_H
#define GUIA_EVIDENCE_SIGNING_KEY_H

#include "base/buffer.h"

enum {
	PUBLIC_KEY_BYTES = 32,
	PUBLIC_KEY_INFO_BYTES = 44,
	SIGNATURE_BYTES = 64,
	FINGERPRINT_TEXT_BYTES = 65, /* 64 hexadecimal digits and a NUL */
};

struct public_key {
	uint8_t bytes[PUBLIC_KEY_BYTES];
};

struct key_signature {
	uint8_t bytes[SIGNATURE_BYTES];
};

struct signing_key;

enum {
	SIGNING_KEY_BAD = 1, /* the file holds no Ed25519 key */
};

/* Makes one and writes it in PEM, readable by its owner only; -EEXIST: there is one already. 0 or -errno. */
int signing_key_create(const char *path, struct signing_key **ret_key);
/* 0, SIGNING_KEY_BAD, -ENOENT or another -errno. */
int signing_key_load(const char *path, struct signing_key **ret_key);
/* NULL is allowed. */
void signing_key_free(struct signing_key *key);

struct public_key signing_key_public(const struct signing_key *key);

/* 0, or -ENOMEM. */
int signing_key_sign(const struct signing_key *key, struct slice text, struct key_signature *ret_signature);

bool public_key_verify(const struct public_key *key, struct slice text, const struct key_signature *signature);

static inline bool public_key_equal(const struct public_key *a, const struct public_key *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void public_key_fingerprint(const struct public_key *key, char out[FINGERPRINT_TEXT_BYTES]);

/* Its SubjectPublicKeyInfo, and the way back; false if it is none of Ed25519. */
void public_key_info(const struct public_key *key, uint8_t out[PUBLIC_KEY_INFO_BYTES]);
bool public_key_from_info(struct slice info, struct public_key *ret_key);

#endif
