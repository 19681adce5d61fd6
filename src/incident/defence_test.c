/* Who is known: what a watch remembers is known to the next one from its first second on. */
#include "incident/inside.h"

#include "base/test.h"
#include "wire/event.h"
#include "wire/outbox.h"

static const struct hash_key key = {51, 52};

static void arrive(struct defence *defence, struct defence_time *now, uint32_t ms, uint8_t network, uint8_t host)
{
	static const uint16_t sites[OUTBOX_SITES];
	now->now_ms += ms;
	now->wall_ms += ms;
	defence_tick(defence, *now);
	struct event event = {.kind = EVENT_ARRIVAL,
			      .method = EVENT_GET,
			      .at_ns = now->now_ms * 1000000,
			      .wall_ms = now->wall_ms,
			      .source = {[10] = 0xff, [11] = 0xff, [12] = 11, [14] = network, [15] = host}};
	defence_events(defence, sites, &event, 1);
}

static struct defence *begin(const struct defence_time *now)
{
	struct defence *defence;
	assert_int_equal(defence_new(&key, *now, &defence), 0);
	return defence;
}

/* A network whose people came again after twenty minutes: who else comes from there is from where some came before. */
static void regular_networks_are_known_after_a_restart(void **state)
{
	(void)state;
	struct defence_time now = {50000, (uint64_t)1720551600 * 1000};
	struct buffer memory = buffer_make(NULL);
	struct defence *defence = begin(&now);
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	arrive(defence, &now, 1000, 7, 5);
	arrive(defence, &now, 25 * 60 * 1000, 7, 5);
	assert_int_equal(defence_remember(defence, &memory), 0);
	defence_free(defence);

	defence = begin(&now);
	assert_int_equal(defence_recall(defence, &memory), TRAFFIC_MEMORY_GOOD);
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	arrive(defence, &now, 1000, 8, 2);
	arrive(defence, &now, 1, 7, 2);
	const struct traffic_tick *tick = &defence->sites[0]->rates.now;
	assert_int_equal(tick->value[TRAFFIC_REQUESTS], 2);
	assert_int_equal(tick->known, 1);
	defence_free(defence);
}

/* A network that is known makes none of its hosts known: not the first one either. */
static void a_known_network_is_none_of_its_hosts(void **state)
{
	(void)state;
	struct defence_time now = {50000, (uint64_t)1720551600 * 1000};
	struct defence *defence = begin(&now);
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	for (uint8_t host = 2; host < 9; host++)
		arrive(defence, &now, 20 * 60 * 1000, 7, host);
	for (unsigned host = 0; host < 256; host++) {
		const struct address source = {
			.bytes = {[10] = 0xff, [11] = 0xff, [12] = 11, [14] = 7, [15] = (uint8_t)host}};
		uint64_t own = hash_words(&defence->key, address_high(&source), address_low(&source));
		bool came = host >= 2 && host < 9,
		     known = regulars_meet(defence->regulars, own, now.wall_ms / 1000, false);
		assert_true(came || !known);
	}
	defence_free(defence);
}

/* Both ways, whole. */
static void bytes_are_all_that_went_over_the_wire(void **state)
{
	(void)state;
	static const uint16_t sites[OUTBOX_SITES];
	struct defence_time now = {50000, (uint64_t)1720551600 * 1000};
	struct defence *defence = begin(&now);
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	defence_tick(defence, now);
	const struct event event = {.kind = EVENT_END,
				    .at_ns = now.now_ms * 1000000,
				    .wall_ms = now.wall_ms,
				    .source = {[10] = 0xff, [11] = 0xff, [12] = 11, [15] = 1},
				    .end = {.status = 200, .bytes_in = 701, .bytes_out = 3000}};
	defence_events(defence, sites, &event, 1);
	assert_int_equal((int)defence->sites[0]->rates.now.value[TRAFFIC_BYTES], 3701);
	defence_free(defence);
}

