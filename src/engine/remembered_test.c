#include "engine/remembered.h"

#include "base/test.h"
#include "engine/remembered_long.h"

static int set_up(void **state)
{
	return remembered_create((struct remembered **)state);
}

static int tear_down(void **state)
{
	remembered_free(*state);
	return 0;
}

static const struct remembered_answer *find(struct remembered *r, uint32_t number, struct slice value)
{
	struct remembered_key key = {.number = number, .first = test_fenced(value), .second = SLICE("")};
	return remembered_find(r, &key);
}

/* A value comes: unknown, it gives this answer. */
static void come(struct remembered *r, uint32_t number, struct slice value, uint16_t step)
{
	struct remembered_key key = {.number = number, .first = test_fenced(value), .second = SLICE("")};
	assert_null(remembered_find(r, &key));
	remembered_add(r, &key, 0, &step, 1);
}

static uint8_t page[REMEMBERED_LONG_BYTES + 1];

static struct slice text(size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		page[i] = (uint8_t)(seed >> 24);
	}
	return slice_make(page, len);
}

static const size_t lengths[] = {REMEMBERED_BYTES + 1, 2048, 2049, 8192, 40000, 65536, REMEMBERED_LONG_BYTES};

static void test_short_is_known_at_once(void **state)
{
	come(*state, 1, text(REMEMBERED_BYTES, 1), 7);
	const struct remembered_answer *answer = find(*state, 1, text(REMEMBERED_BYTES, 1));
	assert_non_null(answer);
	assert_int_equal(answer->step_count, 1);
	assert_int_equal(answer->steps[0], 7);
	assert_null(find(*state, 2, text(REMEMBERED_BYTES, 1)));
}

/* Under a number of which nothing is found values are mostly not kept, until one comes again that was. */
static void test_vain_numbers_are_seldom_tried(void **state)
{
	size_t known = 0;
	for (uint32_t i = 0; i < 1000; i++)
		come(*state, 1, text(40, i + 1000), 7);
	for (uint32_t i = 900; i < 1000; i++)
		come(*state, 2, text(40, i + 1000), 7);
	for (uint32_t i = 0; i < 1000 && known == 0; i++)
		known += find(*state, 1, text(40, i + 1000)) != NULL;
	assert_int_equal(known, 1);
	/* Now that one was found all are looked for: of the last, most were never kept. */
	for (uint32_t i = 0; i < 50; i++)
		known += find(*state, 1, text(40, 1999 - i)) != NULL;
	assert_in_range(known, 1, 25);
	come(*state, 1, text(40, 1), 9);
	assert_non_null(find(*state, 1, text(40, 1)));
	/* Another number is another matter, until it is in vain as well. */
	come(*state, 3, text(40, 2), 9);
	assert_non_null(find(*state, 3, text(40, 2)));
}

/* However long nothing was found: what comes again and again is found soon. */
static void test_what_comes_often_is_found_in_a_flood(void **state)
{
	size_t found = 0;
	for (uint32_t i = 0; i < 5000; i++) {
		struct remembered_key key = {.number = 1, .first = text(40, i + 1000), .second = SLICE("")};
		uint16_t step = 7;
		if (remembered_find(*state, &key) == NULL)
			remembered_add(*state, &key, 0, &step, 1);
		key.first = text(40, 1);
		if (remembered_find(*state, &key) != NULL)
			found++;
		else
			remembered_add(*state, &key, 0, &step, 1);
	}
	assert_true(found > 4500);
}

static void test_long_is_known_from_the_third_time(void **state)
{
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint16_t step = (uint16_t)(i + 1);
		come(*state, 1, text(lengths[i], 1), step);
		come(*state, 1, text(lengths[i], 1), step);
		const struct remembered_answer *answer = find(*state, 1, text(lengths[i], 1));
		assert_non_null(answer);
		assert_int_equal(answer->steps[0], step);
		assert_null(find(*state, 2, text(lengths[i], 1)));
	}
}

