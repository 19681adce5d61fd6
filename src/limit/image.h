/*
 * What the watch publishes for others to read, as bytes: a head that says what it is, of which version, how long, made
 * when and on which boot, with a checksum over all of it. Readers take images for hostile. An image appears under its
 * name whole, by rename, and is never changed; a word in memory that all share says that there is a newer one.
 *
 * Times in images are milliseconds of CLOCK_BOOTTIME. Numbers are the machine's own: an image does not leave it.
 */
#ifndef GUIA_LIMIT_IMAGE_H
#define GUIA_LIMIT_IMAGE_H

#include "base/slice.h"

enum { IMAGE_BOOT_BYTES = 16 };

struct image_version {
	uint64_t generation;            /* greater than of all before */
	uint64_t base;                  /* of a delta: the generation of what it belongs to; else 0 */
	uint8_t boot[IMAGE_BOOT_BYTES]; /* /proc/sys/kernel/random/boot_id */
};

/* What an image begins with. Whoever makes one fills in all but the checksum. */
struct image_head {
	uint8_t magic[8];
	uint32_t form; /* changes with the layout */
	uint32_t record_bytes;
	uint64_t length;   /* of the whole image */
	uint64_t checksum; /* over all of it, with zeroes here */
	struct image_version version;
};

/* Why an image is not taken. */
enum image_fault {
	IMAGE_GOOD,
	IMAGE_SHORT,     /* or longer than it says */
	IMAGE_STRANGE,   /* something else */
	IMAGE_FORM,      /* of another form */
	IMAGE_BOOT,      /* times are of another boot */
	IMAGE_CHECKSUM,  /* damaged */
	IMAGE_MALFORMED, /* the checksum holds, and yet it cannot be */
	IMAGE_FAULTS,
};
const char *image_fault_text(enum image_fault fault);

/* Whether an error of reading one (negative) is of this moment: the same image may be read a little later. */
bool image_error_passes(int error);

/* The checksum of an image that is complete but for it; the head is its beginning. */
void image_seal(void *image, size_t bytes);

/* Whether an image has the magic, form and size of records of `expected`, and is whole; bytes aligned to 8. */
enum image_fault image_check(struct slice bytes, const struct image_head *expected,
			     const uint8_t boot[IMAGE_BOOT_BYTES]);

/* Which boot this is. 0 or -errno. */
int image_boot_read(uint8_t ret_boot[IMAGE_BOOT_BYTES]);

/* Maps the word at `path`, made if it is not there, for whoever publishes. 0 or -errno. */
int image_word_open(const char *path, uint64_t **ret_word);
void image_word_close(uint64_t *word); /* NULL is allowed */

/* Read, not mapped: a file that is cut short must not end the reader. False: nobody has published yet. */
bool image_word_read(const char *path, uint64_t *ret_word);

/* Writes a file and then tells of it. 0 or -errno. */
int image_publish(const char *path, struct slice image, uint64_t generation, uint64_t *word);

#endif
