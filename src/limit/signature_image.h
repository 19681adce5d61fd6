/*
 * What the gate is to do beyond bans, as bytes that the watch publishes (limit/image.h): signatures whose requests are
 * refused, modes of sites, and whether slow clients are to be closed early. A reader takes the bytes into its own
 * memory, checks every number, and keeps them: they are few, and what others can write to could change, or be cut
 * short, under whoever maps it.
 */
#ifndef GUIA_LIMIT_SIGNATURE_IMAGE_H
#define GUIA_LIMIT_SIGNATURE_IMAGE_H

#include "base/buffer.h"
#include "limit/image.h"
#include "limit/signature.h"

/* In the directory of bans: the image, and eight bytes with its generation. */
#define SIGNATURE_IMAGE_FILE "signatures"
#define SIGNATURE_WORD_FILE  "signatures-generation"

enum {
	SIGNATURE_RULES_MOST = 64, /* a bit of a word for each */
	SITE_MODES_MOST = 256,
	SIGNATURE_WHY_BYTES = 160,
	SIGNATURE_SITE_BYTES = 255,
	SIGNATURE_VALUES_MOST = 1 << 18, /* in all rules together */
	SITE_HOMES_MOST = 1 << 17,       /* networks, in all modes together */
	SIGNATURE_IMAGE_BYTES = 8 << 20,
};

/* Requests that match are refused. */
struct signature_rule {
	uint32_t id;         /* of the mitigation: hits are counted by it; not 0 */
	struct slice site;   /* empty: every site */
	uint64_t expires_ms; /* from then on it is as if it was not there */
	struct slice why;
	struct signature signature; /* lists belong to the image */
};

enum site_mode {
	SITE_OPEN,    /* limits and inspection as configured */
	SITE_GUARDED, /* tighter limits on costly requests, last good copies preferred */
	SITE_LOCAL,   /* only the home networks are let through to the origin; others get the last good copy */
	SITE_MODES,
};
const char *site_mode_name(enum site_mode mode); /* "open"; "?" */

/* One of a site. */
struct site_mode_rule {
	uint32_t id;
	enum site_mode mode;
	struct slice site; /* empty: every site that has none of its own */
	uint64_t expires_ms;
	const struct prefix *home; /* of SITE_LOCAL; in an image sorted, none within another */
	size_t homes;
};

struct signature_content {
	const struct signature_rule *rules;
	size_t rule_count;
	const struct site_mode_rule *modes;
	size_t mode_count;
	uint64_t shed_until_ms; /* until then slow connections are closed before they run short; 0: they are not */
};

/* Writes an image to a buffer that is empty. 0; -EINVAL for what cannot be or is too much; -ENOMEM. */
int signature_image_build(const struct signature_content *content, const struct image_version *version,
			  struct buffer *out);

struct signature_image {
	struct image_version version;
	size_t rule_count;
	size_t mode_count;
	uint64_t shed_until_ms;
	bool asks_pace; /* a rule does: sources' paces must be followed */
	struct signature_rule rules[SIGNATURE_RULES_MOST];
	struct site_mode_rule modes[SITE_MODES_MOST];
	struct buffer bytes;
};

enum {
	SIGNATURE_IMAGE_BAD = 1, /* *ret_fault says why */
};

/* Of bytes on the heap, which become the image's if it is good. 0, SIGNATURE_IMAGE_BAD or -ENOMEM. */
int signature_image_open(struct buffer *bytes, const uint8_t boot[IMAGE_BOOT_BYTES], struct signature_image **ret_image,
			 enum image_fault *ret_fault);
/* Of a file. The same, or -errno. */
int signature_image_read(const char *path, const uint8_t boot[IMAGE_BOOT_BYTES], struct signature_image **ret_image,
			 enum image_fault *ret_fault);
void signature_image_free(struct signature_image *image); /* NULL is allowed */

/* A bit for each rule that is for a site. */
uint64_t signature_image_rules_of(const struct signature_image *image, struct slice site);

/* The first of these rules that is in force and matches; NULL: none. */
const struct signature_rule *signature_image_match(const struct signature_image *image, uint64_t rules,
						   const struct signature_request *request, uint64_t now_ms);

/* What is said of a site's mode; NULL: nothing. Whether it is over is for the caller to see. */
const struct site_mode_rule *signature_image_mode_of(const struct signature_image *image, struct slice site);
bool site_mode_is_home(const struct site_mode_rule *rule, const struct address *source);

#endif
