#include "evidence/merkle.h"

#include "base/random.h"
#include "base/test.h"
#include "base/test_cases.h"
#include "codec/text.h"

enum { LEAVES = 200 };

static struct merkle_hash leaves[LEAVES];

/* RFC 6962, section 2.1, word for word: what the rest is held against. */
static struct merkle_hash naive_root(size_t from, size_t to)
{
	if (from == to)
		return merkle_sha256(slice_make(NULL, 0), slice_make(NULL, 0));
	if (to - from == 1)
		return leaves[from];
	size_t k = 1;
	while (k * 2 < to - from)
		k *= 2;
	struct merkle_hash left = naive_root(from, from + k), right = naive_root(from + k, to);
	return merkle_node(&left, &right);
}

static void naive_path(size_t m, size_t from, size_t to, struct merkle_proof *out)
{
	size_t k = 1;
	if (to - from <= 1)
		return;
	while (k * 2 < to - from)
		k *= 2;
	if (m < k)
		naive_path(m, from, from + k, out);
	else
		naive_path(m - k, from + k, to, out);
	out->hashes[out->count++] = m < k ? naive_root(from + k, to) : naive_root(from, from + k);
}

static void naive_growth(size_t m, size_t from, size_t to, bool known, struct merkle_proof *out)
{
	size_t k = 1;
	if (m == to - from) {
		if (!known)
			out->hashes[out->count++] = naive_root(from, to);
		return;
	}
	while (k * 2 < to - from)
		k *= 2;
	if (m <= k)
		naive_growth(m, from, from + k, known, out);
	else
		naive_growth(m - k, from + k, to, false, out);
	out->hashes[out->count++] = m <= k ? naive_root(from + k, to) : naive_root(from, from + k);
}

static int subtree(void *context, unsigned level, uint64_t index, struct merkle_hash *ret_hash)
{
	(void)context;
	assert_true((index + 1) << level <= LEAVES);
	*ret_hash = naive_root((size_t)index << level, (size_t)(index + 1) << level);
	return 0;
}

static const struct merkle_source source = {subtree, NULL};

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEAVES; i++)
		leaves[i] = merkle_leaf(slice_make(&i, i % sizeof(i)));
	return 0;
}

static void assert_hash(const struct merkle_hash *got, struct slice hex)
{
	char text[2 * MERKLE_HASH_BYTES];
	hex_encode(slice_make(got->bytes, sizeof(got->bytes)), (uint8_t *)text);
	assert_true(slice_equal(slice_make(text, sizeof(text)), hex));
}

static void assert_same_proof(const struct merkle_proof *got, const struct merkle_proof *expected)
{
	assert_int_equal(got->count, expected->count);
	for (size_t i = 0; i < got->count; i++)
		assert_true(merkle_hash_equal(&got->hashes[i], &expected->hashes[i]));
}