/* From where sites are fetched, and our proxies; nor a network that has one of them in it. */
static void who_is_spared_is_banned_by_no_decision(void **state)
{
	static const char *const spared[] = {"127.0.0.1", "10.0.0.0/8", "2001:db8::10"};
	static const struct {
		const char *source;
		size_t bans;
	} cases[] = {{"127.0.0.1", 0},     {"127.0.0.2", 1},         {"10.3.4.5", 0},
		     {"2001:db8::/64", 0}, {"2001:db8:0:1::/64", 1}, {"11.0.0.1", 1}};
	const struct defence_time now = {50000, (uint64_t)1720551600 * 1000};
	struct prefix prefixes[sizeof(spared) / sizeof(spared[0])];
	struct defence *defence = begin(&now);
	(void)state;
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	for (size_t i = 0; i < sizeof(spared) / sizeof(spared[0]); i++)
		assert_true(prefix_parse(slice_from_string(spared[i]), &prefixes[i]));
	assert_int_equal(defence_spare(defence, NULL, 0), 0);
	assert_int_equal(defence_spare(defence, prefixes, sizeof(spared) / sizeof(spared[0])), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct offender offender = {.matched = 1000};
		struct plan_ban bans[2];
		assert_true(prefix_parse(slice_from_string(cases[i].source), &offender.prefix));
		decide_offender(defence, 0, &offender, &(struct mitigation){.id = 7});
		assert_int_equal(defence_bans_take(defence, bans, 2), cases[i].bans);
	}
	defence_free(defence);
}

/* Where nobody is known from before somebody may share the address: only who sends much, and was watched, is banned. */
static void where_nobody_is_known_who_sends_little_is_not_banned(void **state)
{
	static const struct {
		enum knowledge knowledge;
		uint64_t in_force_ms;
		uint32_t matched;
		size_t bans;
	} cases[] = {{KNOWLEDGE_ENOUGH, 1000, 9, 0},  {KNOWLEDGE_ENOUGH, 1000, 10, 1},  {KNOWLEDGE_THIN, 1000, 10, 1},
		     {KNOWLEDGE_NONE, 1000, 1000, 0}, {KNOWLEDGE_NONE, 19999, 9999, 0}, {KNOWLEDGE_NONE, 20000, 399, 0},
		     {KNOWLEDGE_NONE, 20000, 400, 1}, {KNOWLEDGE_NONE, 60000, 400, 0}};
	const struct defence_time now = {500000, (uint64_t)1720551600 * 1000};
	struct defence *defence = begin(&now);
	(void)state;
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mitigation mitigation = {.id = 7, .since_ms = now.now_ms - cases[i].in_force_ms};
		struct offender offender = {.matched = cases[i].matched};
		struct plan_ban bans[2];
		assert_true(prefix_parse(SLICE("11.0.0.1"), &offender.prefix));
		defence->sites[0]->knowledge = cases[i].knowledge;
		decide_offender(defence, 0, &offender, &mitigation);
		assert_int_equal(defence_bans_take(defence, bans, 2), cases[i].bans);
	}
	defence_free(defence);
}

/* A ban lasts a minute at first, and an attack hours: who goes on is banned again, but for whom a person let go. */
static void who_goes_on_after_his_ban_is_banned_again(void **state)
{
	static const struct {
		uint64_t after_ms;
		const char *pardoned;
		size_t bans;
	} cases[] = {{0, "12.0.0.0/8", 1},     {59999, "11.0.0.2", 0},   {1, "::/0", 1},
		     {60000, "12.0.0.0/8", 1}, {60000, "11.0.0.0/8", 0}, {600000, "12.0.0.0/8", 0}};
	struct defence_time now = {500000, (uint64_t)1720551600 * 1000};
	struct defence *defence = begin(&now);
	const struct mitigation mitigation = {.id = 7, .since_ms = now.now_ms};
	(void)state;
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	defence->sites[0]->knowledge = KNOWLEDGE_ENOUGH;
	decide_need_offenders(defence);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix source, pardoned;
		struct plan_ban bans[2];
		assert_true(prefix_parse(SLICE("11.0.0.1"), &source));
		assert_true(prefix_parse(slice_from_string(cases[i].pardoned), &pardoned));
		struct offender *offender = offenders_get(defence->offenders, 0, &source.address, defence->now.now_ms);
		defence->now.now_ms += cases[i].after_ms;
		defence_pardon(defence, &pardoned);
		offender->matched += 10;
		decide_offender(defence, 0, offender, &mitigation);
		assert_int_equal(defence_bans_take(defence, bans, 2), cases[i].bans);
	}
	assert_int_equal(defence->sites[0]->bans, 1);
	defence_free(defence);
}

/* An attack that pauses for a minute and comes again is another episode. */
static void what_a_person_lifted_stays_so_in_the_next_episode(void **state)
{
	const struct defence_time now = {500000, (uint64_t)1720551600 * 1000};
	struct defence *defence = begin(&now);
	(void)state;
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	struct site *site = defence->sites[0];
	site->lifted_ms = now.now_ms - 100000;
	site->onset.began_ms = now.now_ms;
	decide_tick(defence, 0);
	assert_true(site_has_episode(site));
	assert_true(site_is_left_alone(defence, site));
	defence->now.now_ms = site->lifted_ms + MITIGATION_LIFTED_MS;
	assert_false(site_is_left_alone(defence, site));
	defence_free(defence);
}

