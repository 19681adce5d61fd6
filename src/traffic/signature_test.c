#include "traffic/signature.h"

#include "base/test.h"
#include "base/test_allocation.h"

#include <errno.h>

#include <math.h>

/* Whole worlds are in tests/signature. Here: the edges. */

enum { QUIET = 20000, ATTACK = 4000 };
static struct signature_request quiet[QUIET], attack[ATTACK];

static uint64_t seed;

static uint64_t lot(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

static struct address source_of(uint64_t number)
{
	return address_from_words(0x20010db800000000 + number, 1);
}

/* A visitor with one of ten browsers, on one of fifty pages. */
static struct signature_request visitor(void)
{
	uint64_t browser = lot(10);
	struct signature_request r = {.field = {100 + browser, 200 + browser, 300 + browser / 3, 400 + lot(5),
						500 + lot(50), lot(8) == 0 ? 600 + lot(9) : 0, 1, 1, 9 + browser % 4, 0,
						lot(60)},
				      .present = 0xfc0f,
				      .regular = lot(2) == 0,
				      .source = source_of(lot(9000))};
	signature_complete(&r);
	return r;
}

static struct signature_request attacker(uint64_t shape)
{
	struct signature_request r = visitor();
	r.field[SIGNATURE_SHAPE] = shape;
	r.regular = false;
	r.source = source_of(100000 + lot(3000));
	signature_complete(&r);
	return r;
}

static int make_samples(void **state)
{
	(void)state;
	seed = 1;
	for (size_t i = 0; i < QUIET; i++)
		quiet[i] = visitor();
	for (size_t i = 0; i < ATTACK; i++)
		attack[i] = lot(10) == 0 ? visitor() : attacker(999);
	return 0;
}

static struct signature_question question(void)
{
	return (struct signature_question){.attack = {attack, ATTACK},
					   .quiet = {quiet, QUIET},
					   .normal_share = 0.1,
					   .collateral_most = 0.001,
					   .coverage_least = 0.8};
}

static void one_tell_is_one_term(void **state)
{
	(void)state;
	struct signature s;
	struct signature_question q = question();
	assert_int_equal(signature_search(&q, &s), 0);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.conjunction[0].count, 1);
	assert_int_equal(s.conjunction[0].term[0].test, SIGNATURE_EQUALS);
	assert_int_equal(s.conjunction[0].term[0].field, SIGNATURE_SHAPE);
	assert_int_equal(s.conjunction[0].term[0].value, 999);
	assert_true(s.coverage > 0.97 && s.collateral <= 0.001);
	for (unsigned i = 0; i < 1000; i++) {
		struct signature_request bad = attacker(999), good = visitor();
		assert_true(signature_matches(&s, &bad));
		assert_false(signature_matches(&s, &good));
	}
	signature_free(&s);
}

static void what_is_not_proved_is_none(void **state)
{
	(void)state;
	struct signature s;
	struct signature_question q = question();
	q.quiet.count = 2000;
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
	q.quiet.count = 0;
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
	q = question();
	q.attack.count = 0;
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
	q = question();
	q.normal_share = 1;
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
	q.normal_share = nan("");
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
}

static void visitors_alone_have_none(void **state)
{
	(void)state;
	struct signature s;
	struct signature_question q = question();
	for (size_t i = 0; i < ATTACK; i++)
		attack[i] = visitor();
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
	q.normal_share = 0.95;
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
}

/* What regulars share is a crowd's, however new its tell. */
static void a_crowd_with_regulars_has_none(void **state)
{
	(void)state;
	struct signature s;
	struct signature_question q = question();
	for (size_t i = 0; i < ATTACK; i++)
		attack[i].regular = attack[i].regular || lot(20) == 0;
	for (size_t i = 0; i < ATTACK; i++)
		attack[i].source = source_of(attack[i].regular ? 200000 + lot(200) : 100000 + lot(3000));
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
}

/* A path that is nobody's but the crowd's says nothing of who asks. */
static void a_path_alone_is_none(void **state)
{
	(void)state;
	struct signature s;
	struct signature_question q = question();
	for (size_t i = 0; i < ATTACK; i++) {
		attack[i] = visitor();
		attack[i].regular = false;
		attack[i].field[SIGNATURE_PATH] = lot(10) == 0 ? attack[i].field[SIGNATURE_PATH] : 999;
	}
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
}