/* The records and roots with which implementations of Certificate Transparency are compared. */
static void roots_are_those_of_others(void **state)
{
	struct merkle_frontier frontier = {0};
	struct merkle_hash root = merkle_root(&frontier);
	struct test_cases cases;
	struct test_case test;
	(void)state;
	assert_hash(&root, SLICE("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	test_cases_open(&cases, "src/evidence/merkle_cases.txt");
	while (test_cases_next(&cases, &test)) {
		struct merkle_hash leaf = merkle_leaf(test.column[0]);
		merkle_push(&frontier, &leaf);
		root = merkle_root(&frontier);
		assert_hash(&root, test.column[1]);
	}
	assert_int_equal(frontier.size, 8);
	test_cases_close(&cases);
}

static void roots_are_those_of_the_definition(void **state)
{
	struct merkle_frontier frontier = {0};
	(void)state;
	for (size_t size = 1; size <= LEAVES; size++) {
		merkle_push(&frontier, &leaves[size - 1]);
		struct merkle_hash expected = naive_root(0, size), got = merkle_root(&frontier), read;
		assert_true(merkle_hash_equal(&got, &expected));
		assert_int_equal(merkle_source_root(&source, size, &read), 0);
		assert_true(merkle_hash_equal(&read, &expected));
	}
}

static void inclusion_is_proven_and_nothing_else(void **state)
{
	struct merkle_proof proof;
	(void)state;
	for (size_t size = 1; size <= 40; size++) {
		struct merkle_hash root = naive_root(0, size);
		for (size_t index = 0; index < size; index++) {
			struct merkle_proof expected = {0};
			naive_path(index, 0, size, &expected);
			assert_int_equal(merkle_prove_inclusion(&source, index, size, &proof), 0);
			assert_same_proof(&proof, &expected);
			for (size_t other = 0; other <= size; other++)
				assert_int_equal(merkle_verify_inclusion(&proof, &leaves[index], other, size, &root),
						 other == index);
			proof.count++;
			assert_false(merkle_verify_inclusion(&proof, &leaves[index], index, size, &root));
			proof.count--;
			if (proof.count == 0)
				continue;
			proof.hashes[index % proof.count].bytes[size % 32] ^= 1;
			assert_false(merkle_verify_inclusion(&proof, &leaves[index], index, size, &root));
			proof.hashes[index % proof.count].bytes[size % 32] ^= 1;
			proof.count--;
			assert_false(merkle_verify_inclusion(&proof, &leaves[index], index, size, &root));
		}
	}
}

static void growth_is_proven_and_nothing_else(void **state)
{
	struct merkle_proof proof;
	(void)state;
	for (size_t newer = 1; newer <= 40; newer++) {
		struct merkle_hash newer_root = naive_root(0, newer);
		for (size_t older = 1; older <= newer; older++) {
			struct merkle_hash root = naive_root(0, older), another = naive_root(1, older);
			struct merkle_proof expected = {0};
			naive_growth(older, 0, newer, true, &expected);
			assert_int_equal(merkle_prove_consistency(&source, older, newer, &proof), 0);
			assert_same_proof(&proof, &expected);
			assert_true(merkle_verify_consistency(&proof, older, &root, newer, &newer_root));
			assert_false(merkle_verify_consistency(&proof, older, &another, newer, &newer_root));
			assert_false(merkle_verify_consistency(&proof, newer + 1, &root, newer, &newer_root));
			if (older < newer)
				assert_false(merkle_verify_consistency(&proof, older, &root, newer, &another));
			if (proof.count == 0)
				continue;
			proof.hashes[older % proof.count].bytes[newer % 32] ^= 1;
			assert_false(merkle_verify_consistency(&proof, older, &root, newer, &newer_root));
			proof.count--;
			assert_false(merkle_verify_consistency(&proof, older, &root, newer, &newer_root));
		}
	}
}

static void an_empty_tree_grows_into_any(void **state)
{
	struct merkle_hash empty = naive_root(0, 0), root = naive_root(0, 7);
	struct merkle_proof none = {0};
	(void)state;
	assert_true(merkle_verify_consistency(&none, 0, &empty, 7, &root));
	assert_false(merkle_verify_consistency(&none, 0, &root, 7, &root));
	none.count = 1;
	assert_false(merkle_verify_consistency(&none, 0, &empty, 7, &root));
}

/* Whatever sizes and places a proof from elsewhere names: it is refused, at once. */
static void no_proof_holds_of_what_was_made_up(void **state)
{
	uint64_t seed = 1;
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct merkle_proof proof = {.count = (size_t)(random_next(&seed) % (MERKLE_PROOF_MOST + 1))};
		uint64_t a = random_next(&seed) >> random_next(&seed) % 64,
			 b = random_next(&seed) >> random_next(&seed) % 64;
		assert_false(merkle_verify_inclusion(&proof, &leaves[0], a, b, &leaves[1]));
		if (a != 0)
			assert_false(merkle_verify_consistency(&proof, a, &leaves[0], b, &leaves[1]));
	}
}

int main(void)
{
	const struct CMUnitTest unit_tests[] = {
		cmocka_unit_test(roots_are_those_of_others),
		cmocka_unit_test(roots_are_those_of_the_definition),
		cmocka_unit_test(inclusion_is_proven_and_nothing_else),
		cmocka_unit_test(growth_is_proven_and_nothing_else),
		cmocka_unit_test(an_empty_tree_grows_into_any),
		cmocka_unit_test(no_proof_holds_of_what_was_made_up),
	};
	return cmocka_run_group_tests(unit_tests, set_up, NULL);
}
