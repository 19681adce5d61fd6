#include "codec/byte_squeeze.h"

#include "base/test.h"

#if defined(__x86_64__)

enum { BLOCK = 32, ROUNDS = 100000 };

BYTE_SQUEEZE_TARGET static size_t squeeze(const uint8_t *bytes, uint32_t kept, uint8_t *out)
{
	return byte_squeeze_32(_mm256_loadu_si256((const __m256i *)bytes), kept, out);
}

static void what_is_kept_stands_together(void **state)
{
	(void)state;
	uint64_t random = 1;
	if (!byte_squeeze_is_possible())
		skip();
	for (size_t round = 0; round < ROUNDS; round++) {
		uint8_t bytes[BLOCK], out[BLOCK + 1], expected[BLOCK];
		size_t len = 0;
		random = random * 6364136223846793005u + 1442695040888963407u;
		/* Each of the eighths' 256 ways, and all or none of the others. */
		uint32_t others = round % 3 == 0 ? 0 : round % 3 == 1 ? UINT32_MAX : (uint32_t)(random >> 32);
		unsigned shift = (unsigned)(round / 256 % 4) * 8;
		uint32_t kept = (others & ~(UINT32_C(0xff) << shift)) | (uint32_t)(round % 256) << shift;
		for (size_t i = 0; i < BLOCK; i++) {
			bytes[i] = (uint8_t)((random >> 24) + i * 37);
			if ((kept >> i & 1) != 0)
				expected[len++] = bytes[i];
		}
		out[BLOCK] = 0xa5;
		assert_int_equal(squeeze(bytes, kept, out), len);
		assert_memory_equal(out, expected, len);
		assert_int_equal(out[BLOCK], 0xa5);
	}
}

#else

static void what_is_kept_stands_together(void **state)
{
	(void)state;
	skip();
}

#endif

TEST_MAIN(cmocka_unit_test(what_is_kept_stands_together))
