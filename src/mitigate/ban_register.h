/*
 * Bans and allowances in force, with who said so and why: the book (limit/ban_book.h), its images for the gate, and a
 * file of records for people and for the next watch. Lives in a directory of its own, which the gate's workers read.
 *
 * An order is in the images, and so at the gate, a tenth of a second later at most. A new base is written when the
 * delta has grown large, at most every ten seconds. What is wrong with the files of an earlier watch is told and not
 * taken; bans that the gate has hold there until they end.
 */
#ifndef GUIA_MITIGATE_BAN_REGISTER_H
#define GUIA_MITIGATE_BAN_REGISTER_H

#include "base/buffer.h"
#include "limit/ban_image.h"

#include <sys/types.h>

enum {
	BAN_REGISTER_MOST = 1 << 20, /* prefixes */
	BAN_RECORDS_MOST = 4096,     /* of people's orders */
	BAN_WHY_BYTES = 160,

	BAN_ORDER_FULL = 1,
	BAN_ORDER_TOO_WIDE = 2, /* wider than /16, of IPv6 than /32, and not forced */
	BAN_ORDER_ABSENT = 3,   /* nothing was said of this prefix */
	BAN_ORDER_ALLOWED = 4,  /* somebody allows it */
};

/* What a person wants. */
struct ban_order {
	struct prefix prefix;
	enum ban_kind kind; /* BAN_REFUSE, BAN_ALLOW; BAN_LIFTED: neither any more */
	uint64_t for_ms;    /* 0: until it is lifted */
	bool force;
	uid_t by;
	struct slice why; /* cut to BAN_WHY_BYTES */
};

struct ban_record {
	struct prefix prefix;
	enum ban_kind kind;
	enum ban_rank rank;
	uint32_t id;
	uint64_t since_wall_ms;
	uint64_t expires_ms; /* CLOCK_BOOTTIME; BAN_FOR_EVER */
	uid_t by;
	size_t why_len;
	char why[BAN_WHY_BYTES];
};

struct ban_register;

struct ban_times {
	uint64_t boot_ms; /* CLOCK_BOOTTIME */
	uint64_t wall_ms;
};

/*
 * Makes the directory if there is none. 0; -EBUSY: another register has it, which would be told nothing of what we
 * write over; -errno, with *ret_what the path; *ret_said tells what an earlier watch left that was not taken, or is
 * empty. The register owns both texts.
 */
int ban_register_open(const char *directory, struct ban_times now, struct ban_register **ret_register,
		      const char **ret_what, const char **ret_said);
/* What is still to be written is lost; NULL is allowed. */
void ban_register_close(struct ban_register *reg);

/* 0 with the record as it stands (of BAN_LIFTED as it stood), an outcome above, or -EINVAL. */
int ban_register_order(struct ban_register *reg, const struct ban_order *order, struct ban_times now,
		       struct ban_record *ret_record);

/* The watch's own decision: a minute at first, and longer for who returns. 0 or an outcome above. */
int ban_register_punish(struct ban_register *reg, const struct prefix *prefix, uint32_t id, struct ban_times now);

/*
 * Who else carries bans out: told of each prefix of which something else is said now. What is said of it then, rank by
 * rank, and of all prefixes, as an image of which the caller owns the bytes. NULL: nobody is told.
 */
struct ban_follower {
	void (*changed)(void *context, const struct prefix *prefix, struct ban_times now);
	void *context;
};
void ban_register_follow(struct ban_register *reg, const struct ban_follower *follower);
bool ban_register_said(const struct ban_register *reg, const struct prefix *prefix, enum ban_rank rank,
		       struct ban_times now, struct ban_entry *ret_entry);
/* 0 or -ENOMEM. */
int ban_register_image(const struct ban_register *reg, struct ban_times now, struct buffer *bytes,
		       struct ban_image *ret_image);

/*
 * Writes all that has changed: on the disk when it returns 0. What could not be written is tried again by the ticks to
 * come, and the gate has what it had.
 */
int ban_register_write(struct ban_register *reg, struct ban_times now);

/* The same at its time, ten times a second at most, with what has changed by itself; else what came of the last. */
int ban_register_tick(struct ban_register *reg, struct ban_times now);

/* What came of the last writing: 0, or -errno, and the gate lacks what was said since, which a kill of the watch loses.
 */
int ban_register_failed(const struct ban_register *reg);

/*
 * People's orders, the latest first; one that is over goes with the next tick. They are the register's, until it
 * changes. And how many prefixes are banned or allowed now, by whomever.
 */
size_t ban_register_records(const struct ban_register *reg, const struct ban_record **ret_records);
size_t ban_register_count(const struct ban_register *reg, struct ban_times now);

#endif
