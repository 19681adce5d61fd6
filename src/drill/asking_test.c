#include "drill/asking.h"

#include "base/test.h"
#include "drill/browser.h"
#include "drill/page.h"
#include "http/request.h"

enum {
	ASKED = 20000,
};

static const struct tells none;

static struct run_plan plan_of(const char *name, uint64_t seed)
{
	struct nearest nearest;
	return run_plan_of(shape_find(name, &nearest), 1, seed, false);
}

static void parse(const struct asking *asking, const struct person *person, const struct tells *tells,
		  struct arena *arena, struct request *ret_request)
{
	uint8_t wire[ASKING_WIRE_BYTES];
	struct request_parser_options options = request_parser_defaults();
	arena_reset(arena);
	size_t len = asking_wire(asking, person, tells, wire);
	assert_true(len < ASKING_WIRE_BYTES);
	struct slice copy;
	assert_int_equal(arena_copy(arena, slice_make(wire, len), &copy), 0);
	assert_int_equal(request_parse(copy, &options, arena, ret_request), 0);
	assert_int_equal(ret_request->rest.len, 0);
}

/* What the origin reads is what was asked, whoever asks for whatever. */
static void every_request_can_be_read_again(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20, 1 << 16);
	for (size_t i = 0; i < shape_count; i++)
		for (uint32_t word = 0; word < 500; word++) {
			struct run_plan plan = run_plan_of(&shapes[i], 1, word, false);
			struct tells tells = tells_draw(&plan);
			struct person person = {.habit = word * 977,
						.being = word % 2 == 0 ? BEING_TOOL : BEING_PERSON,
						.tls = word % 3 == 0};
			struct asking asking;
			struct request request;
			asking_make(plan.shape->target, &person, word, person.being == BEING_TOOL ? &tells : &none,
				    &asking);
			parse(&asking, &person, person.being == BEING_TOOL ? &tells : &none, &arena, &request);
			assert_true(slice_equal(request.method, slice_from_string(asking.method)));
			assert_true(slice_equal(request.host, slice_from_string(asking.host)));
			assert_true(slice_equal(request.unparsed_uri, slice_from_string(asking.uri)));
			assert_true(slice_equal(request.body, slice_from_string(asking.body)));
			assert_int_equal(field_list_find(&request.headers, SLICE("Cookie")) != NULL, asking.session);
		}
	arena_destroy(&arena);
}

static void half_of_what_residents_ask_no_copy_may_answer(void **state)
{
	(void)state;
	size_t kept = 0;
	for (uint32_t word = 0; word < ASKED; word++) {
		struct person person = {.habit = word};
		struct asking asking;
		asking_make(TARGET_RESIDENT, &person, word * 2654435761u, &none, &asking);
		assert_int_equal(asking.kept, !asking.session);
		kept += asking.kept;
	}
	assert_in_range(kept, ASKED * 48 / 100, ASKED * 52 / 100);
}

static void a_flood_on_one_page_asks_for_one(void **state)
{
	(void)state;
	struct run_plan plan = plan_of("get-flood", 77);
	struct tells tells = tells_draw(&plan);
	struct asking first, other;
	for (uint32_t word = 0; word < 1000; word++) {
		struct person person = {.habit = word * 31, .being = BEING_TOOL};
		asking_make(plan.shape->target, &person, word, &tells, word == 0 ? &first : &other);
		if (word > 0) {
			assert_string_equal(other.uri, first.uri);
			assert_string_equal(other.host, first.host);
		}
	}
	assert_false(first.kept);
}

static void random_queries_are_all_different(void **state)
{
	(void)state;
	struct run_plan plan = plan_of("query-flood", 3);
	struct tells tells = tells_draw(&plan);
	struct person person = {.being = BEING_TOOL};
	struct asking one, other;
	size_t same = 0;
	for (uint32_t word = 0; word < 1000; word++) {
		asking_make(plan.shape->target, &person, word, &tells, &one);
		asking_make(plan.shape->target, &person, word + 1, &tells, &other);
		same += strcmp(one.uri, other.uri) == 0;
	}
	assert_true(same < 10);
}

static bool same_order(const struct browsing *a, const struct browsing *b)
{
	for (unsigned i = 0; i < a->count && i < b->count; i++)
		if (a->lines[i].header != b->lines[i].header)
			return false;
	return a->count == b->count;
}

/* One or two tells a run, of each kind in some; what is not told is as residents have it. */
static void tells_are_one_or_two_and_each_is_drawn(void **state)
{
	(void)state;
	size_t seen[4] = {0};
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct run_plan plan = plan_of("form-flood", seed);
		struct tells tells = tells_draw(&plan);
		int count = __builtin_popcount(tells.set);
		assert_in_range(count, 1, 2);
		assert_true(tells.set != TELL_TIMING);
		for (unsigned i = 0; i < 4; i++)
			seen[i] += (tells.set >> i) & 1;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_true(seen[i] > 10);
}

