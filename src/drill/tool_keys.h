/*
 * What a tool's TLS needs of cryptography: the keys of TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and of its sessions
 * (RFC 5246, sections 5, 6.3 and 8.1; RFC 5288), and records sealed and opened with them. None of it allocates but
 * tool_ciphers_make.
 */
#ifndef GUIA_DRILL_TOOL_KEYS_H
#define GUIA_DRILL_TOOL_KEYS_H

#include "base/slice.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

enum {
	TOOL_RANDOM_BYTES = 32,
	TOOL_MASTER_BYTES = 48,
	TOOL_KEY_BYTES = 16,
	TOOL_SALT_BYTES = 4,
	TOOL_FINISHED_BYTES = 12,
	TOOL_RECORD_HEAD = 5,
	TOOL_NONCE_BYTES = 8, /* in front of what is sealed */
	TOOL_TAG_BYTES = 16,  /* behind it */
	TOOL_SEALED_MORE = TOOL_RECORD_HEAD + TOOL_NONCE_BYTES + TOOL_TAG_BYTES,
};

/* One of each for all connections: their keys are put in with every record. */
struct tool_ciphers {
	EVP_CIPHER_CTX *seal, *open;
};

/* One direction of a connection. */
struct tool_way {
	uint8_t key[TOOL_KEY_BYTES];
	uint8_t salt[TOOL_SALT_BYTES];
	uint64_t number; /* of the next record */
};

/* 0 or -ENOMEM. */
int tool_ciphers_make(struct tool_ciphers *ret_ciphers);
void tool_ciphers_free(struct tool_ciphers *ciphers);

/* Both randoms lie one behind the other, the client's first. */
void tool_master(struct slice shared, const uint8_t randoms[2 * TOOL_RANDOM_BYTES], uint8_t master[TOOL_MASTER_BYTES]);
void tool_ways(const uint8_t master[TOOL_MASTER_BYTES], const uint8_t randoms[2 * TOOL_RANDOM_BYTES],
	       struct tool_way *client, struct tool_way *server);

/* `said` is the hash of all messages so far and goes on. */
void tool_finished(const uint8_t master[TOOL_MASTER_BYTES], const char *label, const SHA256_CTX *said,
		   uint8_t finished[TOOL_FINISHED_BYTES]);

/* A record of `type`: plain.len + TOOL_SEALED_MORE bytes at `record`. 0 or -EIO. */
int tool_seal(const struct tool_ciphers *ciphers, struct tool_way *way, uint8_t type, struct slice plain,
	      uint8_t *record);

/* A whole record, opened where it lies. 0, or -EIO if it is not what the other end sealed. */
int tool_open(const struct tool_ciphers *ciphers, struct tool_way *way, uint8_t *record, size_t len,
	      struct slice *ret_plain);

#endif
