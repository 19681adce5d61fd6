/*
 * The edge's exact tables of bans (wire/edge_layout.h), changed in place by one process while the kernel reads them.
 * Nothing but memory: whose it is, the kernel's maps or a test's, is all the same.
 *
 * A writer may be killed at any instruction; whoever takes the tables over calls ban_table_mend() first.
 */
#ifndef GUIA_EDGE_BAN_TABLE_H
#define GUIA_EDGE_BAN_TABLE_H

#include "edge/ban_memory.h"

/* Sizes for so many bans of IPv4 addresses, as many of IPv6 networks, an eighth of IPv6 addresses; random seeds. */
struct edge_geometry edge_geometry_make(uint32_t bans);

/* The prefix of an address that a table's length has, and that length in bits of 128. */
unsigned edge_length_bits(enum edge_length length);

/*
 * Sets a ban, in place of what stood of the same prefix; what has expired by `now_ticks` gives up its place. 0 or
 * BAN_TABLE_FULL. *ret_at, which may be NULL, is where: below ban_table_places().
 */
int ban_table_set(struct ban_table *table, const struct ban_place *ban, uint32_t now_ticks, size_t *ret_at);
/* 0 or BAN_TABLE_ABSENT. */
int ban_table_lift(struct ban_table *table, enum edge_length length, const struct address *address);
/* The word; 0: there is none. Does not ask whether it has expired. */
uint64_t ban_table_find(const struct ban_table *table, enum edge_length length, const struct address *address);

size_t ban_table_places(const struct ban_table *table);
/* The ban at that place or the next behind it; *at is then where. False at the end. */
bool ban_table_next(const struct ban_table *table, size_t *at, struct ban_place *ret_ban);

/* Bits and counts from the tables themselves, and no ban twice. */
void ban_table_mend(struct ban_table *table);

#endif
