/*
 * Which country and which network (autonomous system) an address is in, as bytes that many processes map and none
 * changes. Built from prefixes, of which the longest that has an address tells; checked and read as hostile.
 *
 * Each family is cut into ranges, each with what holds to the next one's beginning. An address of IPv6 is looked up by
 * its first 64 bits. An index by the first 16 bits of a range leaves few to be searched.
 */
#ifndef GUIA_LIMIT_PLACE_IMAGE_H
#define GUIA_LIMIT_PLACE_IMAGE_H

#include "base/address.h"
#include "base/buffer.h"
#include "limit/image.h"

enum {
	PLACE_VENDOR_BYTES = 64,
	PLACE_TOO_MANY = 1,
};

struct place {
	char country[2];  /* ISO 3166; zeroes: not known */
	uint32_t network; /* number of an autonomous system; 0: not known */
};

struct place_prefix {
	struct prefix prefix;
	struct place place;
};

/* What people call a network; printable or not. */
struct place_name {
	uint32_t network;
	const char *text;
};

/* Where the data is from. */
struct place_source {
	uint64_t made_s; /* when, in seconds since the epoch */
	char vendor[PLACE_VENDOR_BYTES];
};

struct place_data {
	struct place_source source;
	struct place_prefix *prefixes; /* in any order, which is changed; longer ones than /64 of IPv6 are left out */
	size_t prefix_count;
	const struct place_name *names; /* sorted by number, each once */
	size_t name_count;
};

/* Writes an image to a buffer that is empty. 0 or -ENOMEM. */
int place_image_build(const struct place_data *data, const struct image_version *version, struct buffer *out);

struct place_ranges {
	const uint32_t *index;
	const uint32_t *networks;
	const char (*countries)[2];
	size_t count;
};

/* A checked image. It owns nothing: the bytes stay whose they are. All zero: one that knows of no address. */
struct place_image {
	struct place_source source;
	const uint32_t *v4_starts;
	const uint64_t *v6_starts;
	struct place_ranges v4, v6;
	const uint32_t *name_networks;
	const uint32_t *name_offsets; /* one more than names */
	const char *name_text;
	size_t name_count;
};

/* `bytes` must be aligned to 8. *ret_image is untouched unless the answer is IMAGE_GOOD. */
enum image_fault place_image_check(struct slice bytes, const uint8_t boot[IMAGE_BOOT_BYTES],
				   struct place_image *ret_image);

struct place place_lookup(const struct place_image *image, const struct address *address);

/*
 * All that is in one of these countries, as prefixes, none within another; IPv6 by its first 64 bits. 0 with a list of
 * the heap, which the caller frees; PLACE_TOO_MANY: more than `most`; -ENOMEM.
 */
int place_image_prefixes(const struct place_image *image, const char (*countries)[2], size_t country_count, size_t most,
			 struct prefix **ret_prefixes, size_t *ret_count);

/* Empty if it has none. Any byte may be in it. */
struct slice place_network_name(const struct place_image *image, uint32_t network);

#endif
