#include "codec/byte_kind.h"

#include "base/test.h"

/* At every length and place the kinds are those of the bytes one by one, and nothing behind the end is read. */
static void all_bytes_tell(void **state)
{
	(void)state;
	uint8_t bytes[300];
	uint32_t random = 1;
	for (size_t round = 0; round < 20000; round++) {
		size_t len = round % 200, from = round / 200 % 70;
		uint32_t kinds = 0;
		for (size_t i = 0; i < sizeof(bytes); i++) {
			random = random * 1664525 + 1013904223;
			/* Few different ones, or some kind would hide that another is missed. */
			bytes[i] = i < from + len ? (uint8_t)('a' + (random >> 30)) : (uint8_t)(random >> 24);
		}
		if (len > 0)
			bytes[from + round % 7919 % len] = (uint8_t)(random >> 16);
		for (size_t i = from; i < from + len; i++)
			kinds |= byte_kind(bytes[i]);
		assert_int_equal(byte_kinds(slice_make(bytes + from, len)), kinds);
	}
}

/* Of few different bytes, but any, in values that are gone through in parts. */
static void parts_tell_together(void **state)
{
	(void)state;
	static uint8_t bytes[9000];
	uint32_t random = 1;
	for (size_t round = 0; round < 2000; round++) {
		uint8_t some[8];
		uint32_t kinds = 0;
		size_t len = round * 13 % sizeof(bytes);
		for (size_t i = 0; i < sizeof(some); i++)
			some[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			bytes[i] = some[(random >> 29) & (round % 8)];
		}
		if (len > 0)
			bytes[len - 1 - round * 7 % len] = (uint8_t)(random >> 16);
		for (size_t i = 0; i < len; i++)
			kinds |= byte_kind(bytes[i]);
		assert_int_equal(byte_kinds(slice_make(bytes, len)), kinds);
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(byte_kinds(slice_make(bytes, sizeof(bytes))), BYTES_ANY);
}

static void a_byte_has_one_kind(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++)
		assert_int_equal(__builtin_popcount(byte_kind((uint8_t)c)), 1);
	assert_int_equal(byte_kind('a'), BYTES_LOWER);
	assert_int_equal(byte_kind('Z'), BYTES_UPPER);
	assert_int_equal(byte_kind('\f'), BYTES_WHITE);
	assert_int_equal(byte_kind(' '), BYTES_BLANK);
	assert_int_equal(byte_kind(0), BYTES_NUL);
	assert_int_equal(byte_kind(0x7f), BYTES_CONTROL);
	assert_int_equal(byte_kind(0x80), BYTES_HIGH);
	assert_int_equal(byte_kind(0xff), BYTES_HIGH);
	assert_int_equal(byte_kind('\''), BYTES_APOSTROPHE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_bytes_tell),
		cmocka_unit_test(parts_tell_together),
		cmocka_unit_test(a_byte_has_one_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
