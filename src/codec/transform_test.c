#include "codec/transform.h"

#include "base/error.h"
#include "base/test_cases.h"
#include "codec/byte_class.h"
#include "codec/byte_kind.h"
#include "codec/unicode_map.h"

/* Applies to an output that ends at an unreadable page, so that a byte beyond the bound crashes. */
static bool apply(enum transform transform, const struct transform_context *context, struct slice in,
		  struct slice *ret_out)
{
	size_t bound = transform_bound(transform, in.len);
	uint8_t *zeroes = calloc(1, bound + 1);
	assert_non_null(zeroes);
	uint8_t *out = (uint8_t *)(uintptr_t)test_fenced(slice_make(zeroes, bound)).ptr;
	free(zeroes);
	size_t len = SIZE_MAX;
	bool changed = transform_apply(transform, context, in, out, &len);
	if (changed)
		assert_true(len <= bound);
	else
		assert_int_equal(len, SIZE_MAX);
	*ret_out = changed ? slice_make(out, len) : in;
	assert_int_equal(changed, !slice_equal(in, *ret_out));
	return changed;
}

static void cases_come_out(void **state)
{
	(void)state;
	size_t seen[TRANSFORM_COUNT] = {0};
	struct test_cases cases;
	struct test_case test;
	for (test_cases_open(&cases, "src/codec/transform_cases.txt"); test_cases_next(&cases, &test);) {
		enum transform transform = TRANSFORM_NONE;
		struct slice out;
		if (test.count != 3 || transform_find(test.column[0], &transform) != 0)
			fail_msg("line %u: name, input and output between tabs", test.line);
		seen[transform]++;
		apply(transform, NULL, test.column[1], &out);
		test_case_expect(&cases, &test, out, test.column[2]);
	}
	test_cases_close(&cases);
	for (unsigned i = 0; i < TRANSFORM_COUNT; i++) {
		if (seen[i] < 3)
			fail_msg("%s has %zu cases; write at least 3", transform_name(i), seen[i]);
	}
}

/* Values made of all bytes but those that trigger the transformation: none may change. */
static void untriggered_values_stay(void **state)
{
	(void)state;
	uint8_t bytes[24];
	uint8_t out[sizeof(bytes) * 4 + 32];
	uint32_t random = 1;
	for (unsigned i = 0; i < TRANSFORM_COUNT; i++) {
		for (unsigned round = 0; transform_triggers(i) != BYTES_ANY && round < 20000; round++) {
			size_t len = 0;
			while (len < 1 + round % sizeof(bytes)) {
				random = random * 1664525 + 1013904223;
				bytes[len] = (uint8_t)(random >> 24);
				len += (byte_kinds(slice_make(&bytes[len], 1)) & transform_triggers(i)) == 0;
			}
			struct slice in = slice_make(bytes, len);
			assert_true(transform_bound(i, len) <= sizeof(out));
			assert_int_equal(byte_kinds(in) & transform_triggers(i), 0);
			if (transform_apply(i, NULL, in, out, &len))
				fail_msg("%s changes a value it is not triggered by", transform_name(i));
		}
	}
}

/* What a transformation makes of them and lowercase must be the same. */
static void lowering_ones_lower(void **state)
{
	(void)state;
	uint8_t bytes[24];
	uint8_t out[sizeof(bytes)], lowered[sizeof(bytes)];
	uint32_t random = 1;
	size_t lowers = 0;
	for (unsigned round = 0; round < 200000; round++) {
		size_t count = 1 + round % sizeof(bytes);
		for (size_t i = 0; i < count; i++) {
			random = random * 1664525 + 1013904223;
			bytes[i] =
				(uint8_t) "aBCdeFG019-_./(=;,\\\"' ^\t<$"[(random >> 24) % (round % 2 == 0 ? 16 : 27)];
		}
		struct slice in = slice_make(bytes, count);
		if (!transform_lowers(TRANSFORM_CMD_LINE, byte_kinds(in)))
			continue;
		size_t len = 0, lowered_len = 0;
		bool changes = transform_apply(TRANSFORM_CMD_LINE, NULL, in, out, &len);
		assert_int_equal(changes, transform_apply(TRANSFORM_LOWERCASE, NULL, in, lowered, &lowered_len));
		assert_int_equal(len, lowered_len);
		assert_memory_equal(out, lowered, len);
		lowers += changes;
	}
	assert_true(lowers > 20000);
}

