/*
 * The files of a log, as C2SP's tlog-tiles lays them out: tile/<L>/<N> holds 256 hashes of subtrees of 256^L leaves
 * side by side, tile/entries/<N> the 256 records of the lowest of these, each behind its length. A tile at the right
 * edge of the tree that is not full yet is tile/<L>/<N>.p/<W>, of W hashes. Pure.
 */
#ifndef GUIA_EVIDENCE_TILE_H
#define GUIA_EVIDENCE_TILE_H

#include "base/buffer.h"
#include "base/reader.h"
#include "evidence/merkle.h"

enum {
	TILE_HEIGHT = 8, /* levels of the tree in one tile */
	TILE_WIDTH = 1 << TILE_HEIGHT,
	TILE_LEVELS = MERKLE_LEVELS / TILE_HEIGHT,
	TILE_PATH_BYTES = 64,
	TILE_BYTES = TILE_WIDTH * MERKLE_HASH_BYTES,
	RECORD_BYTES_MOST = UINT16_MAX,
	BUNDLE_BYTES_MOST = TILE_WIDTH * (2 + RECORD_BYTES_MOST),
};

/* Which file: `level` is TILE_ENTRIES for records; `width` is TILE_WIDTH for a full one. */
struct tile_name {
	int level;
	uint64_t number;
	unsigned width;
};
enum { TILE_ENTRIES = -1 };

void tile_path(struct tile_name name, char out[TILE_PATH_BYTES]);

/* How many hashes tile `number` of `level` has in a tree of `size`: 0 to TILE_WIDTH. Records are counted as level 0. */
unsigned tile_width(uint64_t size, unsigned level, uint64_t number);

/* The number of the tile of `level` that is not full, in a tree of `size`. */
static inline uint64_t tile_at_edge(uint64_t size, unsigned level)
{
	return level + 1 < TILE_LEVELS ? size >> (level + 1) * TILE_HEIGHT : 0;
}

/* ---- records in a bundle ---- */

/* `record` has at most RECORD_BYTES_MOST bytes. */
void bundle_add(struct buffer *bundle, struct slice record);

/* False at the end, and where what follows is no whole record: then the reader is not at its end. */
bool bundle_next(struct reader *bundle, struct slice *ret_record);

#endif
