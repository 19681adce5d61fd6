/* What is put to the search: an attack's beginning, which is told late, is none of the quiet requests. */
#include "incident/inside.h"

#include "base/test.h"
#include "wire/event.h"
#include "wire/outbox.h"

enum {
	QUIET_MS = 20 * 1000,
	TOLD_MS = 600,  /* from its first request to the onset that is told, at most */
	AFTER_MS = 800, /* of it are looked at then */
	ATTACKING = 666,
};

static const struct hash_key key = {41, 42};

struct day {
	struct defence *defence;
	struct defence_time now;
	uint32_t number; /* of sources */
	uint16_t site;   /* to which they come */
};

static void arrive_from(struct day *day, bool attacks, uint32_t source, uint64_t path)
{
	const uint16_t sites[OUTBOX_SITES] = {day->site};
	struct event event = {.kind = EVENT_ARRIVAL,
			      .method = EVENT_GET,
			      .at_ns = day->now.now_ms * 1000000,
			      .wall_ms = day->now.wall_ms,
			      .source = {[10] = 0xff, [11] = 0xff, [12] = 11},
			      .agent = attacks ? ATTACKING : 1 + source % 3,
			      .path = path,
			      .shape = 7};
	for (unsigned i = 0; i < 3; i++)
		event.source[13 + i] = (uint8_t)(source >> 8 * (2 - i));
	defence_events(day->defence, sites, &event, 1);
}

static void arrive(struct day *day, bool attacks)
{
	day->number++;
	arrive_from(day, attacks, day->number, 5);
}

static void pass(struct day *day, unsigned ms, bool attacks)
{
	for (unsigned i = 0; i < ms; i++) {
		day->now.now_ms++;
		day->now.wall_ms++;
		defence_tick(day->defence, day->now);
		if (i % 10 == 0)
			arrive(day, false);
		if (attacks)
			arrive(day, true);
	}
}

static size_t count_attacking(const struct signature_sample *sample)
{
	size_t count = 0;
	for (size_t i = 0; i < sample->count; i++)
		count += sample->requests[i].field[SIGNATURE_AGENT] == ATTACKING;
	return count;
}

/* Now, at the first site. */
static struct site *episode_begins(struct day *day)
{
	struct site *site = day->defence->sites[0];
	site->episode.state = EPISODE_OPEN;
	site->episode.onset_ms = day->now.now_ms;
	onset_goes_on(&site->onset, &site->baseline, day->now.now_ms, day->now.now_ms);
	return site;
}

/* Samples know whole seconds: at whatever part of one it begins. */
static void no_part_of_an_attack_is_quiet(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < 1000; phase += 90)
		for (unsigned told_ms = 0; told_ms <= TOLD_MS; told_ms += TOLD_MS / 2) {
			struct day day = {.now = {50000, (uint64_t)1720551600 * 1000 + phase}};
			assert_int_equal(defence_new(&key, day.now, &day.defence), 0);
			assert_int_equal(defence_site(day.defence, 0, "a.test"), 0);
			pass(&day, QUIET_MS, false);
			pass(&day, told_ms, true);
			(void)episode_begins(&day);
			pass(&day, AFTER_MS, true);
			struct defence_search *search = question_make(day.defence, 0);
			assert_non_null(search);
			assert_true(count_attacking(&search->question.attack) > 100);
			assert_int_equal(count_attacking(&search->question.quiet), 0);
			assert_true(search->question.quiet.count > 1500);
			defence_search_free(search);
			defence_free(day.defence);
		}
}

/* Visitors look at a few pages each, attackers ask for one; `fast` ones ask for many. */
static void pass_at_start(struct day *day, unsigned ms)
{
	enum { VISITORS = 0x200000, FAST = 0x300000 };
	for (unsigned i = 0; i < ms; i++) {
		day->now.now_ms++;
		day->now.wall_ms++;
		defence_tick(day->defence, day->now);
		arrive(day, true);
		if (i % 5 == 0)
			arrive_from(day, false, VISITORS + i / 40, i / 5 % 8);
		arrive_from(day, true, FAST, i % 50);
	}
}

