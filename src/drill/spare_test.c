#include "drill/spare.h"

#include "base/test.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <string.h>

enum { LARGEST = 200000 };

static bool is_all(const uint8_t *bytes, size_t count, uint8_t value)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static void blocks_are_apart_and_aligned(void **state)
{
	(void)state;
	enum { BLOCKS = 64 };
	uint8_t *blocks[BLOCKS];
	for (int turn = 0; turn < 3; turn++) {
		for (size_t i = 0; i < BLOCKS; i++) {
			size_t bytes = 1 + i * i * 50;
			blocks[i] = OPENSSL_malloc(bytes);
			assert_non_null(blocks[i]);
			assert_int_equal((uintptr_t)blocks[i] % 16, 0);
			memset(blocks[i], (int)i, bytes);
		}
		for (size_t i = 0; i < BLOCKS; i++) {
			assert_true(is_all(blocks[i], 1 + i * i * 50, (uint8_t)i));
			OPENSSL_free(blocks[i]);
		}
	}
	OPENSSL_free(NULL);
}

static void what_grows_keeps_what_it_held(void **state)
{
	(void)state;
	size_t held = 1;
	uint8_t *block = OPENSSL_malloc(held);
	*block = 7;
	for (size_t bytes = 2; bytes < LARGEST; bytes = bytes * 3 / 2 + 1) {
		block = OPENSSL_realloc(block, bytes);
		assert_non_null(block);
		assert_true(is_all(block, held, 7));
		memset(block, 7, bytes);
		held = bytes;
	}
	block = OPENSSL_realloc(block, 40);
	assert_true(is_all(block, 40, 7));
	assert_null(OPENSSL_realloc(block, 0));
}

static void what_is_given_back_is_the_next(void **state)
{
	(void)state;
	void *block = OPENSSL_malloc(100);
	OPENSSL_free(block);
	assert_ptr_equal(OPENSSL_malloc(120), block); /* both of 128 */
	OPENSSL_free(block);
}

static int begin(void **state)
{
	(void)state;
	spare_begin();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_are_apart_and_aligned),
					   cmocka_unit_test(what_grows_keeps_what_it_held),
					   cmocka_unit_test(what_is_given_back_is_the_next)};
	return cmocka_run_group_tests(tests, begin, NULL);
}
