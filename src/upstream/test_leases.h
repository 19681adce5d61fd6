/* A book of leases for tests, with two operators, and what it has written. */
#ifndef GUIA_UPSTREAM_TEST_LEASES_H
#define GUIA_UPSTREAM_TEST_LEASES_H

#include "upstream/lease_book.h"
#include "upstream/test_operator.h"

#define UDP  "flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { discard; } }"
#define ICMP "flow route { match { destination 192.0.2.11/32; protocol [ =1 ]; } then { discard; } }"
#define ONE  "neighbor 203.0.113.1 "
#define SLOW "flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { rate-limit 9600; } }"

struct bench {
	struct upstream_operator operators[2];
	struct lease_book *book;
	struct buffer journal;
	struct buffer lines;
	struct lease_sink sink;
};

static inline void bench_open(struct bench *b)
{
	*b = (struct bench){.operators = {test_operator(), test_operator()}};
	strcpy(b->operators[1].name, "two");
	b->operators[1].peer = test_prefix("203.0.113.2").address;
	b->sink = (struct lease_sink){.journal = &b->journal, .lines = &b->lines};
	assert_int_equal(lease_book_create(b->operators, 2, &b->book), 0);
}

static inline void bench_close(struct bench *b)
{
	lease_book_free(b->book);
	buffer_free(&b->journal);
	buffer_free(&b->lines);
}

static inline int ask_why(struct bench *b, const char *text, const char *why, uint64_t until_ms, uint64_t now_ms,
			  uint32_t *ret_id)
{
	struct route route;
	const struct lease *lease;
	assert_true(route_read(slice_from_string(text), &route));
	const struct lease_ask wanted = {.route = &route, .until_ms = until_ms, .by = 7, .why = slice_from_string(why)};
	int outcome = lease_ask(b->book, &wanted, now_ms, &b->sink, &lease);
	*ret_id = 0;
	if (outcome == 0)
		*ret_id = lease->id;
	return outcome;
}

static inline int ask(struct bench *b, const char *text, uint64_t until_ms, uint64_t now_ms, uint32_t *ret_id)
{
	return ask_why(b, text, "a flood\tof\n", until_ms, now_ms, ret_id);
}

/* The lines since the last look, each of them answered. */
static inline void wrote(struct bench *b, const char *expected)
{
	buffer_byte(&b->lines, '\0');
	assert_string_equal((char *)b->lines.ptr, expected);
	b->lines.len = 0;
	while (lease_unanswered(b->book) > 0)
		lease_answered(b->book, true, 0, &b->sink);
}

static inline void is_ending(struct bench *b, uint64_t now_ms)
{
	const struct lease *leases;
	assert_int_equal(lease_list(b->book, &leases), 1);
	assert_int_equal(leases[0].state, LEASE_ENDING);
	assert_false(leases[0].taken);
	assert_int_equal(lease_announced(b->book, 0), 0);
	(void)lease_tick(b->book, now_ms, &b->sink);
}

#endif
