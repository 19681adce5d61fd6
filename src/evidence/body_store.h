/*
 * Messages as they came, beside the log. A record of the log holds SHA-256(salt, message); salt and message lie here,
 * in parcels that only the holder of the export key can open (evidence/envelope.h): bodies/2026-07-10/FROM-TO.cms, with
 * the times of its first and last message in milliseconds. In a parcel each message follows a line of JSON,
 *     {"at":1783708800123,"what":"request","salt":"<64 hexadecimal digits>","bytes":512,"cut":0}
 * and a line feed follows it; `cut` is how many bytes of the message were not kept. A parcel that is deleted takes its
 * salts along: nobody can then try which message a record may have been of.
 */
#ifndef GUIA_EVIDENCE_BODY_STORE_H
#define GUIA_EVIDENCE_BODY_STORE_H

#include "evidence/disk.h"
#include "evidence/envelope.h"
#include "evidence/merkle.h"

#define BODY_FOLDER "bodies"

/* A message of HTTP, or a pcapng file. */
enum body_what { BODY_REQUEST, BODY_RESPONSE, BODY_PACKETS, BODY_WHATS };

enum {
	BODY_SALT_BYTES = 32,
	BODY_BYTES_MOST = 1 << 20, /* of one message; what is longer is cut */
	BODY_PARCEL_BYTES = 1 << 20,
	BODY_PARCEL_BYTES_MOST = 16 << 20, /* that wait for a disk */
	BODY_PARCEL_MS = 1000,
};

/* "request" */
const char *body_what_name(enum body_what what);

struct merkle_hash body_commitment(const uint8_t salt[BODY_SALT_BYTES], struct slice message);

struct body_store;

/* `folder` is made where it is missing; `certificate` is the path of the export key's. 0, ENVELOPE_BAD or -errno. */
int body_store_create(const struct disk_calls *disk, const char *folder, const char *certificate,
		      struct body_store **ret_store);

/* Writes what waits, and ends. NULL is allowed. */
void body_store_end(struct body_store *store);

/*
 * From any thread; never waits for a disk. The message is as it came: head, empty line and as much of the body as there
 * is; `cut` bytes of it are missing already. The commitment is for the record. False: there was no room, which is
 * counted.
 */
bool body_store_put(struct body_store *store, enum body_what what, struct slice message, uint64_t cut, uint64_t at_ms,
		    struct merkle_hash *ret_commitment);

struct body_store_state {
	uint64_t kept; /* on the disk */
	uint64_t lost;
	int error; /* of the last attempt */
};
struct body_store_state body_store_state(struct body_store *store);

#endif