static void an_end(struct defence *defence, enum event_reason reason, uint32_t origin_us)
{
	static const uint16_t sites[OUTBOX_SITES];
	const struct event event = {.kind = EVENT_END,
				    .at_ns = defence->now.now_ms * 1000000,
				    .source = {[10] = 0xff, [11] = 0xff, [12] = 11, [15] = 1},
				    .end = {.status = 429, .reason = (uint8_t)reason, .origin_us = origin_us}};
	defence_events(defence, sites, &event, 1);
}

/* What was taken before the ban, or ended in it, bans nobody who has not come again. */
static void without_a_signature_what_is_taken_counts_anew_after_a_ban(void **state)
{
	static const struct {
		uint64_t after_ms;
		unsigned limited, origin_s;
		size_t bans;
	} cases[] = {{1000, 19, 0, 0}, {0, 1, 0, 1},    {1000, 20, 60, 0}, {59000, 0, 0, 0},
		     {10, 19, 1, 0},   {1000, 1, 0, 1}, {60001, 0, 0, 0},  {0, 0, 2, 1}};
	const struct defence_time now = {500000, (uint64_t)1720551600 * 1000};
	struct defence *defence = begin(&now);
	(void)state;
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	decide_need_offenders(defence);
	defence->sites[0]->episode.state = EPISODE_OPEN;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_ban bans[2];
		defence->now.now_ms += cases[i].after_ms;
		for (unsigned n = 0; n < cases[i].limited; n++)
			an_end(defence, EVENT_BY_LIMIT, 0);
		for (unsigned n = 0; n < cases[i].origin_s; n++)
			an_end(defence, EVENT_NO_REASON, 1000000);
		decide_heavy(defence, 0);
		assert_int_equal(defence_bans_take(defence, bans, 2), cases[i].bans);
	}
	defence_free(defence);
}

/* While the gate has more connections than it takes in, a request that matches is enough; then it is ten again. */
static void where_connections_find_no_room_one_match_is_enough(void **state)
{
	static const struct {
		uint64_t after_ms, overflowed;
		uint32_t matched;
		size_t bans;
	} cases[] = {{0, 500, 9, 0},   {100, 500, 9, 0},  {100, 500, 9, 0}, {100, 501, 1, 1},
		     {100, 501, 0, 0}, {1899, 501, 1, 1}, {1, 501, 9, 0},   {0, 501, 10, 1},
		     {100, 3, 9, 0},   {100, 4, 1, 1},    {100, 0, 1, 1}};
	struct defence_time now = {500000, (uint64_t)1720551600 * 1000};
	struct defence *defence = begin(&now);
	const struct mitigation mitigation = {.id = 7, .since_ms = now.now_ms};
	(void)state;
	assert_int_equal(defence_site(defence, 0, "a.test"), 0);
	defence->sites[0]->knowledge = KNOWLEDGE_ENOUGH;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct defence_packets packets = {.overflowed = cases[i].overflowed};
		struct offender offender = {.matched = cases[i].matched};
		struct plan_ban bans[2];
		assert_true(prefix_parse(SLICE("11.0.0.1"), &offender.prefix));
		defence->now.now_ms += cases[i].after_ms;
		defence_packets(defence, &packets);
		decide_offender(defence, 0, &offender, &mitigation);
		assert_int_equal(defence_bans_take(defence, bans, 2), cases[i].bans);
	}
	defence_free(defence);
}

TEST_MAIN(cmocka_unit_test(what_a_person_lifted_stays_so_in_the_next_episode),
	  cmocka_unit_test(who_goes_on_after_his_ban_is_banned_again),
	  cmocka_unit_test(without_a_signature_what_is_taken_counts_anew_after_a_ban),
	  cmocka_unit_test(where_connections_find_no_room_one_match_is_enough),
	  cmocka_unit_test(who_is_spared_is_banned_by_no_decision),
	  cmocka_unit_test(where_nobody_is_known_who_sends_little_is_not_banned),
	  cmocka_unit_test(regular_networks_are_known_after_a_restart),
	  cmocka_unit_test(a_known_network_is_none_of_its_hosts),
	  cmocka_unit_test(bytes_are_all_that_went_over_the_wire))