/* Most bytes are not part of the hash. */
static void test_every_byte_counts(void **state)
{
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t step = lengths[i] / 50;
		uint32_t number = (uint32_t)(i + 1);
		come(*state, number, text(lengths[i], 1), 1);
		come(*state, number, text(lengths[i], 1), 1);
		for (size_t at = lengths[i] % step; at < lengths[i]; at += step) {
			struct slice other = text(lengths[i], 1);
			page[at] ^= 1;
			assert_null(find(*state, number, other));
		}
		assert_non_null(find(*state, number, text(lengths[i], 1)));
		assert_null(find(*state, number, slice_sub(text(lengths[i], 1), 0, lengths[i] - 1)));
	}
}

/* Two that hash alike: what is known is the answer of the newest. */
static void test_nearly_the_same(void **state)
{
	come(*state, 1, text(40000, 1), 1);
	come(*state, 1, text(40000, 1), 1);
	struct slice other = text(40000, 1);
	page[1000] ^= 1;
	come(*state, 1, other, 2);
	assert_int_equal(find(*state, 1, other)->steps[0], 2);
	assert_null(find(*state, 1, text(40000, 1)));
}

static void test_longer_is_never_known(void **state)
{
	for (size_t i = 0; i < 4; i++)
		come(*state, 1, text(REMEMBERED_LONG_BYTES + 1, 1), 1);
}

static void test_a_flood_leaves_what_is_asked_for(void **state)
{
	come(*state, 1, text(3000, 1), 1);
	come(*state, 1, text(3000, 1), 1);
	for (uint32_t i = 2; i < 2000; i++) {
		come(*state, 1, text(3000, i), 2);
		if (i % 50 == 0)
			come(*state, 1, text(3000, i), 2); /* comes twice, and is kept */
		assert_int_equal(find(*state, 1, text(3000, 1))->steps[0], 1);
	}
}

static void test_many_steps_are_not_kept(void **state)
{
	uint16_t steps[REMEMBERED_STEPS + 1] = {0};
	for (size_t i = 0; i < 3; i++) {
		struct remembered_key key = {.number = 1, .first = text(3000, 1), .second = SLICE("")};
		assert_null(remembered_find(*state, &key));
		remembered_add(*state, &key, 0, steps, REMEMBERED_STEPS + 1);
	}
}

static void test_notes_are_bytes(void **state)
{
	struct remembered *r = *state;
	struct remembered_key key = {.number = 1, .first = SLICE("curl/8.5"), .second = SLICE("")};
	struct slice note;
	assert_false(remembered_find_note(r, &key, &note));
	remembered_add_note(r, &key, test_fenced(SLICE("a hash")));
	assert_true(remembered_find_note(r, &key, &note));
	assert_slice(note, "a hash");
	/* Neither a long note nor one of a long key is kept. */
	key.number = 2;
	assert_false(remembered_find_note(r, &key, &note));
	remembered_add_note(r, &key, text(REMEMBERED_NOTE + 1, 1));
	assert_false(remembered_find_note(r, &key, &note));
	key.first = text(REMEMBERED_BYTES - REMEMBERED_NOTE + 1, 1);
	remembered_add_note(r, &key, SLICE(""));
	assert_false(remembered_find_note(r, &key, &note));
}

/* Of up to 16 bytes a place of their own tells: each length and each byte counts there, and another value's takes it.
 */
static void test_the_shortest_are_told_apart(void **state)
{
	for (size_t round = 0; round < 2; round++) {
		for (size_t len = 0; len <= 17; len++) {
			for (size_t at = 0; at <= len; at++) {
				uint8_t bytes[17];
				memset(bytes, 'a', sizeof(bytes));
				if (at < len)
					bytes[at] = 'b';
				struct slice value = slice_make(bytes, len);
				uint16_t step = (uint16_t)(len * 20 + at);
				if (round == 0)
					come(*state, 1, value, step);
				const struct remembered_answer *answer = find(*state, 1, value);
				assert_non_null(answer);
				assert_int_equal(answer->steps[0], step);
			}
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN(TEST(test_short_is_known_at_once), TEST(test_vain_numbers_are_seldom_tried),
	  TEST(test_what_comes_often_is_found_in_a_flood), TEST(test_long_is_known_from_the_third_time),
	  TEST(test_every_byte_counts), TEST(test_nearly_the_same), TEST(test_longer_is_never_known),
	  TEST(test_a_flood_leaves_what_is_asked_for), TEST(test_many_steps_are_not_kept), TEST(test_notes_are_bytes),
	  TEST(test_the_shortest_are_told_apart))
