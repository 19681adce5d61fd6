#include "watch/hit_ledger.h"

#include "base/test.h"

#include <stdlib.h>

struct told {
	size_t count;
	uint32_t id;
	uint64_t total;
};

static void tell(void *context, uint32_t id, uint64_t connections)
{
	struct told *told = context;
	told->count++;
	told->id = id;
	told->total += connections;
}

static void second(struct hit_ledger *ledger, struct told *told, struct hit *hits, size_t count)
{
	hit_ledger_second(ledger);
	hit_ledger_table(ledger, hits, count);
	hit_ledger_tell(ledger, tell, told);
}

static struct hit_ledger *made(void)
{
	struct hit_ledger *ledger;
	assert_int_equal(hit_ledger_create(&ledger), 0);
	return ledger;
}

static void requests(struct hit_ledger *ledger, uint32_t id, uint8_t reason, size_t count)
{
	const struct event event = {.kind = EVENT_END, .end = {.rule = id, .reason = reason}};
	for (size_t i = 0; i < count; i++)
		hit_ledger_event(ledger, &event);
}

/* Of 100 hits 30 were of requests that events told of; of what was there before us nothing is told. */
static void connections_are_what_requests_do_not_explain(void **state)
{
	struct hit_ledger *ledger = made();
	struct told told = {0};
	struct hit hits[2] = {{.id = 7, .count = 1000}};
	(void)state;
	second(ledger, &told, hits, 2);
	hits[0].count = 1100;
	requests(ledger, 7, EVENT_BY_BAN, 30);
	requests(ledger, 7, EVENT_BY_LIMIT, 30);
	for (int i = 0; i < 4; i++)
		second(ledger, &told, hits, 2);
	assert_int_equal(told.total, 70);
	assert_int_equal(told.id, 7);
	hits[1] = (struct hit){.id = 8, .count = 5};
	for (int i = 0; i < 4; i++)
		second(ledger, &told, hits, 2);
	assert_int_equal(told.total, 75);
	assert_int_equal(told.count, 2);
	hit_ledger_free(ledger);
}

/* What a worker writes is of anyone's making: as many ids as it likes, and sums that fall. */
static void hostile_tables_do_no_harm(void **state)
{
	struct hit_ledger *ledger = made();
	struct told told = {0};
	struct hit *hits = calloc(HIT_SLOTS, sizeof(*hits));
	(void)state;
	for (uint32_t round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < HIT_SLOTS; i++)
			hits[i] = (struct hit){.id = round * 7919 * HIT_SLOTS + i, .count = UINT64_MAX - round * i};
		second(ledger, &told, hits, HIT_SLOTS);
	}
	free(hits);
	hit_ledger_free(ledger);
}

TEST_MAIN(cmocka_unit_test(connections_are_what_requests_do_not_explain), cmocka_unit_test(hostile_tables_do_no_harm))