/* What gives a tool away can be seen in the head of each of its requests. */
static void an_argument_is_in_the_address_of_forms_too(void **state)
{
	(void)state;
	struct tells tells = {.set = TELL_QUERY, .argument = "cb", .argument_digits = 6};
	const enum target targets[] = {TARGET_PRIVATE, TARGET_FORMS, TARGET_RESIDENT};
	for (size_t i = 0; i < 3; i++)
		for (uint32_t word = 0; word < 300; word++) {
			struct person person = {.habit = word * 7919, .being = BEING_TOOL};
			struct asking asking;
			asking_make(targets[i], &person, word, &tells, &asking);
			const char *query = strchr(asking.uri, '?');
			assert_non_null(query);
			const char *found = strstr(query, "cb=");
			assert_non_null(found);
			assert_true(found[-1] == '?' || found[-1] == '&');
			assert_int_equal(strspn(found + 3, "0123456789"), 6);
			assert_null(strstr(asking.body, "cb="));
		}
}

static void residents_know_nothing_of_tells(void **state)
{
	(void)state;
	struct tells all = {.set = TELL_ORDER | TELL_ABSENT | TELL_QUERY, .order = 5, .absent = 0, .argument = "v"};
	for (uint32_t habit = 0; habit < 200; habit++) {
		struct person person = {.habit = habit * 7919};
		struct browsing plain, told;
		browsing_of(&person, &none, &plain);
		browsing_of(&person, &all, &told);
		assert_true(same_order(&plain, &told));
	}
}

static void an_absent_header_is_absent_and_an_order_the_runs(void **state)
{
	(void)state;
	struct tells tells = {.set = TELL_ABSENT | TELL_ORDER, .order = 99};
	for (uint32_t habit = 0; habit < 200; habit++) {
		struct person person = {.habit = habit * 7919, .being = BEING_TOOL};
		struct browsing browsing;
		browsing_of(&person, &tells, &browsing);
		assert_int_equal(browsing.lines[0].header, HEADER_HOST);
		for (unsigned i = 0; i < browsing.count; i++)
			assert_string_not_equal(header_names[browsing.lines[i].header], tell_absent_name[0]);
	}
}

static void a_page_is_known_by_its_origin(void **state)
{
	(void)state;
	struct hash_key key = {1, 2}, other = {1, 3};
	char page[PAGE_BYTES];
	int64_t made_ns = 0;
	uint64_t asked = page_asked(&key, "GET", "a.test", "/", "");
	page_write(&key, asked, 123456789, page);
	assert_int_equal(page_read(&key, asked, slice_make(page, PAGE_BYTES), &made_ns), 0);
	assert_int_equal(made_ns, 123456789);
	assert_int_equal(page_read(&other, asked, slice_make(page, PAGE_BYTES), &made_ns), PAGE_FOREIGN);
	assert_int_equal(page_read(&key, asked + 1, slice_make(page, PAGE_BYTES), &made_ns), PAGE_FOREIGN);
	assert_int_equal(page_read(&key, asked, slice_make(page, PAGE_BYTES - 1), &made_ns), PAGE_FOREIGN);
	assert_int_equal(page_read(&key, asked, slice_make(page, 0), &made_ns), PAGE_FOREIGN);
	for (size_t at = 0; at < 200; at++) {
		page[at] ^= 1;
		bool read = page_read(&key, asked, slice_make(page, PAGE_BYTES), &made_ns) == 0;
		assert_true(!read || (at > 100 && made_ns == 123456789));
		page[at] ^= 1;
	}
}

static void what_was_asked_is_all_of_it(void **state)
{
	(void)state;
	struct hash_key key = {1, 2};
	uint64_t asked = page_asked(&key, "POST", "a.test", "/x", "q=1");
	assert_true(asked != page_asked(&key, "GET", "a.test", "/x", "q=1"));
	assert_true(asked != page_asked(&key, "POST", "b.test", "/x", "q=1"));
	assert_true(asked != page_asked(&key, "POST", "a.test", "/y", "q=1"));
	assert_true(asked != page_asked(&key, "POST", "a.test", "/x", "q=2"));
}

TEST_MAIN(cmocka_unit_test(every_request_can_be_read_again),
	  cmocka_unit_test(half_of_what_residents_ask_no_copy_may_answer),
	  cmocka_unit_test(a_flood_on_one_page_asks_for_one), cmocka_unit_test(random_queries_are_all_different),
	  cmocka_unit_test(tells_are_one_or_two_and_each_is_drawn),
	  cmocka_unit_test(an_argument_is_in_the_address_of_forms_too),
	  cmocka_unit_test(residents_know_nothing_of_tells),
	  cmocka_unit_test(an_absent_header_is_absent_and_an_order_the_runs),
	  cmocka_unit_test(a_page_is_known_by_its_origin), cmocka_unit_test(what_was_asked_is_all_of_it))