/* Perfect copies from few networks: their prefixes, if they ask for one thing and are no visitors' address. */
static void few_networks_are_prefixes(void **state)
{
	(void)state;
	struct signature s;
	struct signature_question q = question();
	for (size_t i = 0; i < ATTACK; i++) {
		attack[i] = visitor();
		if (i % 10 == 0)
			continue;
		attack[i].regular = false;
		attack[i].field[SIGNATURE_PATH] = 501;
		attack[i].source = source_of(300000 + lot(50));
	}
	assert_int_equal(signature_search(&q, &s), 0);
	assert_int_equal(s.conjunction[0].term[0].test, SIGNATURE_FROM);
	assert_int_equal(s.prefixes, 50);
	for (uint64_t i = 0; i < 60; i++) {
		struct signature_request r = visitor();
		r.source = source_of(300000 + i);
		assert_int_equal(signature_matches(&s, &r), i < 50);
	}
	signature_free(&s);
	for (size_t i = 0; i < ATTACK; i++)
		attack[i].regular |= i % 10 != 0 && i % 3 == 0;
	assert_int_equal(signature_search(&q, &s), SIGNATURE_NONE);
}

static void two_tools_are_two_conjunctions_or_a_list(void **state)
{
	(void)state;
	struct signature s;
	struct signature_question q = question();
	for (size_t i = 0; i < ATTACK; i++) {
		attack[i] = i % 10 == 0 ? visitor() : attacker(i % 2 == 0 ? 999 : 101);
		if (i % 2 == 1)
			attack[i].present &= ~(1u << 3);
	}
	assert_int_equal(signature_search(&q, &s), 0);
	assert_true(s.coverage > 0.95);
	struct signature_request one = attacker(999), other = attacker(101), good = visitor();
	other.present &= ~(1u << 3);
	assert_true(signature_matches(&s, &one) && signature_matches(&s, &other));
	assert_false(signature_matches(&s, &good));
	signature_free(&s);
}

