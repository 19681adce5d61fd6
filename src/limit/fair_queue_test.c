#include "limit/fair_queue.h"

#include "base/test.h"

static void who_is_known_and_has_used_less_goes_first(void **state)
{
	(void)state;
	struct fair_queue q = {.capacity = 10};
	struct fair_queue_entry stranger = {0}, hog = {0}, citizen = {0}, second = {0}, *out;

	assert_true(fair_queue_join(&q, &stranger, fair_queue_rank(2, 0), 1, &out));
	assert_true(fair_queue_join(&q, &hog, fair_queue_rank(0, 3000000), 2, &out));
	assert_true(fair_queue_join(&q, &citizen, fair_queue_rank(0, 900), 3, &out));
	assert_true(fair_queue_join(&q, &second, fair_queue_rank(0, 0), 4, &out));
	assert_null(out);
	assert_ptr_equal(fair_queue_take(&q), &citizen);
	assert_ptr_equal(fair_queue_take(&q), &second);
	assert_ptr_equal(fair_queue_take(&q), &hog);
	assert_ptr_equal(fair_queue_take(&q), &stranger);
	assert_null(fair_queue_take(&q));
}

static void a_full_queue_gives_way_to_the_better_alone(void **state)
{
	(void)state;
	struct fair_queue q = {.capacity = 2};
	struct fair_queue_entry first = {0}, second = {0}, third = {0}, known = {0}, *out = NULL;
	uint8_t unknown = fair_queue_rank(2, 0);

	assert_true(fair_queue_join(&q, &first, unknown, 1, &out));
	assert_true(fair_queue_join(&q, &second, unknown, 2, &out));
	assert_false(fair_queue_join(&q, &third, unknown, 3, &out));
	assert_false(third.waits);
	assert_true(fair_queue_join(&q, &known, fair_queue_rank(0, 5000), 4, &out));
	assert_ptr_equal(out, &second);
	assert_false(second.waits);
	assert_int_equal(q.count, 2);
	assert_ptr_equal(fair_queue_take(&q), &known);
	assert_ptr_equal(fair_queue_take(&q), &first);

	struct fair_queue none = {.capacity = 0};
	assert_false(fair_queue_join(&none, &first, 0, 1, &out));
}

static void who_waited_too_long_is_found_in_any_rank(void **state)
{
	(void)state;
	struct fair_queue q = {.capacity = 3};
	struct fair_queue_entry a = {0}, b = {0}, c = {0}, *out;

	assert_true(fair_queue_join(&q, &a, 31, 10, &out));
	assert_true(fair_queue_join(&q, &b, 0, 20, &out));
	assert_true(fair_queue_join(&q, &c, 31, 30, &out));
	assert_null(fair_queue_take_overdue(&q, 9));
	assert_ptr_equal(fair_queue_take_overdue(&q, 20), &b);
	assert_ptr_equal(fair_queue_take_overdue(&q, 20), &a);
	assert_null(fair_queue_take_overdue(&q, 20));
	assert_int_equal(q.count, 1);
}

static bool is_the_one(struct fair_queue_entry *entry, void *context)
{
	return entry == context;
}

static void one_that_is_refused_since_is_taken_from_anywhere(void **state)
{
	(void)state;
	struct fair_queue q = {.capacity = 9};
	struct fair_queue_entry entries[9] = {0}, *out;
	for (size_t i = 0; i < 9; i++)
		assert_true(fair_queue_join(&q, &entries[i], (uint8_t)(i % 3 * 15), i, &out));
	for (size_t i = 0; i < 9; i++) {
		assert_ptr_equal(fair_queue_take_if(&q, is_the_one, &entries[i * 4 % 9]), &entries[i * 4 % 9]);
		assert_null(fair_queue_take_if(&q, is_the_one, &entries[i * 4 % 9]));
	}
	assert_int_equal(q.count, 0);
}

/* Against a list that is searched: any order of joining, taking and leaving. */
static void it_keeps_its_books_whatever_happens(void **state)
{
	(void)state;
	enum { ENTRIES = 64, STEPS = 200000 };
	static struct fair_queue_entry entries[ENTRIES];
	struct fair_queue q = {.capacity = 24};
	uint64_t random = 1;
	size_t waiting = 0;

	for (uint64_t step = 1; step <= STEPS; step++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		struct fair_queue_entry *e = &entries[random >> 33 & (ENTRIES - 1)], *out = NULL, *best = NULL;
		switch (random >> 60 & 3) {
		case 0:
		case 1:
			if (e->waits)
				break;
			if (fair_queue_join(&q, e, (uint8_t)(random >> 50 & 31), step, &out) && out == NULL)
				waiting++;
			break;
		case 2:
			waiting -= e->waits;
			fair_queue_leave(&q, e);
			break;
		case 3:
			for (size_t i = 0; i < ENTRIES; i++)
				if (entries[i].waits &&
				    (best == NULL || entries[i].rank < best->rank ||
				     (entries[i].rank == best->rank && entries[i].since_us < best->since_us)))
					best = &entries[i];
			waiting -= best != NULL;
			assert_ptr_equal(fair_queue_take(&q), best);
		}
		assert_int_equal(q.count, waiting);
		assert_true(waiting <= q.capacity);
	}
}

TEST_MAIN(cmocka_unit_test(who_is_known_and_has_used_less_goes_first),
	  cmocka_unit_test(a_full_queue_gives_way_to_the_better_alone),
	  cmocka_unit_test(who_waited_too_long_is_found_in_any_rank),
	  cmocka_unit_test(one_that_is_refused_since_is_taken_from_anywhere),
	  cmocka_unit_test(it_keeps_its_books_whatever_happens))
