#include "upstream/lease_news.h"
#include "upstream/lease_book.h"
#include "upstream/test_operator.h"

#include <jansson.h>
#include <stdlib.h>

#define UDP "flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { discard; } }"
#define ALL "flow route { match { destination 192.0.2.10/32; } then { discard; } }"

enum { WALL_MS = 1000000 };

struct bench {
	struct upstream_operator operators[1];
	struct lease_book *book;
	struct lease_news *news;
	struct buffer journal, lines;
	struct lease_sink sink;
	uint64_t now_ms;
};

static void told(void *context, const struct lease *lease, enum lease_change change, int outcome)
{
	const struct bench *b = context;
	lease_news_add(b->news, lease, change, outcome, b->now_ms, WALL_MS + b->now_ms);
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	b->operators[0] = test_operator();
	b->news = calloc(1, sizeof(*b->news));
	b->news->life = 5;
	b->sink = (struct lease_sink){&b->journal, &b->lines, told, b};
	b->now_ms = 1000;
	*state = b;
	int r = lease_book_create(b->operators, 1, &b->book);
	lease_hold(b->book, 1000, &b->sink);
	return r;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	lease_book_free(b->book);
	buffer_free(&b->journal);
	buffer_free(&b->lines);
	free(b->news);
	free(b);
	return 0;
}

static uint32_t ask(struct bench *b, const char *text, uint64_t until_ms)
{
	struct route route;
	const struct lease *lease;
	assert_true(route_read(slice_from_string(text), &route));
	const struct lease_ask wanted = {.route = &route, .until_ms = until_ms, .by = 7, .why = SLICE("a \"flood\"")};
	return lease_ask(b->book, &wanted, b->now_ms, &b->sink, &lease) == 0 ? lease->id : 0;
}

static void answer(struct bench *b, bool taken)
{
	while (lease_unanswered(b->book) > 0)
		lease_answered(b->book, taken, b->now_ms, &b->sink);
}

/* What is told, as "announced lifted ..."; all of it is known then. */
static void expect(struct bench *b, const char *changes)
{
	struct buffer out = buffer_make(NULL), names = buffer_make(NULL);
	size_t i;
	json_t *item;
	lease_news_write(b->news, b->operators, &out);
	json_t *root = json_loadb((char *)out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	json_array_foreach(json_object_get(root, "news"), i, item)
	{
		buffer_printf(&names, "%s%s", i > 0 ? ", " : "", json_string_value(json_object_get(item, "change")));
		lease_news_forget(b->news, 5, (uint64_t)json_integer_value(json_object_get(item, "number")));
	}
	buffer_byte(&names, '\0');
	assert_string_equal((char *)names.ptr, changes);
	json_decref(root);
	buffer_free(&out);
	buffer_free(&names);
}

static void what_becomes_of_a_lease_is_told(void **state)
{
	struct bench *b = *state;
	uint32_t id = ask(b, UDP, 60000);
	answer(b, true);
	assert_int_equal(lease_lift(b->book, id, &b->sink), 0);
	answer(b, true);
	assert_int_equal(lease_raise(b->book, id, 1000, &b->sink), 0);
	answer(b, true);
	ask(b, UDP, 70000);
	assert_int_equal(lease_end(b->book, id, &b->sink), 0);
	answer(b, true);
	expect(b, "asked, announced, lifted, raised, announced, renewed, withdrawn, gone");
	assert_int_equal(ask(b, ALL, 60000), 0);
	ask(b, UDP, 60000);
	answer(b, false);
	expect(b, "refused, asked, not taken");
}

static void what_ends_by_itself_is_told(void **state)
{
	struct bench *b = *state;
	ask(b, UDP, 10000);
	answer(b, true);
	b->now_ms = 10000;
	(void)lease_tick(b->book, b->now_ms, &b->sink);
	(void)lease_tick(b->book, b->now_ms, &b->sink);
	answer(b, true);
	ask(b, UDP, 60000);
	answer(b, true);
	b->now_ms = 1000 + LEASE_HOLD_MS;
	(void)lease_tick(b->book, b->now_ms, &b->sink);
	answer(b, true);
	ask(b, UDP, 60000);
	expect(b, "asked, announced, lapsed, gone, asked, announced, let go, gone, refused");
}

static void texts_and_times_are_told(void **state)
{
	struct bench *b = *state;
	struct buffer out = buffer_make(NULL);
	lease_news_add(b->news, NULL, LEASE_KEEPER_BEGAN, 0, 1000, WALL_MS);
	assert_int_equal(ask(b, ALL, 60000), 0);
	lease_news_write(b->news, b->operators, &out);
	buffer_byte(&out, '\0');
	assert_string_equal(
		(char *)out.ptr,
		"{\"life\":5,\"lost\":0,\"news\":[{\"number\":1,\"at\":1000000,\"change\":\"the keeper began\"},"
		"{\"number\":2,\"at\":1001000,\"change\":\"refused\",\"operator\":\"one\",\"rule\":0,\"by\":7,"
		"\"until\":1060000,\"told\":\"discard to 192.0.2.10\",\"why\":\"a \\\"flood\\\"\",\"answer\":\"takes "
		"visitors away too (no source, or a very wide one, and a port that is served): is for a person to "
		"agree to\"}]}\n");
	buffer_free(&out);
}

static void what_was_not_fetched_in_time_is_counted(void **state)
{
	struct bench *b = *state;
	for (unsigned i = 0; i < LEASE_NEWS_MOST + 9; i++)
		lease_news_add(b->news, NULL, LEASE_KEEPER_BEGAN, 0, 1000, WALL_MS);
	assert_int_equal(b->news->lost, 9);
	assert_int_equal(b->news->items[b->news->first].number, 10);
	lease_news_forget(b->news, 6, 100); /* another life's numbers */
	assert_int_equal(b->news->count, LEASE_NEWS_MOST);
	lease_news_forget(b->news, 5, 100);
	assert_int_equal(b->news->count, LEASE_NEWS_MOST + 9 - 100);
	assert_int_equal(b->news->lost, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(what_becomes_of_a_lease_is_told), CASE(what_ends_by_itself_is_told), CASE(texts_and_times_are_told),
	  CASE(what_was_not_fetched_in_time_is_counted))
