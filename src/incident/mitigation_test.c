/* What becomes of a mitigation: tried, in force, and let go, for each of the reasons there are. */
#include "incident/defence.h"

#include "base/test.h"
#include "wire/event.h"
#include "wire/outbox.h"

enum {
	STEP_MS = 25,
	VISITS = 2, /* in a step */
	FLOOD = 75,
	ATTACKERS = 900,
	FIRST = 900, /* the shapes of attacks: the first, and another tool's */
	SECOND = 901,
	ALIKE = 902, /* the third is of visitors' own machines, and sends what browsers do */
};

static const struct hash_key key = {61, 62};

/* Sites with three browsers, and what was said of its mitigations. */
struct world {
	struct defence *defence;
	struct defence_time now;
	uint16_t sites;
	uint64_t number; /* of requests */
	size_t banned;
	uint32_t latest; /* mitigation that was told of */
	unsigned on_trial, in_force, withdrawn, not_applied, over;
	char line[512]; /* of the last that was let go */
};

static void listen(void *context, struct defence_time now, const struct defence_news *news)
{
	struct world *w = context;
	(void)now;
	w->latest = news->mitigation != NULL ? news->mitigation->id : w->latest;
	w->on_trial += strcmp(news->change, "on trial") == 0;
	w->in_force += strcmp(news->change, "in force") == 0;
	w->over += strcmp(news->change, "over") == 0;
	w->withdrawn += strcmp(news->change, "withdrawn") == 0;
	w->not_applied += strcmp(news->change, "not applied") == 0;
	if (strcmp(news->change, "withdrawn") == 0 || strcmp(news->change, "not applied") == 0)
		snprintf(w->line, sizeof(w->line), "%s", news->line);
}

/* One of a visitor's, or of an attacker's with this shape, whom the origin cannot bear. */
static void request(struct world *w, uint16_t site, uint64_t attack)
{
	const uint16_t sites[OUTBOX_SITES] = {site};
	uint64_t number = w->number++, browser = number % 3;
	uint64_t from = attack != 0 && attack != ALIKE ? 5000 + number % ATTACKERS * 65536 : number % 200;
	struct event event = {.kind = EVENT_ARRIVAL,
			      .at_ns = w->now.now_ms * 1000000,
			      .wall_ms = w->now.wall_ms,
			      .method = EVENT_GET,
			      .path = 100 + number % 20,
			      .agent = 200 + browser,
			      .shape = attack != 0 && attack != ALIKE ? attack : 300 + browser,
			      .arrival = {.accept = 400 + browser, .present = 0xff, .headers = 9}};
	struct address source = address_from_words(0x20010db800000000 + from, 1);
	memcpy(event.source, source.bytes, sizeof(event.source));
	defence_events(w->defence, sites, &event, 1);
	event.kind = EVENT_END;
	event.end = (struct event_end){.status = attack != 0 ? 503 : 200, .total_us = 50000, .origin_us = 40000};
	defence_events(w->defence, sites, &event, 1);
}

static uint64_t no_hits(const void *context, uint32_t id)
{
	(void)context;
	(void)id;
	return 0;
}

static void step(struct world *w, uint64_t attack)
{
	struct plan_ban bans[512];
	w->now.now_ms += STEP_MS;
	w->now.wall_ms += STEP_MS;
	struct defence_search *search = defence_search_take(w->defence);
	if (search != NULL) {
		defence_search_run(search);
		defence_search_give(w->defence, search);
	}
	w->banned += defence_bans_take(w->defence, bans, 512);
	if (w->now.now_ms % 1000 == 0)
		defence_hits(w->defence, no_hits, NULL);
	defence_tick(w->defence, w->now);
	for (uint16_t site = 0; site < w->sites; site++) {
		for (unsigned i = 0; i < VISITS; i++)
			request(w, site, 0);
		for (unsigned i = 0; i < FLOOD && attack != 0; i++)
			request(w, site, attack);
	}
}

static void pass(struct world *w, unsigned seconds, uint64_t attack)
{
	for (unsigned ms = 0; ms < seconds * 1000; ms += STEP_MS)
		step(w, attack);
}

static struct world quiet_sites(uint16_t sites)
{
	static const struct defence_time morning = {50000, (uint64_t)1720551600 * 1000};
	struct world w = {.now = morning, .sites = sites};
	char name[16];
	assert_int_equal(defence_new(&key, morning, &w.defence), 0);
	for (uint16_t site = 0; site < sites; site++) {
		snprintf(name, sizeof(name), "%u.test", site);
		assert_int_equal(defence_site(w.defence, site, name), 0);
	}
	pass(&w, 30, 0);
	return w;
}

static struct world quiet(void)
{
	return quiet_sites(1);
}

static const uint8_t boot[IMAGE_BOOT_BYTES] = {9};

