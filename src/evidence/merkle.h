/*
 * Merkle trees over the records of a log: hashing, roots, proofs. RFC 6962, section 2.1, and in RFC 9162, section 2.1,
 * the same tree with the algorithms that verify proofs without recursion. SHA-256; a leaf's hash is of 0x00 and the
 * record, a node's of 0x01 and both children. Pure, but for what a source reads.
 */
#ifndef GUIA_EVIDENCE_MERKLE_H
#define GUIA_EVIDENCE_MERKLE_H

#include "base/slice.h"

enum {
	MERKLE_HASH_BYTES = 32,
	MERKLE_LEVELS = 64,
	MERKLE_PROOF_MOST = MERKLE_LEVELS + 1, /* hashes: a consistency proof's first may be of the old tree's edge */
};

struct merkle_hash {
	uint8_t bytes[MERKLE_HASH_BYTES];
};

static inline bool merkle_hash_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct merkle_hash merkle_leaf(struct slice record);
struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right);

/* SHA-256 of two parts, one behind the other. */
struct merkle_hash merkle_sha256(struct slice first, struct slice second);

/* ---- a tree that grows ---- */

/* The complete subtrees that a tree of `size` leaves consists of: that of 2^level leaves where the bit of size is set.
 */
struct merkle_frontier {
	uint64_t size;
	struct merkle_hash subtree[MERKLE_LEVELS];
};

void merkle_push(struct merkle_frontier *frontier, const struct merkle_hash *leaf);
struct merkle_hash merkle_root(const struct merkle_frontier *frontier);

/* The root over `count` hashes that lie side by side, from 1 on. */
struct merkle_hash merkle_root_of(const struct merkle_hash *hashes, size_t count);

/* ---- proofs ---- */

struct merkle_proof {
	size_t count;
	struct merkle_hash hashes[MERKLE_PROOF_MOST];
};

/* The hash of the complete subtree over leaves [index << level, (index + 1) << level). 0, or what the proof then gives.
 */
typedef int merkle_source_fn(void *context, unsigned level, uint64_t index, struct merkle_hash *ret_hash);

struct merkle_source {
	merkle_source_fn *subtree;
	void *context;
};

/* The root of the tree's first `size` leaves. */
int merkle_source_root(const struct merkle_source *source, uint64_t size, struct merkle_hash *ret_root);

/* That leaf `index` is in the tree of `size`; `index` must be below. From the leaf's sibling upwards. */
int merkle_prove_inclusion(const struct merkle_source *source, uint64_t index, uint64_t size,
			   struct merkle_proof *ret_proof);

/* That the tree of `older` leaves is the beginning of that of `newer`: 0 < older <= newer. */
int merkle_prove_consistency(const struct merkle_source *source, uint64_t older, uint64_t newer,
			     struct merkle_proof *ret_proof);

bool merkle_verify_inclusion(const struct merkle_proof *proof, const struct merkle_hash *leaf, uint64_t index,
			     uint64_t size, const struct merkle_hash *root);

/* Of an empty older tree only its root is looked at, and the proof must be empty; likewise where the sizes are equal.
 */
bool merkle_verify_consistency(const struct merkle_proof *proof, uint64_t older, const struct merkle_hash *older_root,
			       uint64_t newer, const struct merkle_hash *newer_root);

#endif