static void limits_are_those_of_the_tables(void **state)
{
	(void)state;
	/* Upper one-sided 95 % limits of a Poisson count, as printed in any table. */
	static const double rows[][2] = {{0, 2.996}, {1, 4.744}, {2, 6.296}, {5, 10.513}, {10, 16.962}, {50, 63.287}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(fabs(share_upper_limit(rows[i][0], 1e5) * 1e5 / rows[i][1] - 1) < 0.01);
	assert_true(share_upper_limit(0, 0) == 1 && share_upper_limit(5, 1) == 1);
}

static void classes_are_in_order(void **state)
{
	(void)state;
	uint64_t last = 0;
	for (uint64_t i = 1; i < 100000; i++) {
		uint64_t class = signature_class(i);
		assert_true(class >= last);
		last = class;
	}
	assert_true(signature_class(UINT64_MAX) < 256);
}

/* One visitor in thirty has an order of headers of his own. */
static void give_some_their_own(void)
{
	for (size_t i = 0; i < QUIET; i++) {
		uint64_t source = address_high(&quiet[i].source);
		if (source % 30 == 0)
			quiet[i].field[SIGNATURE_SHAPE] = source;
		signature_complete(&quiet[i]);
	}
}

/* What attackers do not have tells how many visitors there are, though nobody counted them before. */
static void visitors_are_as_many_as_come_of_what_only_they_have(void **state)
{
	(void)state;
	struct signature_question q = question();
	for (size_t i = 0; i < ATTACK; i++)
		attack[i].field[SIGNATURE_ACCEPT] = i % 5 == 0 ? attack[i].field[SIGNATURE_ACCEPT] : 300;
	double share = signature_normal_share(&q);
	assert_true(share > 0.08 && share < 0.3);
	q.quiet.count = 10;
	assert_true(signature_normal_share(&q) == 0.9);
	q.quiet.count = q.attack.count = 0;
	(void)signature_normal_share(&q);
}

/* Of the values that are in excess one visitor's are no part of a list: a page with all that belongs to it is enough.
 */
static void one_visitors_rarities_are_in_no_list(void **state)
{
	(void)state;
	struct signature_question q = question();
	struct signature s;
	give_some_their_own();
	for (size_t i = 0; i < ATTACK; i++) {
		attack[i] = i % 10 == 0 ? visitor() : attacker(999 + lot(2));
		if (i % 200 == 0)
			attack[i].field[SIGNATURE_SHAPE] = 7000 + i / 1000;
		signature_complete(&attack[i]);
	}
	assert_int_equal(signature_search(&q, &s), 0);
	for (uint64_t shape = 7000; shape < 7004; shape++) {
		struct signature_request rare = visitor();
		rare.field[SIGNATURE_SHAPE] = shape;
		signature_complete(&rare);
		assert_false(signature_matches(&s, &rare));
	}
	signature_free(&s);
}

/* What is unknown needs company; and of those who judged, what they have is known in the end. */
static void what_nobody_had_is_asked_of_those_who_are_left_out(void **state)
{
	(void)state;
	struct signature_question q = question();
	struct signature s;
	give_some_their_own();
	for (size_t i = 0; i < ATTACK; i++) {
		attack[i] = i % 10 == 0 ? visitor() : attacker(100000 + i);
		if (i % 10 != 0)
			attack[i].field[SIGNATURE_QUERY] = 603;
		signature_complete(&attack[i]);
	}
	assert_int_equal(signature_search(&q, &s), 0);
	assert_true(signature_asks(&s, SIGNATURE_QUERY));
	for (size_t i = 0; i < QUIET; i++)
		assert_false(signature_matches(&s, &quiet[i]));
	signature_free(&s);
}

/* A gate that was started half a minute ago: what is not known of this site others know. */
static void others_days_help_one_that_has_none(void **state)
{
	(void)state;
	struct signature_question q = question();
	struct signature signature;
	q.quiet.count = 200;
	q.collateral_most = 0.006;
	assert_int_equal(signature_search(&q, &signature), SIGNATURE_NONE);
	q.elsewhere = (struct signature_sample){quiet + 1000, 1200};
	assert_int_equal(signature_search(&q, &signature), 0);
	assert_int_equal(signature.conjunction[0].term[0].field, SIGNATURE_SHAPE);
	signature_free(&signature);
}

/* Of a few requests nothing is known by being in none of them, and another site's has no page of this one's. */
static void few_requests_know_no_values(void **state)
{
	(void)state;
	struct signature_question q = question();
	struct signature signature;
	q.quiet.count = 10;
	q.elsewhere = (struct signature_sample){quiet + 1000, 700};
	q.collateral_most = 0.02;
	for (size_t i = 0; i < ATTACK; i++) {
		attack[i] = visitor();
		attack[i].field[SIGNATURE_PATH] = 7777;
		attack[i].regular = false;
	}
	assert_int_equal(signature_search(&q, &signature), SIGNATURE_NONE);
	for (size_t i = 0; i < ATTACK; i++)
		attack[i].field[SIGNATURE_AGENT] = 10000 + i;
	assert_int_equal(signature_search(&q, &signature), SIGNATURE_NONE);
}

#if TEST_ALLOCATIONS
static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	struct signature s;
	struct signature_question q = question();
	assert_true(test_allocations_fail());
	for (long left = 0;; left++) {
		test_allocations_begin(left);
		int r = signature_search(&q, &s);
		bool none_failed = test_allocations_end();
		/* Sorting asks for memory too, and goes on without. */
		assert_true(r == 0 || r == -ENOMEM);
		if (r == 0)
			signature_free(&s);
		if (none_failed) {
			assert_int_equal(r, 0);
			assert_true(left > 20);
			return;
		}
	}
}
#endif

#define signature_test(test) cmocka_unit_test_setup(test, make_samples)
#define TESTS                                                                                                          \
	signature_test(one_tell_is_one_term), signature_test(what_is_not_proved_is_none),                              \
		signature_test(visitors_alone_have_none), signature_test(a_crowd_with_regulars_has_none),              \
		signature_test(a_path_alone_is_none), signature_test(few_networks_are_prefixes),                       \
		signature_test(two_tools_are_two_conjunctions_or_a_list),                                              \
		signature_test(visitors_are_as_many_as_come_of_what_only_they_have),                                   \
		signature_test(one_visitors_rarities_are_in_no_list),                                                  \
		signature_test(what_nobody_had_is_asked_of_those_who_are_left_out),                                    \
		signature_test(others_days_help_one_that_has_none), signature_test(few_requests_know_no_values),       \
		signature_test(limits_are_those_of_the_tables), signature_test(classes_are_in_order)

#if TEST_ALLOCATIONS
TEST_MAIN(TESTS, signature_test(memory_may_run_out_anywhere))
#else
TEST_MAIN(TESTS)
#endif