static size_t rules_in_force(const struct world *w)
{
	struct plan_rule rules[SIGNATURE_RULES_MOST];
	return defence_plan(w->defence, rules, SIGNATURE_RULES_MOST);
}

static void one_is_done_when_its_attack_is_over(void **state)
{
	(void)state;
	struct world w = quiet();
	defence_listen(w.defence, listen, &w);
	pass(&w, 5, FIRST);
	assert_int_equal(w.in_force, 1);
	assert_int_equal(rules_in_force(&w), 1);
	pass(&w, MITIGATION_HOLD_MS / 1000 - 5, 0);
	assert_int_equal(w.withdrawn, 0);
	pass(&w, 90, 0);
	assert_int_equal(w.withdrawn, 1);
	assert_non_null(strstr(w.line, mitigation_end_text(MITIGATION_DONE)));
	assert_int_equal(w.over, 1);
	assert_int_equal(rules_in_force(&w), 0);
	defence_free(w.defence);
}

/* Another watch, with what this one has learned and decided; a moment later. */
static void restart(struct world *w, struct buffer *learned)
{
	struct buffer kept = buffer_make(NULL);
	assert_int_equal(defence_keep(w->defence, boot, &kept), 0);
	defence_free(w->defence);
	w->now.now_ms += 1000;
	w->now.wall_ms += 1000;
	assert_int_equal(defence_new(&key, w->now, &w->defence), 0);
	defence_listen(w->defence, listen, w);
	assert_int_equal(defence_recall(w->defence, learned), TRAFFIC_MEMORY_GOOD);
	assert_int_equal(defence_restore(w->defence, buffer_slice(&kept), boot), IMAGE_GOOD);
	assert_int_equal(defence_site(w->defence, 0, "0.test"), 0);
	buffer_free(&kept);
}

static void one_that_was_lifted_stays_so_with_a_new_watch(void **state)
{
	(void)state;
	struct world w = quiet();
	struct buffer learned = buffer_make(NULL);
	defence_listen(w.defence, listen, &w);
	assert_int_equal(defence_remember(w.defence, &learned), 0);
	pass(&w, 5, FIRST);
	assert_int_equal(w.in_force, 1);
	assert_true(defence_lift(w.defence, w.latest));
	restart(&w, &learned);
	pass(&w, 20, FIRST);
	assert_int_equal(w.in_force, 1);
	buffer_free(&learned);
	defence_free(w.defence);
}

static void one_that_a_person_lifted_stays_so_for_a_while(void **state)
{
	(void)state;
	struct world w = quiet();
	defence_listen(w.defence, listen, &w);
	pass(&w, 5, FIRST);
	assert_int_equal(w.in_force, 1);
	assert_false(defence_lift(w.defence, w.latest + 1000));
	assert_true(defence_lift(w.defence, w.latest));
	assert_non_null(strstr(w.line, mitigation_end_text(MITIGATION_LIFTED)));
	assert_false(defence_lift(w.defence, w.latest));
	pass(&w, 20, FIRST);
	assert_int_equal(w.in_force, 1);
	assert_int_equal(rules_in_force(&w), 0);
	defence_free(w.defence);
}

/* What matched on trial, or since the onset, need not come again: of an attack that ends then its sources are banned.
 */
static void who_matched_before_is_banned_with_it(void **state)
{
	(void)state;
	for (unsigned crowded = 0; crowded < 2; crowded++) {
		struct world w = quiet();
		struct defence_packets packets = {.overflowed = 1};
		defence_listen(w.defence, listen, &w);
		for (unsigned ms = 0; ms < 5000 && w.in_force == 0; ms += STEP_MS, packets.overflowed += crowded) {
			defence_packets(w.defence, &packets);
			step(&w, FIRST);
		}
		assert_int_equal(w.in_force, 1);
		pass(&w, 1, 0);
		assert_true(crowded ? w.banned > ATTACKERS * 9 / 10 && w.banned <= ATTACKERS : w.banned < FLOOD);
		defence_free(w.defence);
	}
}

/* The attack shows itself otherwise just when what was found of it is tried. */
static void one_that_does_not_match_what_comes_is_not_applied(void **state)
{
	(void)state;
	struct world w = quiet();
	defence_listen(w.defence, listen, &w);
	for (unsigned ms = 0; ms < 5000 && w.on_trial == 0; ms += STEP_MS)
		step(&w, FIRST);
	assert_int_equal(w.on_trial, 1);
	pass(&w, 1, SECOND);
	assert_int_equal(w.not_applied, 1);
	assert_non_null(strstr(w.line, mitigation_end_text(MITIGATION_STALE)));
	assert_int_equal(w.in_force, 0);
	/* and what shows now is found in its turn */
	pass(&w, 5, SECOND);
	assert_int_equal(w.in_force, 1);
	defence_free(w.defence);
}

