/*
 * Bans and allowances as bytes that many processes map and none changes: a base with all of them, and a delta with what
 * has changed since. The watch builds them; the gate's workers check and read them, and take them for hostile.
 *
 * An image is a header, a table of sections, and for each length of prefix in use a hash table of entries of 32 bytes.
 * A lookup asks each section once.
 */
#ifndef GUIA_LIMIT_BAN_IMAGE_H
#define GUIA_LIMIT_BAN_IMAGE_H

#include "base/address.h"
#include "base/buffer.h"
#include "limit/image.h"

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

/*
 * Writes an image to a buffer that is empty. No two entries may have both prefix and rank in common. 0, -EINVAL for an
 * entry that cannot be, or -ENOMEM.
 */
int ban_image_build(const struct ban_entry *entries, size_t count, const struct image_version *version,
		    struct buffer *out);

enum { BAN_SECTION_WORDS = 3 };

/* A checked image. It owns nothing: the bytes stay whose they are. All zero: one in which nothing is. */
struct ban_image {
	const struct ban_header *header;
	struct image_version version;
	uint64_t entries;
	uint64_t sections[BAN_SECTION_WORDS]; /* a bit for each in which something is */
};

/* `bytes` must be aligned to 8. *ret_image is untouched unless the answer is IMAGE_GOOD. */
enum image_fault ban_image_check(struct slice bytes, const uint8_t boot[IMAGE_BOOT_BYTES], struct ban_image *ret_image);

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