/* Of values of a level nothing is made that is not of it, where that is said. */
static void kept_levels_are_kept(void **state)
{
	(void)state;
	uint8_t bytes[24];
	uint8_t out[sizeof(bytes) * 4 + 32];
	uint32_t random = 1;
	for (unsigned i = 0; i < TRANSFORM_COUNT * BYTE_LEVELS; i++) {
		enum transform transform = (enum transform)(i / BYTE_LEVELS);
		uint32_t kinds = byte_level_kinds((enum byte_level)(i % BYTE_LEVELS));
		for (unsigned round = 0; transform_keeps(transform, kinds) && round < 20000; round++) {
			size_t len = 0;
			while (len < 1 + round % sizeof(bytes)) {
				random = random * 1664525 + 1013904223;
				bytes[len] = (uint8_t)(random >> 24);
				len += (byte_kind(bytes[len]) & kinds) != 0;
			}
			if (transform_apply(transform, NULL, slice_make(bytes, len), out, &len) &&
			    (byte_kinds(slice_make(out, len)) & ~kinds) != 0)
				fail_msg("%s makes more of a value of level %u", transform_name(transform),
					 i % BYTE_LEVELS);
		}
	}
	assert_true(transform_keeps(TRANSFORM_URL_DECODE_UNI, BYTES_PLAIN));
	assert_false(transform_keeps(TRANSFORM_URL_DECODE_UNI, BYTES_MILD));
	assert_false(transform_keeps(TRANSFORM_SHA1, BYTES_PLAIN));
}

static void names_find_their_rows(void **state)
{
	(void)state;
	enum transform transform = TRANSFORM_COUNT;
	for (unsigned i = 0; i < TRANSFORM_COUNT; i++) {
		assert_int_equal(transform_find(slice_from_string(transform_name(i)), &transform), 0);
		assert_int_equal(transform, i);
	}
	assert_int_equal(transform_find(SLICE("NORMALIZEPATHWIN"), &transform), 0);
	assert_int_equal(transform, TRANSFORM_NORMALISE_PATH_WIN);
	assert_int_equal(transform_find(SLICE("normalizepath"), &transform), 0);
	assert_int_equal(transform, TRANSFORM_NORMALISE_PATH);
	assert_int_equal(transform_find(SLICE("urlDecod"), &transform), -ENOENT);
	assert_int_equal(transform_find(SLICE(""), &transform), -ENOENT);
	assert_int_equal(transform, TRANSFORM_NORMALISE_PATH);
}

/* Every string of up to four of these bytes goes through every row, within its bound and without an over-read. */
static void short_inputs_stay_in_bounds(void **state)
{
	(void)state;
	static const char ALPHABET[] = "\\&#x4/*-.<";
	uint8_t bytes[4];
	for (unsigned number = 0; number < 10000; number++) {
		size_t len = number % 5 == 4 ? 3 : 4;
		for (size_t i = 0, left = number; i < len; i++, left /= 10)
			bytes[i] = (uint8_t)ALPHABET[left % 10];
		uint8_t copy[sizeof(bytes)], out[64];
		memcpy(copy, bytes, len);
		for (unsigned row = 0; row < TRANSFORM_COUNT; row++) {
			size_t written = 0, again = 0;
			bool changed = transform_apply(row, NULL, slice_make(copy, len), out, &written);
			assert_true((changed ? written : len) <= transform_bound(row, len));
			assert_int_equal(changed, transform_apply(row, NULL, slice_make(copy, len), out, &again));
			assert_int_equal(written, again);
			assert_memory_equal(copy, bytes, len);
		}
	}
}