/* Where connections find no room: a few of the attack's, and of visitors three times as many as usual. */
static void visitors_who_come_by_fits_spoil_no_trial(void **state)
{
	(void)state;
	for (unsigned crowded = 0; crowded < 2; crowded++) {
		struct world w = quiet();
		struct defence_packets packets = {.overflowed = 1};
		defence_listen(w.defence, listen, &w);
		for (unsigned ms = 0; ms < 5000 && w.on_trial == 0; ms += STEP_MS)
			step(&w, FIRST);
		assert_int_equal(w.on_trial, 1);
		for (unsigned ms = 0; ms < 1500 && w.in_force + w.not_applied == 0; ms += STEP_MS) {
			packets.overflowed += crowded;
			defence_packets(w.defence, &packets);
			for (unsigned i = 0; i < 2 * VISITS; i++)
				request(&w, 0, 0);
			request(&w, 0, FIRST);
			step(&w, 0);
		}
		assert_int_equal(w.in_force, crowded);
		assert_int_equal(w.not_applied, !crowded);
		defence_free(w.defence);
	}
}

/* Two thirds of an attack have something in common, and nothing tells the rest. */
static void of_what_is_not_told_as_a_whole_a_part_is_refused(void **state)
{
	(void)state;
	struct world w = quiet();
	defence_listen(w.defence, listen, &w);
	for (unsigned ms = 0; ms < 6000 && w.in_force == 0; ms += STEP_MS)
		step(&w, ms / STEP_MS % 3 == 0 ? ALIKE : FIRST);
	assert_int_equal(w.in_force, 1);
	assert_int_equal(w.not_applied, 0);
	struct plan_rule rules[SIGNATURE_RULES_MOST];
	assert_int_equal(defence_plan(w.defence, rules, SIGNATURE_RULES_MOST), 1);
	assert_true(rules[0].signature->coverage > 0.6 && rules[0].signature->coverage < 0.75);
	defence_free(w.defence);
}

/* Of more sites than the gate can hold signatures for each is attacked at once: those that it holds stay in force. */
static void one_too_many_is_not_applied(void **state)
{
	(void)state;
	struct world w = quiet_sites(SIGNATURE_RULES_MOST + 1);
	defence_listen(w.defence, listen, &w);
	for (unsigned ms = 0; ms < 20000 && w.not_applied == 0; ms += STEP_MS)
		step(&w, FIRST);
	assert_int_equal(w.not_applied, 1);
	assert_non_null(strstr(w.line, mitigation_end_text(MITIGATION_NO_ROOM)));
	assert_int_equal(w.in_force, SIGNATURE_RULES_MOST);
	assert_int_equal(rules_in_force(&w), SIGNATURE_RULES_MOST);
	defence_free(w.defence);
}

static void visitors_are_hit_where_more_than_a_thousandth_surely_are(void **state)
{
	(void)state;
	static const struct {
		struct mitigation_known known;
		bool hits;
	} rows[] = {
		{{.visitors = 1000, .visitors_hit = 0, .hit = 500}, false},
		{{.visitors = 100, .visitors_hit = 1, .hit = 500}, false}, /* one alone may be an attacker's too */
		{{.visitors = 1000, .visitors_hit = 5, .hit = 500}, true},
		{{.visitors = 1000, .visitors_hit = 5, .hit = 5000}, false}, /* of so many attackers some are alike */
		{{.visitors = 100000, .visitors_hit = 50, .hit = 500}, false},
		{{.visitors = 100000, .visitors_hit = 200, .hit = 500}, true},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mitigation_hits_visitors(&rows[i].known) != rows[i].hits)
			fail_msg("row %zu", i);
}

/* The limits hold the share that was seen, and come nearer to it the more was seen. */
static void limits_of_shares_are_below_them(void **state)
{
	(void)state;
	double before = 0;
	for (double n = 100; n <= 1e6; n *= 10) {
		double limit = share_lower_limit(n / 100, n);
		assert_true(limit >= before && limit < 0.01);
		before = limit;
	}
	assert_true(before > 0.0095);
	assert_true(share_lower_limit(0, 100) >= 0 && share_lower_limit(0, 100) <= 0);
}

TEST_MAIN(cmocka_unit_test(one_that_was_lifted_stays_so_with_a_new_watch),
	  cmocka_unit_test(one_is_done_when_its_attack_is_over),
	  cmocka_unit_test(one_that_a_person_lifted_stays_so_for_a_while),
	  cmocka_unit_test(who_matched_before_is_banned_with_it),
	  cmocka_unit_test(one_that_does_not_match_what_comes_is_not_applied),
	  cmocka_unit_test(visitors_who_come_by_fits_spoil_no_trial),
	  cmocka_unit_test(of_what_is_not_told_as_a_whole_a_part_is_refused),
	  cmocka_unit_test(one_too_many_is_not_applied),
	  cmocka_unit_test(visitors_are_hit_where_more_than_a_thousandth_surely_are),
	  cmocka_unit_test(limits_of_shares_are_below_them))
