/*
 * Bans and allowances as bytes that many processes map and none changes: a base with all of them, and a delta with what
 * has changed since. The watch builds them; the gate's workers check and read them, and take them for hostile.
 *
 * An image is a header, a table of sections, and for each length of prefix in use a hash table of entries of 32 bytes.
 * A lookup asks each section once. Times are milliseconds of CLOCK_BOOTTIME, so an image says of which boot it is.
 * Numbers are the machine's own: an image does not leave it.
 */
#ifndef GUIA_LIMIT_BAN_IMAGE_H
#define GUIA_LIMIT_BAN_IMAGE_H

#include "base/address.h"
#include "base/buffer.h"

enum ban_kind {
	BAN_NONE,
	BAN_REFUSE,
	BAN_ALLOW,
	BAN_LIFTED, /* in a delta: what the base says no longer holds */
	BAN_KINDS,
};

/* Whose word it is. The highest that says anything of an address holds; of one rank, the longest prefix. */
enum ban_rank {
	BAN_AUTOMATIC,
	BAN_LISTED, /* an allow list */
	BAN_BY_PERSON,
	BAN_RANKS,
};

#define BAN_FOR_EVER UINT64_MAX

struct ban_entry {
	struct address address; /* zeroes behind its bits */
	uint64_t expires_ms;    /* from then on it is as if it was not there */
	uint32_t id;            /* of the mitigation */
	uint8_t bits;           /* of 128 */
	uint8_t kind;
	uint8_t rank;
	uint8_t zero;
};

_Static_assert(sizeof(struct ban_entry) == 32, "two entries a cache line");

enum { BAN_BOOT_BYTES = 16 };

struct ban_version {
	uint64_t generation;          /* greater than of all before */
	uint64_t base;                /* of a delta: the generation of the base it belongs to; 0: this is a base */
	uint8_t boot[BAN_BOOT_BYTES]; /* /proc/sys/kernel/random/boot_id */
};

/*
 * Writes an image to a buffer that is empty. No two entries may have both prefix and rank in common. 0, -EINVAL for an
 * entry that cannot be, or -ENOMEM.
 */
int ban_image_build(const struct ban_entry *entries, size_t count, const struct ban_version *version,
		    struct buffer *out);

/* A checked image. It owns nothing: the bytes stay whose they are. All zero: one in which nothing is. */
struct ban_image {
	const struct ban_header *header;
	struct ban_version version;
	uint64_t entries;
};

/* Why an image is not taken. */
enum ban_fault {
	BAN_GOOD,
	BAN_SHORT,    /* or longer than it says */
	BAN_STRANGE,  /* not an image */
	BAN_VERSION,  /* of another form */
	BAN_BOOT,     /* times are of another boot */
	BAN_CHECKSUM, /* damaged */
	BAN_SECTIONS, /* the checksum holds, and yet it cannot be */
	BAN_FAULTS,
};

/* `bytes` must be aligned to 8. *ret_image is untouched unless the answer is BAN_GOOD. */
enum ban_fault ban_image_check(struct slice bytes, const uint8_t boot[BAN_BOOT_BYTES], struct ban_image *ret_image);
const char *ban_fault_text(enum ban_fault fault);

/* What base and delta together say of an address. */
struct ban_answer {
	enum ban_kind kind; /* BAN_NONE, BAN_REFUSE, BAN_ALLOW */
	enum ban_rank rank;
	uint32_t id;
	uint8_t bits;
	uint64_t expires_ms;
};
struct ban_answer ban_lookup(const struct ban_image *base, const struct ban_image *delta, const struct address *address,
			     uint64_t now_ms);

/* Walks an image's entries, from *cursor == 0; false at the end. */
bool ban_image_next(const struct ban_image *image, uint64_t *cursor, struct ban_entry *ret_entry);

#endif