static void expect_without(enum transform transform, struct slice dropped, struct slice in)
{
	uint8_t expected[256];
	size_t len = 0;
	struct slice out;
	for (size_t i = 0; i < in.len; i++)
		if (slice_find_byte(dropped, in.ptr[i], 0) == dropped.len)
			expected[len++] = in.ptr[i];
	apply(transform, NULL, test_fenced(in), &out);
	assert_true(slice_equal(out, slice_make(expected, len)));
}

/* Values of many lengths in which bytes that are dropped stand alone, in runs, or everywhere. */
static void what_is_dropped_leaves_no_gap(void **state)
{
	(void)state;
	const struct slice blanks = SLICE("\t\n\v\f\r \xa0\xc2");
	uint8_t bytes[200];
	uint32_t random = 1;
	for (unsigned round = 0; round < 2000; round++) {
		size_t len = round % sizeof(bytes);
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			bool drops = (random >> 24) % 16 < round / 125;
			bytes[i] = drops ? blanks.ptr[(random >> 16) % 8] : (uint8_t)(random >> 8 | 0x40);
		}
		expect_without(TRANSFORM_REMOVE_WHITESPACE, blanks, slice_make(bytes, len));
		for (size_t i = 0; i < len; i++)
			bytes[i] = bytes[i] <= ' ' ? 0 : bytes[i];
		expect_without(TRANSFORM_REMOVE_NULLS, SLICE("\0"), slice_make(bytes, len));
	}
}

static struct slice decoded_byte_by_byte(struct slice in, uint8_t *out)
{
	size_t len = 0;
	for (size_t at = 0; at < in.len; at++) {
		bool escape = in.ptr[at] == '%' && hex_pair_at(in, at + 1);
		out[len++] = escape ? hex_pair_value(in, at + 1) : in.ptr[at] == '+' ? ' ' : in.ptr[at];
		at += escape ? 2 : 0;
	}
	return slice_make(out, len);
}

/* URL escapes, whole and broken, at any place among bytes that stay. */
static void escapes_stand_anywhere(void **state)
{
	(void)state;
	static const char SPECIAL[] = "%%%++4fF";
	uint8_t bytes[500], expected[sizeof(bytes)];
	uint32_t random = 1;
	for (unsigned round = 0; round < 3000; round++) {
		size_t len = round % sizeof(bytes);
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			bool special = (random >> 24) % 64 < round / 50;
			bytes[i] = special ? (uint8_t)SPECIAL[(random >> 16) % 8] : (uint8_t)(random >> 8);
		}
		struct slice in = test_fenced(slice_make(bytes, len)), out;
		apply(TRANSFORM_URL_DECODE, NULL, in, &out);
		assert_true(slice_equal(out, decoded_byte_by_byte(in, expected)));
	}
}

static const char *const PIECES[] = {"%41",
				     "%u0042",
				     "%U00e9",
				     "%4",
				     "%u12",
				     "%",
				     "+",
				     "&amp;",
				     "&lt",
				     "&#65;",
				     "&#x",
				     "&",
				     "&nbspx",
				     "&Quot;",
				     "text without any of it",
				     "\xe4\xbd\xa0",
				     "\xc3\xa9",
				     "\xc1\xa9",
				     "\xe0\x82\xa9",
				     "\xed\xa0\x80",
				     "\xe4\xbd",
				     "\xf0\x9f\x98\x80",
				     "\xf5\x9f\x98\x80",
				     "\xbd",
				     "/",
				     "(",
				     "'",
				     "\"\\^",
				     ",",
				     "; ",
				     "\t",
				     " ",
				     "\r\n",
				     "Capital",
				     "0123456789abcdefghijklmnopqrstuvwxyz"};

