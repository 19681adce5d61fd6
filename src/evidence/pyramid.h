/*
 * The hashes of a tree from its bundles upwards, in memory: of every complete subtree of 256 leaves and more, and of
 * the leaves of the bundle at the right edge that is not full. From them come the root, and the way from any bundle to
 * it; the way from a record to its bundle's root needs that bundle's hashes alone. 64 bytes for each 256 leaves.
 */
#ifndef GUIA_EVIDENCE_PYRAMID_H
#define GUIA_EVIDENCE_PYRAMID_H

#include "evidence/merkle.h"
#include "evidence/tile.h"

enum { PYRAMID_LEVELS = MERKLE_LEVELS - TILE_HEIGHT };

struct pyramid {
	uint64_t size;
	uint64_t bundles;                           /* that are full */
	struct merkle_hash *levels[PYRAMID_LEVELS]; /* the lowest is of bundles; NULL where there are none */
	struct merkle_hash edge[TILE_WIDTH];
	unsigned edge_count; /* size % TILE_WIDTH */
};

/* Zeroes: the caller fills levels[0] and edge, then raises it. 0 or -ENOMEM. */
int pyramid_create(uint64_t size, struct pyramid **ret_pyramid);
void pyramid_raise(struct pyramid *pyramid);
void pyramid_free(struct pyramid *pyramid); /* NULL is allowed */

struct merkle_hash pyramid_root(const struct pyramid *pyramid);

/* From the root of bundle `number`, be it the one at the edge, to the root of all. */
void pyramid_path(const struct pyramid *pyramid, uint64_t number, struct merkle_proof *ret_path);

/* The complete subtrees within one bundle. */
struct bundle_tree {
	unsigned count;
	struct merkle_hash levels[TILE_HEIGHT + 1][TILE_WIDTH];
};

/* Its levels[0] and count are the caller's; the others are made. */
void bundle_tree_raise(struct bundle_tree *tree);
/* From hash `at` to their root. */
void bundle_tree_path(const struct bundle_tree *tree, unsigned at, struct merkle_proof *ret_path);

#endif
