/*
 * Who is banned and who is allowed, as the watch keeps it: what images (limit/ban_image.h) are made from. Decides how
 * long an automatic ban lasts: a minute at first, twice as long each time its prefix returns within a day after it, a
 * day at most; a little more by chance, so that many that began together do not end together.
 *
 * Times are milliseconds of CLOCK_BOOTTIME. One thread.
 */
#ifndef GUIA_LIMIT_BAN_BOOK_H
#define GUIA_LIMIT_BAN_BOOK_H

#include "base/hash.h"
#include "limit/ban_image.h"

enum {
	BAN_FIRST_MS = 60 * 1000,
	BAN_LONGEST_MS = 24 * 3600 * 1000,
	BAN_REMEMBERED_MS = 24 * 3600 * 1000, /* after its end */
	BAN_SWEEP_MS = 10 * 1000,             /* after which a full book is looked through for places again */

	BAN_BOOK_FULL = 1,     /* a part is kept for what a person says */
	BAN_BOOK_TOO_WIDE = 2, /* wider than /16, of IPv6 than /32 */
	BAN_BOOK_ALLOWED = 3,  /* somebody allows all of it: nothing is banned */
	BAN_BOOK_ABSENT = 4,
};

struct ban_book;

/* For at most so many prefixes. `key` decides by what chance bans last longer. 0 or -ENOMEM. */
int ban_book_create(size_t most, const struct hash_key *key, struct ban_book **ret_book);
/* NULL is allowed. */
void ban_book_free(struct ban_book *book);

/*
 * An automatic ban. One that is in force already stays as it is. 0 with its end, BAN_BOOK_FULL, BAN_BOOK_TOO_WIDE or
 * BAN_BOOK_ALLOWED.
 */
int ban_book_punish(struct ban_book *book, const struct prefix *prefix, uint32_t id, uint64_t now_ms,
		    uint64_t *ret_expires_ms);

/*
 * What a person or a list says: a ban or an allowance, in place of what the same said of the same prefix. 0,
 * BAN_BOOK_FULL, BAN_BOOK_TOO_WIDE (not with `force`), or -EINVAL for an entry that is neither or is automatic.
 */
int ban_book_set(struct ban_book *book, const struct ban_entry *entry, bool force);

/* What was said at that rank no longer holds. An automatic ban is forgotten with it. 0 or BAN_BOOK_ABSENT. */
int ban_book_lift(struct ban_book *book, const struct prefix *prefix, enum ban_rank rank);

/* The longest prefix that says something of the address at the highest rank; as ban_lookup() of what would be built. */
struct ban_answer ban_book_lookup(const struct ban_book *book, const struct address *address, uint64_t now_ms);

/* What stands of exactly this prefix at a rank. False: nothing that is in force. */
bool ban_book_entry(const struct ban_book *book, const struct prefix *prefix, enum ban_rank rank, uint64_t now_ms,
		    struct ban_entry *ret_entry);

/* How many entries the next delta would have: what changed since the last base. */
size_t ban_book_changed(const struct ban_book *book);
/* In force. */
size_t ban_book_count(const struct ban_book *book, uint64_t now_ms);

/*
 * The next base, with which the book drops what is over and too old to be remembered; or the next delta to the last
 * base. `boot` as in image_version. *ret_generation is what workers are told. 0 or -ENOMEM with nothing changed.
 */
int ban_book_base(struct ban_book *book, const uint8_t boot[IMAGE_BOOT_BYTES], uint64_t now_ms, struct buffer *out,
		  uint64_t *ret_generation);
int ban_book_delta(struct ban_book *book, const uint8_t boot[IMAGE_BOOT_BYTES], struct buffer *out,
		   uint64_t *ret_generation);

/* All that is in force, as a base would have it, for who is not the gate: nothing else changes. 0 or -ENOMEM. */
int ban_book_image(const struct ban_book *book, const uint8_t boot[IMAGE_BOOT_BYTES], uint64_t now_ms,
		   struct buffer *out);

/* No image that is built from now on has a generation as low. */
void ban_book_go_on_from(struct ban_book *book, uint64_t generation);

/* Takes over what images of an earlier watch say, and counts generations on from theirs. 0 or BAN_BOOK_FULL. */
int ban_book_restore(struct ban_book *book, const struct ban_image *base, const struct ban_image *delta,
		     uint64_t now_ms);

#endif
