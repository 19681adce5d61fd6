#include "drill/network.h"

#include "base/test.h"

static void a_processor_has_its_place_in_a_mask(void **state)
{
	(void)state;
	for (int processor = 0; processor < CPU_SETSIZE; processor++) {
		char mask[NETWORK_MASK_BYTES], *rest = mask;
		network_mask(processor, mask);
		assert_int_equal(strtoul(rest, &rest, 16), 1u << processor % 32);
		int words = 0;
		for (; *rest == ','; words++) {
			assert_int_equal(strspn(rest + 1, "0"), 8);
			rest += 9;
		}
		assert_int_equal(*rest, '\0');
		assert_int_equal(words, processor / 32);
	}
}

TEST_MAIN(cmocka_unit_test(a_processor_has_its_place_in_a_mask))