/* Escapes do not reach over a full stop: what becomes of a long value is what becomes of its sentences. */
static void long_values_come_out_as_their_parts(void **state)
{
	(void)state;
	static const enum transform TRANSFORMS[] = {TRANSFORM_URL_DECODE_UNI,    TRANSFORM_HTML_ENTITY_DECODE,
						    TRANSFORM_LOWERCASE,         TRANSFORM_REMOVE_NULLS,
						    TRANSFORM_REMOVE_WHITESPACE, TRANSFORM_COMPRESS_WHITESPACE,
						    TRANSFORM_CMD_LINE,          TRANSFORM_UTF8_TO_UNICODE};
	enum { COUNT = sizeof(TRANSFORMS) / sizeof(TRANSFORMS[0]) };
	enum { PIECE_COUNT = sizeof(PIECES) / sizeof(PIECES[0]), PART_BYTES = 100 };
	uint8_t bytes[8 * PART_BYTES];
	uint32_t random = 1;
	size_t len;
	for (unsigned round = 0; round < 8000; round++) {
		enum transform transform = TRANSFORMS[round % COUNT];
		struct buffer whole = buffer_make(NULL), expected = buffer_make(NULL);
		struct slice out;
		for (unsigned parts = 1 + round % 30; parts > 0; parts--) {
			size_t from = whole.len;
			for (unsigned most = (round / 7) % 5; whole.len - from < PART_BYTES / 2; most--) {
				random = random * 1664525 + 1013904223;
				bool plain = most == 0 || (random >> 24) % 4 == 0;
				buffer_text(&whole, PIECES[plain ? PIECE_COUNT - 1 : (random >> 8) % PIECE_COUNT]);
			}
			buffer_byte(&whole, '.');
			struct slice part = slice_after(buffer_slice(&whole), from);
			bool changed = transform_apply(transform, NULL, part, bytes, &len);
			buffer_add(&expected, changed ? slice_make(bytes, len) : part);
		}
		apply(transform, NULL, test_fenced(buffer_slice(&whole)), &out);
		assert_true(slice_equal(out, buffer_slice(&expected)));
		buffer_free(&whole);
		buffer_free(&expected);
	}
}

static void unicode_map_is_consulted(void **state)
{
	(void)state;
	static struct unicode_map map;
	for (size_t i = 0; i < UNICODE_MAP_SIZE; i++)
		map.byte[i] = UNICODE_MAP_ABSENT;
	map.byte[0x2039] = '<';
	map.byte[0xff1c] = 0;
	struct transform_context context = {&map};
	struct slice out;
	assert_true(apply(TRANSFORM_URL_DECODE_UNI, &context, SLICE("%u2039%u203a%uff1c%uff1d"), &out));
	assert_slice(out, "<:\0=");
	assert_true(apply(TRANSFORM_URL_DECODE_UNI, NULL, SLICE("%u2039%u203a%uff1c%uff1d"), &out));
	assert_slice(out, "9:<=");
}

static void digests_span_blocks(void **state)
{
	(void)state;
	uint8_t input[200];
	memset(input, 'a', sizeof(input));
	/* The last byte of the digest of 55, 56, 63, 64, 119, 120 and 200 times 'a', by other implementations. */
	static const struct {
		size_t len;
		uint8_t md5, sha1;
	} LAST[] = {{55, 0x65, 0x5a},  {56, 0x18, 0x99},  {63, 0xd5, 0xf5}, {64, 0x67, 0x4d},
		    {119, 0x13, 0x56}, {120, 0x37, 0xd6}, {200, 0x6c, 0x40}};
	for (size_t i = 0; i < sizeof(LAST) / sizeof(LAST[0]); i++) {
		struct slice out;
		apply(TRANSFORM_MD5, NULL, slice_make(input, LAST[i].len), &out);
		assert_int_equal(out.ptr[15], LAST[i].md5);
		apply(TRANSFORM_SHA1, NULL, slice_make(input, LAST[i].len), &out);
		assert_int_equal(out.ptr[19], LAST[i].sha1);
	}
}

TEST_MAIN(cmocka_unit_test(cases_come_out), cmocka_unit_test(untriggered_values_stay),
	  cmocka_unit_test(lowering_ones_lower), cmocka_unit_test(kept_levels_are_kept),
	  cmocka_unit_test(names_find_their_rows), cmocka_unit_test(short_inputs_stay_in_bounds),
	  cmocka_unit_test(what_is_dropped_leaves_no_gap), cmocka_unit_test(escapes_stand_anywhere),
	  cmocka_unit_test(long_values_come_out_as_their_parts), cmocka_unit_test(unicode_map_is_consulted),
	  cmocka_unit_test(digests_span_blocks))