static void where_nothing_is_known_those_prove_who_come_in_visits(void **state)
{
	(void)state;
	struct day day = {.now = {50000, (uint64_t)1720551600 * 1000}};
	assert_int_equal(defence_new(&key, day.now, &day.defence), 0);
	assert_int_equal(defence_site(day.defence, 0, "a.test"), 0);
	struct site *site = day.defence->sites[0];
	pass_at_start(&day, 500);
	site->episode.state = EPISODE_OPEN;
	site->episode.onset_ms = day.now.now_ms - 500;
	onset_goes_on(&site->onset, &site->baseline, site->episode.onset_ms, day.now.now_ms);
	site->knowledge = question_knowledge(day.defence, site);
	assert_int_equal(site->knowledge, KNOWLEDGE_NONE);
	decide_need_offenders(day.defence);
	pass_at_start(&day, 1500);
	assert_null(question_make(day.defence, 0)); /* too few yet */
	pass_at_start(&day, 14000);
	struct defence_search *search = question_make(day.defence, 0);
	assert_non_null(search);
	assert_int_equal(search->question.quiet.count, 0);
	assert_true(search->question.elsewhere.count > 520);
	/* one source among them asked for much, for a moment, and lent no more than others */
	assert_true(count_attacking(&search->question.elsewhere) <= 4);
	assert_true(search->question.normal_share > 0.01 && search->question.normal_share < 0.5);
	assert_true(search->question.collateral_most > 0.001 && search->question.collateral_most <= 0.015);
	defence_search_free(search);
	defence_free(day.defence);
}

/* Whoever tries his tool minutes before teaches nobody that visitors send what it does. */
static void a_tool_that_was_tried_before_is_none_of_quiet_days(void **state)
{
	(void)state;
	struct day day = {.now = {50000, (uint64_t)1720551600 * 1000}};
	assert_int_equal(defence_new(&key, day.now, &day.defence), 0);
	assert_int_equal(defence_site(day.defence, 0, "a.test"), 0);
	assert_int_equal(defence_site(day.defence, 1, "b.test"), 0);
	for (day.site = 2; day.site-- > 0;)
		pass(&day, 2 * QUIET_MS, false);
	day.site = 0;
	day.now.now_ms += SAMPLE_YOUNG_S * 1000;
	day.now.wall_ms += SAMPLE_YOUNG_S * 1000;
	pass(&day, 100, true);
	pass(&day, 5000, false);
	(void)episode_begins(&day);
	pass(&day, AFTER_MS, true);
	struct defence_search *search = question_make(day.defence, 0);
	assert_non_null(search);
	assert_true(search->question.quiet.count > 3900 && search->question.elsewhere.count > 3900);
	assert_int_equal(count_attacking(&search->question.quiet), 0);
	defence_search_free(search);
	defence_free(day.defence);
}

/* Fifty who were here before, so many of their requests a second, and so many of an attack's. */
static void pass_with(struct day *day, unsigned ms, unsigned familiar, unsigned attacking)
{
	for (unsigned i = 0; i < ms; i++) {
		day->now.now_ms++;
		day->now.wall_ms++;
		defence_tick(day->defence, day->now);
		for (unsigned before = i * familiar / 1000; before < (i + 1) * familiar / 1000; before++)
			arrive_from(day, false, 0x200000 + before % 50, 5);
		for (unsigned before = i * attacking / 1000; before < (i + 1) * attacking / 1000; before++)
			arrive(day, true);
	}
}

/* Visitors come by fits, and of the attack a part, while strangers are held back: a fit is none of the attack. */
static void where_there_is_no_room_who_was_here_before_is_normal(void **state)
{
	(void)state;
	struct day day = {.now = {50000, (uint64_t)1720551600 * 1000}};
	assert_int_equal(defence_new(&key, day.now, &day.defence), 0);
	assert_int_equal(defence_site(day.defence, 0, "a.test"), 0);
	pass_with(&day, QUIET_MS, 60, 0);
	episode_begins(&day)->normal = 6;
	pass_with(&day, 3000, 100, 80);
	for (unsigned crowded = 0; crowded < 2; crowded++) {
		day.defence->crowded_until_ms = crowded == 1 ? day.now.now_ms + 1000 : 0;
		struct defence_search *search = question_make(day.defence, 0);
		assert_non_null(search);
		double share = search->question.normal_share;
		assert_true(crowded == 1 ? share > 0.53 && share < 0.58 : share > 0.31 && share < 0.36);
		defence_search_run(search);
		assert_int_equal(search->result == 0, crowded == 1);
		defence_search_free(search);
	}
	defence_free(day.defence);
}

TEST_MAIN(cmocka_unit_test(no_part_of_an_attack_is_quiet),
	  cmocka_unit_test(a_tool_that_was_tried_before_is_none_of_quiet_days),
	  cmocka_unit_test(where_there_is_no_room_who_was_here_before_is_normal),
	  cmocka_unit_test(where_nothing_is_known_those_prove_who_come_in_visits))
