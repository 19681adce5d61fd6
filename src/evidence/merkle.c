/* By libcrypto's low-level functions, for the reason that codec/digest.c gives. */
#define OPENSSL_API_COMPAT 10100
#include "evidence/merkle.h"

#include <openssl/sha.h>

enum { LEAF_PREFIX = 0, NODE_PREFIX = 1 };

struct merkle_hash merkle_leaf(struct slice record)
{
	static const uint8_t prefix = LEAF_PREFIX;
	return merkle_sha256(slice_make(&prefix, 1), record);
}

struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right)
{
	uint8_t bytes[1 + 2 * MERKLE_HASH_BYTES] = {NODE_PREFIX};
	memcpy(bytes + 1, left->bytes, MERKLE_HASH_BYTES);
	memcpy(bytes + 1 + MERKLE_HASH_BYTES, right->bytes, MERKLE_HASH_BYTES);
	return merkle_sha256(slice_make(bytes, sizeof(bytes)), slice_make(NULL, 0));
}

struct merkle_hash merkle_sha256(struct slice first, struct slice second)
{
	struct merkle_hash hash;
	SHA256_CTX context;
	SHA256_Init(&context);
	SHA256_Update(&context, first.ptr, first.len);
	SHA256_Update(&context, second.ptr, second.len);
	SHA256_Final(hash.bytes, &context);
	return hash;
}

/* ---- a tree that grows ---- */

void merkle_push(struct merkle_frontier *frontier, const struct merkle_hash *leaf)
{
	struct merkle_hash hash = *leaf;
	unsigned level = 0;
	for (; (frontier->size >> level & 1) != 0; level++)
		hash = merkle_node(&frontier->subtree[level], &hash);
	frontier->subtree[level] = hash;
	frontier->size++;
}

struct merkle_hash merkle_root(const struct merkle_frontier *frontier)
{
	struct merkle_hash root;
	bool any = false;
	for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
		if ((frontier->size >> level & 1) == 0)
			continue;
		root = any ? merkle_node(&frontier->subtree[level], &root) : frontier->subtree[level];
		any = true;
	}
	return any ? root : merkle_sha256(slice_make(NULL, 0), slice_make(NULL, 0));
}

struct merkle_hash merkle_root_of(const struct merkle_hash *hashes, size_t count)
{
	struct merkle_frontier frontier = {0};
	for (size_t i = 0; i < count; i++)
		merkle_push(&frontier, &hashes[i]);
	return merkle_root(&frontier);
}

/* ---- proofs ---- */

static unsigned level_below(uint64_t leaves)
{
	return 63 - (unsigned)__builtin_clzll(leaves);
}

/* The largest power of two below `leaves`, of which there are two at least. */
static uint64_t split(uint64_t leaves)
{
	return UINT64_C(1) << level_below(leaves - 1);
}

/* Over leaves [from, to); `from` is a multiple of the largest power of two that fits in between. */
static int range_root(const struct merkle_source *source, uint64_t from, uint64_t to, struct merkle_hash *ret_root)
{
	struct merkle_frontier range = {.size = to - from};
	for (uint64_t left = range.size; left > 0;) {
		unsigned level = level_below(left);
		int r = source->subtree(source->context, level, from >> level, &range.subtree[level]);
		if (r != 0)
			return r;
		from += UINT64_C(1) << level;
		left -= UINT64_C(1) << level;
	}
	*ret_root = merkle_root(&range);
	return 0;
}

int merkle_source_root(const struct merkle_source *source, uint64_t size, struct merkle_hash *ret_root)
{
	return range_root(source, 0, size, ret_root);
}

/* A path is found from the root downwards, and told from below. */
static void reverse(struct merkle_proof *proof)
{
	for (size_t i = 0; i < proof->count / 2; i++) {
		struct merkle_hash hash = proof->hashes[i];
		proof->hashes[i] = proof->hashes[proof->count - 1 - i];
		proof->hashes[proof->count - 1 - i] = hash;
	}
}

