/*
 * A thread that writes what was sealed into tiles, and says up to where they are on the disk, so that the journal may
 * take a half anew. It may fail for as long as the disk is full; what it has to write stays in the journal until then.
 */
#ifndef GUIA_EVIDENCE_SETTLER_H
#define GUIA_EVIDENCE_SETTLER_H

#include "evidence/tail.h"

struct settler;

/*
 * `before`: the tree of the records that have tiles, a multiple of 256; the tiles at its edge are read. 0, -ENOMEM, or
 * -EBADMSG: one is missing, or is not of that tree.
 */
int settler_create(const struct disk_calls *disk, int folder, const struct merkle_frontier *before,
		   struct settler **ret_settler);

/* Takes full bundles, in order. */
void settler_give(struct settler *settler, struct bundle *first, struct bundle *last);

/* Up to which record tiles are on the disk. */
uint64_t settler_settled(struct settler *settler);

/* Ends it. `edge` is the bundle that is not full, whose tiles are written too, if all else could be; NULL: none. */
void settler_end(struct settler *settler, const struct bundle *edge);

#endif
