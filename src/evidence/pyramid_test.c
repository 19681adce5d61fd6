#include "evidence/pyramid.h"

#include "base/test.h"

static struct merkle_hash hash_of(uint64_t number)
{
	return merkle_leaf(slice_make(&number, sizeof(number)));
}

static void fill(struct pyramid *pyramid, uint64_t size)
{
	struct merkle_hash hashes[TILE_WIDTH];
	for (uint64_t i = 0; i < size; i++) {
		hashes[i % TILE_WIDTH] = hash_of(i);
		if (i % TILE_WIDTH == TILE_WIDTH - 1)
			pyramid->levels[0][i / TILE_WIDTH] = merkle_root_of(hashes, TILE_WIDTH);
	}
	memcpy(pyramid->edge, hashes, pyramid->edge_count * sizeof(hashes[0]));
	pyramid_raise(pyramid);
}

static struct bundle_tree tree_of(uint64_t number, unsigned count)
{
	struct bundle_tree tree = {.count = count};
	for (unsigned i = 0; i < count; i++)
		tree.levels[0][i] = hash_of(number * TILE_WIDTH + i);
	bundle_tree_raise(&tree);
	return tree;
}

static void prove_all(const struct pyramid *pyramid, const struct merkle_hash *root)
{
	struct merkle_proof within, proof;
	for (uint64_t number = 0; number * TILE_WIDTH < pyramid->size; number++) {
		struct bundle_tree tree = tree_of(number, tile_width(pyramid->size, 0, number));
		for (unsigned at = 0; at < tree.count; at += at < 3 || at > tree.count - 4 ? 1 : 17) {
			pyramid_path(pyramid, number, &proof);
			bundle_tree_path(&tree, at, &within);
			memcpy(within.hashes + within.count, proof.hashes, proof.count * sizeof(proof.hashes[0]));
			within.count += proof.count;
			assert_true(merkle_verify_inclusion(&within, &tree.levels[0][at], number * TILE_WIDTH + at,
							    pyramid->size, root));
		}
	}
}

static void every_way_leads_to_the_root(void **state)
{
	static const uint64_t sizes[] = {1, 2, 3, 255, 256, 257, 511, 512, 513, 768, 1000, 4096, 5121, 66000};
	struct merkle_frontier frontier = {0};
	struct pyramid *pyramid;
	size_t next = 0;
	(void)state;
	for (uint64_t i = 0; next < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct merkle_hash hash = hash_of(i);
		merkle_push(&frontier, &hash);
		if (i + 1 != sizes[next])
			continue;
		struct merkle_hash root = merkle_root(&frontier), ours;
		assert_int_equal(pyramid_create(sizes[next++], &pyramid), 0);
		fill(pyramid, i + 1);
		ours = pyramid_root(pyramid);
		assert_true(merkle_hash_equal(&ours, &root));
		prove_all(pyramid, &root);
		pyramid_free(pyramid);
	}
}

TEST_MAIN(cmocka_unit_test(every_way_leads_to_the_root))
