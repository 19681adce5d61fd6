/*
 * Modes of sites that people ordered (limit/signature_image.h), with who said so and why. Each lasts until its own end,
 * over the end of a watch and of a boot: an order is in a file of the register's, and on the disk, before it is
 * answered. They are published for the gate with the rules (mitigate/rule_register.h).
 */
#ifndef GUIA_MITIGATE_MODE_REGISTER_H
#define GUIA_MITIGATE_MODE_REGISTER_H

#include "base/buffer.h"
#include "limit/signature_image.h"
#include "mitigate/ban_register.h"

/* In the directory of bans. */
#define MODE_RECORDS_FILE "modes.json"

enum {
	MODE_WHY_BYTES = 160,
	MODE_HOMES_MOST = 4096,  /* in a configuration */
	MODE_FIRST_ID = 1 << 29, /* those below are of bans, those of the watch's own decisions lie above */

	MODE_ORDER_FULL = 1,
	MODE_ORDER_HOMELESS = 2, /* local, and no home networks are configured */
};

/* What a person wants. */
struct mode_order {
	struct slice site; /* 1 to SIGNATURE_SITE_BYTES */
	enum site_mode mode;
	uint64_t for_ms;
	uid_t by;
	struct slice why; /* cut to MODE_WHY_BYTES */
};

struct mode_entry {
	uint32_t id;
	enum site_mode mode;
	uint64_t since_wall_ms;
	uint64_t expires_ms; /* CLOCK_BOOTTIME */
	uid_t by;
	size_t site_len;
	size_t why_len;
	char site[SIGNATURE_SITE_BYTES + 1];
	char why[MODE_WHY_BYTES];
};

struct mode_register;

/*
 * `homes` are who asks the origin of a site that is local; they are copied, SITE_HOMES_MOST at most. The directory is
 * there (mitigate/ban_register.h). 0; -errno, with *ret_what the path; *ret_said tells what an earlier watch left that
 * was not taken, or is empty.
 */
int mode_register_open(const char *directory, const struct prefix *homes, size_t home_count, struct ban_times now,
		       struct mode_register **ret_register, const char **ret_what, const char **ret_said);
void mode_register_close(struct mode_register *reg); /* NULL is allowed */

/*
 * The site's mode from now on, whatever it was. 0 with the entry; an outcome above; or -errno, where it could not be
 * written down, and nothing has changed.
 */
int mode_register_order(struct mode_register *reg, const struct mode_order *order, struct ban_times now,
			struct mode_entry *ret_entry);

/* Those that are over go; all that are left, the latest first. */
size_t mode_register_entries(struct mode_register *reg, struct ban_times now, const struct mode_entry **ret_entries);
/* NULL: nothing is ordered of this site, or it is over. */
const struct mode_entry *mode_register_find(const struct mode_register *reg, struct slice site, uint64_t now_ms);

/* The same for the gate; room for SITE_MODES_MOST. What they point to is the register's, until it changes. */
size_t mode_register_rules(struct mode_register *reg, struct ban_times now, struct site_mode_rule *rules);
/* Another whenever they are others. */
uint64_t mode_register_version(const struct mode_register *reg);

/* An object: id, site, mode, since, until, seconds_left, by (a user's id), why. */
void mode_entry_write(const struct mode_entry *entry, struct ban_times now, struct buffer *out);

#endif