int merkle_prove_inclusion(const struct merkle_source *source, uint64_t index, uint64_t size,
			   struct merkle_proof *ret_proof)
{
	struct merkle_proof proof = {0};
	uint64_t from = 0, to = size;
	while (to - from > 1) {
		uint64_t middle = from + split(to - from);
		bool left = index < middle;
		int r = range_root(source, left ? middle : from, left ? to : middle, &proof.hashes[proof.count]);
		if (r != 0)
			return r;
		proof.count++;
		from = left ? from : middle;
		to = left ? middle : to;
	}
	reverse(&proof);
	*ret_proof = proof;
	return 0;
}

int merkle_prove_consistency(const struct merkle_source *source, uint64_t older, uint64_t newer,
			     struct merkle_proof *ret_proof)
{
	struct merkle_proof proof = {0};
	uint64_t from = 0, to = newer;
	while (older != to) {
		uint64_t middle = from + split(to - from);
		bool left = older <= middle;
		int r = range_root(source, left ? middle : from, left ? to : middle, &proof.hashes[proof.count]);
		if (r != 0)
			return r;
		proof.count++;
		from = left ? from : middle;
		to = left ? middle : to;
	}
	/* From 0 on it is the older tree itself, whose root is known. */
	if (from > 0) {
		int r = range_root(source, from, to, &proof.hashes[proof.count]);
		if (r != 0)
			return r;
		proof.count++;
	}
	reverse(&proof);
	*ret_proof = proof;
	return 0;
}

/* RFC 9162, section 2.1.3.2. */
bool merkle_verify_inclusion(const struct merkle_proof *proof, const struct merkle_hash *leaf, uint64_t index,
			     uint64_t size, const struct merkle_hash *root)
{
	struct merkle_hash hash = *leaf;
	if (index >= size)
		return false;
	uint64_t place = index, last = size - 1;
	for (size_t i = 0; i < proof->count; i++) {
		if (last == 0)
			return false;
		if ((place & 1) != 0 || place == last) {
			hash = merkle_node(&proof->hashes[i], &hash);
			while ((place & 1) == 0 && place != 0) {
				place >>= 1;
				last >>= 1;
			}
		} else {
			hash = merkle_node(&hash, &proof->hashes[i]);
		}
		place >>= 1;
		last >>= 1;
	}
	return last == 0 && merkle_hash_equal(&hash, root);
}

/* RFC 9162, section 2.1.4.2, where both trees have leaves and the newer one more. */
static bool verify_growth(const struct merkle_proof *proof, uint64_t older, const struct merkle_hash *older_root,
			  uint64_t newer, const struct merkle_hash *newer_root)
{
	bool whole = (older & (older - 1)) == 0; /* the older root is itself a node of the newer tree */
	uint64_t place = older - 1, last = newer - 1;
	size_t at = whole ? 0 : 1;
	if (proof->count < 1)
		return false;
	struct merkle_hash old = whole ? *older_root : proof->hashes[0], new = old;
	for (; (place & 1) != 0; place >>= 1)
		last >>= 1;
	for (; at < proof->count; at++) {
		const struct merkle_hash *hash = &proof->hashes[at];
		if (last == 0)
			return false;
		if ((place & 1) != 0 || place == last) {
			old = merkle_node(hash, &old);
			new = merkle_node(hash, &new);
			while ((place & 1) == 0 && place != 0) {
				place >>= 1;
				last >>= 1;
			}
		} else {
			new = merkle_node(&new, hash);
		}
		place >>= 1;
		last >>= 1;
	}
	return last == 0 && merkle_hash_equal(&old, older_root) && merkle_hash_equal(&new, newer_root);
}

bool merkle_verify_consistency(const struct merkle_proof *proof, uint64_t older, const struct merkle_hash *older_root,
			       uint64_t newer, const struct merkle_hash *newer_root)
{
	static const struct merkle_frontier nothing;
	if (older > newer)
		return false;
	if (older == newer)
		return proof->count == 0 && merkle_hash_equal(older_root, newer_root);
	if (older == 0) {
		struct merkle_hash empty = merkle_root(&nothing);
		return proof->count == 0 && merkle_hash_equal(older_root, &empty);
	}
	return verify_growth(proof, older, older_root, newer, newer_root);
}
