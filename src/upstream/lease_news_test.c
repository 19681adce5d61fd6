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
	lease_news_add(b->news, lease, change, outcome, (struct lease_news_time){b->now_ms, WALL_MS + b->now_ms},
		       b->sink.journal);
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	b->operators[0] = test_operator();
	b->news = calloc(1, sizeof(*b->news));
	lease_news_init(b->news, b->operators, 5);
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
	lease_news_free(b->news);
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
	lease_news_write(b->news, &out);
	json_t *root = json_loadb((char *)out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	json_array_foreach(json_object_get(root, "news"), i, item)
	{
		buffer_printf(&names, "%s%s", i > 0 ? ", " : "", json_string_value(json_object_get(item, "change")));
		lease_news_forget(b->news, 5, (uint64_t)json_integer_value(json_object_get(item, "number")),
				  &b->journal);
	}
	buffer_byte(&names, '\0');
	assert_string_equal((char *)names.ptr, changes);
	json_decref(root);
	buffer_free(&out);
	buffer_free(&names);
}

static void began(struct bench *b)
{
	lease_news_add(b->news, NULL, LEASE_KEEPER_BEGAN, 0, (struct lease_news_time){1000, WALL_MS}, &b->journal);
}

/* Whoever comes next reads the journal, of which the last `cut` bytes are not there. */
static void kill_keeper(struct bench *b, size_t cut)
{
	lease_news_free(b->news);
	*b->news = (struct lease_news){0};
	lease_news_init(b->news, b->operators, 9);
	lease_news_resume(b->news, slice_sub(buffer_slice(&b->journal), 0, b->journal.len - cut));
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
	began(b);
	assert_int_equal(ask(b, ALL, 60000), 0);
	lease_news_write(b->news, &out);
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
		began(b);
	assert_int_equal(b->news->lost, 9);
	assert_int_equal(b->news->items[b->news->first].number, 10);
	lease_news_forget(b->news, 6, 100, &b->journal); /* another life's numbers */
	assert_int_equal(b->news->count, LEASE_NEWS_MOST);
	lease_news_forget(b->news, 5, 100, &b->journal);
	assert_int_equal(b->news->count, LEASE_NEWS_MOST + 9 - 100);
	assert_int_equal(b->news->lost, 0);
}

static void what_a_killed_keeper_had_to_tell_is_told_by_the_next(void **state)
{
	struct bench *b = *state;
	struct buffer before = buffer_make(NULL), after = buffer_make(NULL);
	lease_news_keep(b->news, &b->journal);
	began(b);
	uint32_t id = ask(b, UDP, 60000);
	expect(b, "the keeper began, asked");
	answer(b, true);
	assert_int_equal(lease_end(b->book, id, &b->sink), 0);
	answer(b, true);
	lease_news_write(b->news, &before);
	for (unsigned lives = 0; lives < 2; lives++) {
		kill_keeper(b, 0);
		lease_news_write(b->news, &after);
		assert_int_equal(after.len, before.len);
		assert_memory_equal(after.ptr, before.ptr, before.len);
		buffer_clear(&after);
		buffer_clear(&b->journal);
		lease_news_keep(b->news, &b->journal);
	}
	began(b);
	kill_keeper(b, 1);
	expect(b, "announced, withdrawn, gone");
	began(b);
	assert_int_equal(b->news->last, 6);
	kill_keeper(b, 0);
	assert_int_equal(b->news->last, 6);
	buffer_free(&before);
	buffer_free(&after);
}

static void what_is_damaged_of_a_journal_is_left_out(void **state)
{
	struct bench *b = *state;
	lease_news_keep(b->news, &b->journal);
	buffer_text(&b->journal, "lease\t1\nnews\t\nnews\ttold\nnews\ttold\tx\t{}\nnews\ttold\t1\t{\"number\":1\n"
				 "news\ttold\t1\t{\"number\":2}\nnews\ttold\t1\t[]\nnews\tknown\t-\nnews\tlife\t7\n");
	ask(b, UDP, 60000);
	kill_keeper(b, 0);
	assert_int_equal(b->news->life, 5);
	expect(b, "asked");
}

static void what_was_lost_stays_counted(void **state)
{
	struct bench *b = *state;
	lease_news_keep(b->news, &b->journal);
	for (unsigned i = 0; i < LEASE_NEWS_MOST + 9; i++)
		began(b);
	kill_keeper(b, 0);
	assert_int_equal(b->news->lost, 9);
	buffer_clear(&b->journal);
	lease_news_keep(b->news, &b->journal);
	kill_keeper(b, 0);
	assert_int_equal(b->news->lost, 9);
	assert_int_equal(b->news->count, LEASE_NEWS_MOST);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(what_becomes_of_a_lease_is_told), CASE(what_ends_by_itself_is_told), CASE(texts_and_times_are_told),
	  CASE(what_was_not_fetched_in_time_is_counted), CASE(what_a_killed_keeper_had_to_tell_is_told_by_the_next),
	  CASE(what_is_damaged_of_a_journal_is_left_out), CASE(what_was_lost_stays_counted))
