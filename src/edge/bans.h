/*
 * Bans and allowances as the ban book says them (limit/ban_image.h), carried to the edge: prefixes of any length by the
 * tables' six, ends from milliseconds to ticks, and never later.
 *
 * Of one prefix the edge keeps one ban, the highest rank's. Whoever lifts that says the next lower again. Of a prefix
 * and the piece of a wider one that is the same, that of the higher rank, or the one that ends later; whoever lifts
 * either says the other again.
 */
#ifndef GUIA_EDGE_BANS_H
#define GUIA_EDGE_BANS_H

#include "edge/edge.h"
#include "limit/ban_image.h"

enum {
	EDGE_PIECES = 256, /* that a prefix of another length may be made of */

	EDGE_TOO_WIDE = 1, /* it would be more: the gate alone has it */
	EDGE_FULL = 2,     /* no place for it, or for a part of it: the gate alone has it */
	EDGE_STRONGER = 3, /* the same prefix is banned by a higher rank already, or within a wider one for longer */
	EDGE_ABSENT = 4,   /* there was nothing to lift */
};

/*
 * A ban, an allowance, or BAN_LIFTED for what that rank said of the prefix. What has ended by `now_ms`, milliseconds of
 * CLOCK_BOOTTIME, is lifted. 0, an outcome of those above, or -errno.
 */
int edge_say(struct edge *edge, const struct ban_entry *entry, uint64_t now_ms);

/* Whether its ban is kept as several of another length, in the places of these. */
bool edge_in_pieces(const struct prefix *prefix);

/* Whether a ban or an allowance stands there. 0, EDGE_TOO_WIDE or EDGE_ABSENT. */
int edge_says(const struct edge *edge, const struct ban_entry *entry);

/* Lifts what has ended among the next places from *at on, which goes round. */
void edge_expire(struct edge *edge, size_t *at, size_t places, uint64_t now_ms);

/*
 * Makes the edge say what the image says and nothing else, changing only what differs: for whoever adopts it, with all
 * that its book holds. *ret_refused is how many entries the gate alone has. 0, -ENOMEM or -errno.
 */
int edge_take(struct edge *edge, const struct ban_image *base, uint64_t now_ms, size_t *ret_refused);

#endif
