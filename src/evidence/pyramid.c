/*
 * Roots and proofs are merkle.c's, which asks for subtrees. A path through the whole tree begins within a bundle, of
 * which nothing is known here if it is full: that part is asked for as zeroes and cut off.
 */
#include "evidence/pyramid.h"

#include "base/error.h"

#include <stdlib.h>

int pyramid_create(uint64_t size, struct pyramid **ret_pyramid)
{
	struct pyramid *pyramid = calloc(1, sizeof(*pyramid));
	if (pyramid == NULL)
		return -ENOMEM;
	pyramid->size = size;
	pyramid->bundles = size / TILE_WIDTH;
	pyramid->edge_count = (unsigned)(size % TILE_WIDTH);
	for (unsigned level = 0; pyramid->bundles >> level > 0; level++) {
		pyramid->levels[level] = calloc(pyramid->bundles >> level, sizeof(struct merkle_hash));
		if (pyramid->levels[level] == NULL) {
			pyramid_free(pyramid);
			return -ENOMEM;
		}
	}
	*ret_pyramid = pyramid;
	return 0;
}

void pyramid_raise(struct pyramid *pyramid)
{
	for (unsigned level = 1; pyramid->bundles >> level > 0; level++)
		for (uint64_t i = 0; i < pyramid->bundles >> level; i++)
			pyramid->levels[level][i] =
				merkle_node(&pyramid->levels[level - 1][2 * i], &pyramid->levels[level - 1][2 * i + 1]);
}

void pyramid_free(struct pyramid *pyramid)
{
	if (pyramid == NULL)
		return;
	for (unsigned level = 0; level < PYRAMID_LEVELS; level++)
		free(pyramid->levels[level]);
	free(pyramid);
}

/* Of what is within a full bundle nothing is known, nor asked but for parts of a path that are dropped. */
static int subtree(void *context, unsigned level, uint64_t index, struct merkle_hash *ret_hash)
{
	const struct pyramid *pyramid = context;
	uint64_t first = index << level;
	if (level >= TILE_HEIGHT)
		*ret_hash = pyramid->levels[level - TILE_HEIGHT][index];
	else if (first / TILE_WIDTH == pyramid->bundles)
		*ret_hash = merkle_root_of(&pyramid->edge[first % TILE_WIDTH], (size_t)1 << level);
	else
		*ret_hash = (struct merkle_hash){{0}};
	return 0;
}

struct merkle_hash pyramid_root(const struct pyramid *pyramid)
{
	const struct merkle_source source = {subtree, (void *)(uintptr_t)pyramid};
	struct merkle_hash root;
	(void)merkle_source_root(&source, pyramid->size, &root);
	return root;
}

static int subtree_within(void *context, unsigned level, uint64_t index, struct merkle_hash *ret_hash)
{
	const struct bundle_tree *tree = context;
	*ret_hash = tree->levels[level][index];
	return 0;
}

void bundle_tree_raise(struct bundle_tree *tree)
{
	for (unsigned level = 1; level <= TILE_HEIGHT; level++)
		for (unsigned i = 0; i < tree->count >> level; i++)
			tree->levels[level][i] =
				merkle_node(&tree->levels[level - 1][2 * i], &tree->levels[level - 1][2 * i + 1]);
}

void bundle_tree_path(const struct bundle_tree *tree, unsigned at, struct merkle_proof *ret_path)
{
	const struct merkle_source source = {subtree_within, (void *)(uintptr_t)tree};
	(void)merkle_prove_inclusion(&source, at, tree->count, ret_path);
}

void pyramid_path(const struct pyramid *pyramid, uint64_t number, struct merkle_proof *ret_path)
{
	const struct merkle_source source = {subtree, (void *)(uintptr_t)pyramid};
	struct merkle_proof whole;
	unsigned count = number < pyramid->bundles ? TILE_WIDTH : pyramid->edge_count, below = 0;
	(void)merkle_prove_inclusion(&source, number * TILE_WIDTH, pyramid->size, &whole);
	while (1u << below < count)
		below++;
	*ret_path = (struct merkle_proof){.count = whole.count - below};
	memcpy(ret_path->hashes, whole.hashes + below, ret_path->count * sizeof(ret_path->hashes[0]));
}
