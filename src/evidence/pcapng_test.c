#include "evidence/pcapng.h"

#include "base/test.h"

static void a_packet_is_framed_as_the_draft_has_it(void **state)
{
	static const uint8_t expected[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1,   0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28,   0,    0,    0, /* section */
		1,    0,    0,    0,    20,   0,    0,    0,    1,    0,    0,    0,    128, 0, 0, 0,
		20,   0,    0,    0, /* interface */
		6,    0,    0,    0,    60,   0,    0,    0,    0,    0,    0,    0,    1,   0, 0, 0,
		2,    0,    0,    0,    5,    0,    0,    0,    0xdc, 5,    0,    0, /* packet */
		'a',  'b',  'c',  'd',  'e',  0,    0,    0,    7,    0,    9,    0,    2,   1, 0, 0,
		0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    60,  0, 0, 0};
	const struct pcapng_packet packet = {(UINT64_C(1) << 32) + 2, 1500, SLICE_INIT("abcde"), PCAPNG_DROPPED};
	struct buffer out = buffer_make(NULL);
	(void)state;
	pcapng_begin(128, &out);
	pcapng_add(&packet, &out);
	assert_int_equal(out.len, sizeof(expected));
	assert_memory_equal(out.ptr, expected, sizeof(expected));
	buffer_free(&out);
}

TEST_MAIN(cmocka_unit_test(a_packet_is_framed_as_the_draft_has_it))
