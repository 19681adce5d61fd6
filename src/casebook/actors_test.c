#include "casebook/actors.h"

#include "casebook/test_intrusions.h"

static void test_five_addresses_with_one_tool_are_one(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 60; i++) {
		struct request r = sqlmap;
		r.host = i % 5 * 256; /* each in a network of its own */
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.kind, CASE_INJECTION);
	assert_int_equal(f->news.actor.sources, 5);
	assert_int_equal(f->news.actor.findings, 60);
	assert_int_equal(f->news.record.site_count, 1);
	assert_string_equal(f->news.record.sites[0].name, "a.example");
	assert_int_equal(f->news.record.sites[0].sums.blocked, 60);
	assert_int_equal(f->news.point_count, 1);
	uint64_t sources = 0, agents = 0;
	for (size_t i = 0; i < f->news.tally_count; i++) {
		sources += strcmp(f->news.tallies[i].dimension, "source") == 0;
		agents += strcmp(f->news.tallies[i].key, "sqlmap/1.7#stable") == 0;
	}
	assert_int_equal(sources, 5);
	assert_int_equal(agents, 1);
	/* What was told is not told again. */
	found(f, &sqlmap);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.tally_count, 5);
	assert_int_equal(f->news.record.sites[0].sums.blocked, 61);
	assert_int_equal(f->news.points[0].requests.blocked, 1);
}

static void test_random_agents_are_one(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 60; i++) {
		struct request r = sqlmap;
		r.host = i % 5 * 256;
		r.agent = 1000 + i;
		r.classes = CLASS(SQL_INJECTION);
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.actor.sources, 5);
}

static void test_two_that_share_nothing_are_two(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 20; i++) {
		struct request r = sqlmap;
		found(f, &r);
		r = (struct request){.host = 70000,
				     .path = 70 + i,
				     .agent = 55,
				     .shape = 66,
				     .classes = CLASS(FILE_ACCESS),
				     .found = FINDING_WOULD_BLOCK,
				     .inbound = 5,
				     .site = 1};
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 2);
}

static void test_one_off_probes_are_no_incident(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t mix = random_mix(i + 1);
		struct request r = {.host = i * 256 % 0xffffff,
				    .path = mix,
				    .agent = random_mix(mix),
				    .shape = random_mix(mix + 1),
				    .classes = CLASS(SQL_INJECTION) << i % 3,
				    .found = FINDING_DISRUPTED,
				    .inbound = 5};
		found(f, &r);
		if (i % 50 == 0)
			pass(f, 1);
	}
	assert_int_equal(f->last_id, 0);
	/* And who goes on among them is seen. */
	for (unsigned i = 0; i < 12; i++) {
		found(f, &sqlmap);
		for (unsigned k = 0; k < 100; k++) {
			struct request r = {.host = (unsigned)(random_mix(i * 100 + k) % 0xffffff),
					    .path = random_mix(i * 700 + k),
					    .agent = random_mix(i * 900 + k),
					    .classes = CLASS(FILE_ACCESS),
					    .found = FINDING_DISRUPTED,
					    .inbound = 5};
			found(f, &r);
		}
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_string_equal(f->news.record.sites[0].name, "a.example");
	assert_int_equal(f->news.actor.sources, 1);
}

static void test_a_site_that_leaks_is_one_whoever_asks(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 100; i++) {
		struct request r = {.host = i * 256,
				    .path = i,
				    .agent = i,
				    .shape = i,
				    .classes = CLASS(DISCLOSURE),
				    .found = FINDING_RESPONSE | FINDING_WOULD_BLOCK,
				    .site = i < 60 ? 1 : 2};
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 2);
	assert_true(intrusions_take(f->intrusions, f->now_ms, &f->news));
	assert_int_equal(f->news.record.kind, CASE_LEAK);
	assert_int_equal(f->news.actor.findings, 60);
	assert_in_range(f->news.actor.sources, 55, 65);
	assert_string_equal(f->news.record.sites[0].name, "b.example");
	/* None of them did anything: what the next does is another matter. */
	struct request r = sqlmap;
	r.host = 256;
	for (unsigned i = 0; i < 20; i++)
		found(f, &r);
	pass(f, 1);
	assert_int_equal(f->last_id, 3);
}

static void test_a_flood_of_sources(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 200000; i++) {
		struct request r = sqlmap;
		r.host = (unsigned)(random_mix(i) % 0xffffff);
		ended(f, r.host, random_mix(i), 404, i);
		if (i % 4 == 0)
			found(f, &r);
		if (i % 2000 == 0)
			pass(f, 1);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.actor.findings, 50000);
	assert_true(f->news.actor.sources > 10000);
}

static void test_a_search_from_many_addresses_is_one(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 600; i++) {
		struct event event = {.kind = EVENT_END,
				      .wall_ms = f->now_ms,
				      .path = random_mix(i),
				      .agent = 44,
				      .shape = 55,
				      .end.status = 404};
		source_of(i % 6 * 256, event.source);
		intrusions_event(f->intrusions, 0, &event, 0, site_name(0), f->now_ms);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.actor.sources, 6);
	assert_int_equal(f->news.actor.missing, 600);
}

TEST_MAIN(CASE(test_five_addresses_with_one_tool_are_one), CASE(test_random_agents_are_one),
	  CASE(test_two_that_share_nothing_are_two), CASE(test_one_off_probes_are_no_incident),
	  CASE(test_a_site_that_leaks_is_one_whoever_asks), CASE(test_a_flood_of_sources),
	  CASE(test_a_search_from_many_addresses_is_one))
