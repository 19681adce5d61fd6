/* An attack of slow clients, as the watch is told of it: connections by state, and how many the gate closed. */
#include "incident/defence.h"

#include "base/test.h"

#include <stdlib.h>

enum { TICK_MS = 100, GATE = 8192 };

static const struct hash_key key = {31, 32};
static const uint8_t boot[IMAGE_BOOT_BYTES] = {3};

struct told {
	struct defence *defence;
	struct defence_time now;
	struct defence_standing standing;
};

static uint64_t no_hits(const void *context, uint32_t id)
{
	(void)context;
	(void)id;
	return 0;
}

static void pass(struct told *told, unsigned ms, double heads_more, double shed_more)
{
	for (unsigned at = 0; at < ms; at += TICK_MS) {
		told->now.now_ms += TICK_MS;
		told->now.wall_ms += TICK_MS;
		told->standing.states[0] += heads_more;
		told->standing.shed += shed_more;
		defence_stands(told->defence, 0, &told->standing);
		if (told->now.now_ms % 1000 == 0)
			defence_hits(told->defence, no_hits, NULL);
		defence_tick(told->defence, told->now);
	}
}

static struct defence_view look(const struct told *told)
{
	struct defence_view view;
	assert_true(defence_look(told->defence, 0, &view));
	return view;
}

static void make(struct told *told)
{
	assert_int_equal(defence_new(&key, told->now, &told->defence), 0);
}

static struct told quiet(void)
{
	struct told told = {.now = {50000, (uint64_t)1720551600 * 1000},
			    .standing = {.states = {5}, .connections_at_most = GATE, .shed = 77}};
	make(&told);
	assert_int_equal(defence_site(told.defence, 0, ""), 0);
	pass(&told, 20 * 1000, 0, 0);
	assert_int_equal(look(&told).episode->id, 0);
	return told;
}

static const struct mitigation *shedding(const struct told *told)
{
	struct defence_view view = look(told);
	for (size_t i = 0; i < view.mitigation_count; i++)
		if (view.mitigations[i].kind == MITIGATION_SHEDDING)
			return &view.mitigations[i];
	return NULL;
}

static void slow_clients_are_told_and_what_is_closed_is_counted(void **state)
{
	(void)state;
	struct told told = quiet();
	uint64_t version = defence_version(told.defence), onset_ms = told.now.now_ms;
	pass(&told, 1000, 150, 0);
	const struct episode *episode = look(&told).episode;
	assert_int_equal(episode->state, EPISODE_OPEN);
	assert_int_equal(episode->nature, TRAFFIC_SLOW);
	assert_int_equal(episode->harm, TRAFFIC_HARM_CONNECTIONS);
	assert_in_range(episode->detected_ms, onset_ms, onset_ms + 1000);
	assert_true(defence_sheds(told.defence) && defence_version(told.defence) > version);
	assert_null(defence_search_take(told.defence));
	assert_null(shedding(&told));

	pass(&told, 1000, 0, 20);
	episode = look(&told).episode;
	assert_int_equal(episode->state, EPISODE_MITIGATED);
	assert_in_range(episode->mitigated_ms, onset_ms + 1000, onset_ms + 1200);
	assert_int_equal(shedding(&told)->hits, 200);
	/* a worker's file is gone for a moment */
	told.standing.shed = 0;
	pass(&told, TICK_MS, 0, 0);
	assert_int_equal(shedding(&told)->hits, 200);

	told.standing.states[0] = 5;
	pass(&told, 2 * MITIGATION_HOLD_MS, 0, 0);
	assert_int_equal(look(&told).episode->state, EPISODE_QUIET);
	assert_false(defence_sheds(told.defence));
	assert_null(shedding(&told));
	defence_free(told.defence);
}

static void the_next_watch_goes_on(void **state)
{
	(void)state;
	struct told told = quiet();
	struct buffer kept = buffer_make(NULL);
	pass(&told, 2000, 150, 10);
	uint32_t id = look(&told).episode->id;
	uint64_t hits = shedding(&told)->hits;
	assert_int_equal(defence_keep(told.defence, boot, &kept), 0);
	defence_free(told.defence);
	told.now.now_ms += 3000;
	make(&told);
	assert_int_equal(defence_restore(told.defence, buffer_slice(&kept), boot), IMAGE_GOOD);
	assert_int_equal(defence_site(told.defence, 0, ""), 0);
	pass(&told, 500, 0, 10);
	assert_int_equal(look(&told).episode->id, id);
	assert_int_equal(look(&told).episode->state, EPISODE_MITIGATED);
	/* what the gate closed meanwhile nobody counted for it */
	assert_int_equal(shedding(&told)->hits, hits + 40);
	assert_true(defence_sheds(told.defence));
	buffer_free(&kept);
	defence_free(told.defence);
}

static void closing_in_quiet_is_no_mitigation(void **state)
{
	(void)state;
	struct told told = quiet();
	pass(&told, 5000, 0, 3);
	assert_int_equal(look(&told).episode->id, 0);
	assert_null(shedding(&told));
	defence_free(told.defence);
}

TEST_MAIN(cmocka_unit_test(slow_clients_are_told_and_what_is_closed_is_counted),
	  cmocka_unit_test(the_next_watch_goes_on), cmocka_unit_test(closing_in_quiet_is_no_mitigation))
