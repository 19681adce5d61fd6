#include "traffic/onset.h"

#include "base/test.h"
#include "traffic/regulars.h"

#include <math.h>

/* A site in its world: some 300 visits a second, more by day; bursts; four of five from where others came before. */
struct world {
	struct baseline baseline;
	struct onset onset;
	struct traffic_rates rates;
	uint64_t now_ms; /* wall time too, and the clock that does not go back */
	uint64_t seed;
	double slack; /* of what usually comes: the share that does not */
	bool crowded; /* connections find no room */
	unsigned begins, ends, ticks, natures[TRAFFIC_NATURES];
	struct onset_signal signal;
};

/* What is done to it besides. */
struct load {
	double requests; /* a second */
	double known;    /* share of them */
	double latency_ms;
	double errors; /* share of all answers */
	double slots, waiting;
};

static const uint64_t WEDNESDAY_19 = (uint64_t)1720551600 * 1000; /* 10 July 2024, 19:00 UTC */
static const uint64_t HOUR_MS = 3600 * 1000, WEEK_MS = 7 * 24 * HOUR_MS;

static double chance(struct world *w)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(w->seed >> 11) * 0x1p-53;
}

static unsigned poisson(struct world *w, double mean)
{
	if (mean > 50) {
		double normal = sqrt(-2 * log(chance(w) + 1e-300)) * cos(6.2831853 * chance(w));
		return (unsigned)fmax(0, mean + sqrt(mean) * normal + 0.5);
	}
	unsigned count = 0;
	for (double p = exp(-mean), product = chance(w); product > p; product *= chance(w))
		count++;
	return count;
}

/* Visits come as pages with all that belongs to them: ten at once. */
static unsigned visits(struct world *w)
{
	double hour = (double)(w->now_ms % (24 * HOUR_MS)) / (double)HOUR_MS;
	return 10 * poisson(w, 3 * (1 - w->slack) * (1 + 0.5 * sin(hour / 24 * 6.2831853)));
}

static void tick(struct world *w, const struct load *load)
{
	struct traffic_tick done;
	unsigned usual = visits(w), more = load == NULL ? 0 : poisson(w, load->requests / 10);
	for (unsigned i = 0; i < usual + more; i++) {
		bool is_usual = i < usual;
		traffic_arrival(&w->rates, chance(w) > (is_usual ? 0.8 : load->known));
		struct traffic_end end = {.bytes = 20000, .status = 200, .origin_us = 40000};
		if (load != NULL && load->latency_ms > 0)
			end.origin_us = (uint32_t)(load->latency_ms * 1000);
		if (load != NULL && chance(w) < load->errors)
			end.status = 502;
		traffic_end(&w->rates, &end);
	}
	traffic_standing(&w->rates, load == NULL ? 12 : 12 + load->slots, 50,
			 (const double[4]){5, 1, load == NULL ? 12 : 12 + load->waiting, 3});
	w->now_ms += TRAFFIC_TICK_MS;
	while (traffic_rates_tick(&w->rates, w->now_ms, &done)) {
		done.crowded = w->crowded;
		w->signal = onset_tick(&w->onset, &w->baseline, &done, w->now_ms / 1000);
		w->begins += w->signal.begins;
		w->ends += w->signal.ends;
		w->natures[w->signal.nature]++;
		w->ticks++;
	}
}

static void run(struct world *w, double seconds, const struct load *load)
{
	w->begins = w->ends = w->ticks = 0;
	memset(w->natures, 0, sizeof(w->natures));
	for (unsigned i = 0; i < seconds * 10; i++)
		tick(w, load);
}

/* Learns the evening of three Wednesdays, and stands at 20:00 on the fourth. */
static struct world *learned(uint64_t seed)
{
	static struct world world;
	struct world *w = &world;
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	for (unsigned week = 0; week < 3; week++) {
		w->now_ms = WEDNESDAY_19 + week * WEEK_MS;
		run(w, 3 * 3600, NULL);
		assert_int_equal(w->begins, 0);
	}
	w->now_ms = WEDNESDAY_19 + 3 * WEEK_MS + HOUR_MS - 60 * 1000;
	run(w, 60, NULL);
	return w;
}

static double middle_at(const struct world *w, uint64_t at_ms)
{
	struct baseline_expectation expected = {0};
	assert_true(baseline_expect(&w->baseline, TRAFFIC_REQUESTS, at_ms / 1000, &expected));
	return expected.middle;
}

/* Until something begins; the time it took. */
static uint64_t until_begin_ms(struct world *w, const struct load *load, uint64_t most_ms)
{
	uint64_t from = w->now_ms;
	for (w->begins = 0; w->begins == 0;) {
		assert_true(w->now_ms - from <= most_ms);
		tick(w, load);
	}
	return w->now_ms - from;
}

static double normal_now(const struct world *w)
{
	double requests = -1;
	assert_true(onset_normal_requests(&w->onset, &w->baseline, w->now_ms / 1000, &requests));
	return requests;
}

static const struct load flood = {9700, 0.1, 3000, 0.5, 38, 500};
static const struct load crowd_within_capacity = {2700, 0.2, 45, 0, 20, 0};
static const struct load crowd_beyond_capacity = {2700, 0.85, 1500, 0.1, 38, 300};

/* What other weeks, or the minutes before, had is not what comes today: the half minute before the onset is. */
static void what_would_have_come_is_no_more_than_came_just_before(void **state)
{
	(void)state;
	for (uint64_t seed = 21; seed < 26; seed++) {
		struct world *w = learned(seed);
		double usual = middle_at(w, w->now_ms);
		assert_true(normal_now(w) > 0.75 * usual && normal_now(w) <= usual);
		w->slack = 0.5;
		run(w, 40, NULL);
		(void)until_begin_ms(w, &flood, 1000);
		assert_true(normal_now(w) > 0.35 * usual && normal_now(w) < 0.65 * usual);
		double at_onset = normal_now(w);
		run(w, 20, &flood);
		assert_true(normal_now(w) == at_onset);
	}
	/* where no hour is known */
	static struct world fresh;
	fresh = (struct world){.now_ms = WEDNESDAY_19, .seed = 30};
	run(&fresh, 60, NULL);
	double before = normal_now(&fresh);
	fresh.slack = 0.5;
	run(&fresh, 35, NULL);
	assert_true(normal_now(&fresh) < 0.65 * before && normal_now(&fresh) > 0.35 * before);
}

/* A watch that comes after another begins in the middle of a tick. */
static void what_goes_on_is_not_over_at_once(void **state)
{
	(void)state;
	struct world w = {.now_ms = WEDNESDAY_19, .seed = 31};
	tick(&w, &flood);
	onset_goes_on(&w.onset, &w.baseline, WEDNESDAY_19 - 5000, w.now_ms + TRAFFIC_TICK_MS / 2);
	run(&w, 60, &flood);
	assert_int_equal(w.ends, 0);
	run(&w, 45, NULL);
	assert_int_equal(w.ends, 1);
}

static void quiet_is_quiet(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct world *w = learned(seed);
		run(w, 2 * 3600, NULL);
		assert_int_equal(w->begins, 0);
		assert_int_equal(w->natures[TRAFFIC_QUIET], w->ticks);
	}
}

static void a_flood_is_seen_within_a_second(void **state)
{
	(void)state;
	struct world *w = learned(4);
	uint64_t from = w->now_ms;
	assert_in_range(until_begin_ms(w, &flood, 1000), 100, 1000);
	assert_in_range(w->signal.began_ms + 200, from, from + 400);
	run(w, 2, &flood);
	assert_int_equal(w->signal.nature, TRAFFIC_ATTACK);
	assert_int_equal(w->signal.harm, TRAFFIC_HARM_LATENCY | TRAFFIC_HARM_ERRORS | TRAFFIC_HARM_SLOTS);
	assert_true(w->signal.known_share < 0.2);
	run(w, ONSET_END_MS / 1000.0 + 5, NULL);
	assert_int_equal(w->ends, 1);
}

/* Where nothing is known yet: a flood of which the gate lets in little, beside a site that only shares the gate. */
static void where_there_is_no_room_less_tells(void **state)
{
	(void)state;
	static const struct {
		struct load load;
		bool crowded;
		unsigned begins;
	} cases[] = {{{.requests = 500}, false, 0}, {{.requests = 500}, true, 1}, {{.requests = 0}, true, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = {.seed = 9 + i, .now_ms = WEDNESDAY_19};
		run(&w, 40, NULL);
		w.crowded = cases[i].crowded;
		run(&w, 1, &cases[i].load);
		assert_int_equal(w.begins, cases[i].begins);
		if (w.begins > 0) {
			assert_int_equal(w.signal.harm, TRAFFIC_HARM_NO_ROOM);
			assert_int_equal(w.signal.nature, TRAFFIC_ATTACK);
		}
	}
}

static void an_attack_under_way_at_start_is_seen_by_its_harm(void **state)
{
	(void)state;
	static const struct load harms[] = {
		{9700, 0, 3000, 0, 0, 0}, {9700, 0, 40, 0.5, 0, 0}, {9700, 0, 40, 0, 38, 500}};
	for (size_t i = 0; i < 3; i++) {
		static struct world world;
		memset(&world, 0, sizeof(world));
		world.seed = 5;
		world.now_ms = WEDNESDAY_19;
		assert_in_range(until_begin_ms(&world, &harms[i], 1000), 100, 1000);
		assert_int_equal(world.signal.harm, 1 << i);
		assert_int_equal(world.signal.nature, TRAFFIC_ATTACK);
	}
}

static void an_attack_is_not_learned_and_neither_are_the_minutes_before(void **state)
{
	(void)state;
	struct world *w = learned(6);
	static struct baseline before;
	run(w, 10 * 60, NULL);
	static const struct load sly = {25, 0.1, 0, 0, 0, 0};
	run(w, 9 * 60, &sly);
	before = w->baseline;
	until_begin_ms(w, &flood, 1000);
	run(w, 1800, &flood);
	assert_int_equal(w->ends, 0);
	run(w, 40, NULL);
	assert_int_equal(w->ends, 1);
	assert_memory_equal(w->baseline.hours, before.hours, sizeof(before.hours));
	assert_int_equal(w->baseline.count, 0);
	/* and then it learns again */
	run(w, 15 * 60, NULL);
	assert_true(memcmp(w->baseline.hours, before.hours, sizeof(before.hours)) != 0);
}

static void a_ramp_over_an_hour_is_seen_and_not_learned(void **state)
{
	(void)state;
	struct world *w = learned(7);
	double before = middle_at(w, w->now_ms + HOUR_MS);
	w->begins = 0;
	for (unsigned second = 0; second < 3600; second++) {
		const struct load load = {3000.0 * second / 3600, 0.1, 0, 0, 0, 0};
		for (unsigned i = 0; i < 10; i++)
			tick(w, &load);
		if (second == 15 * 60)
			assert_true(w->begins >= 1);
	}
	assert_true(w->begins <= 2);
	assert_true(fabs(middle_at(w, w->now_ms) / before - 1) < 0.03);
}

static void a_ramp_where_nothing_is_known_is_not_learned_when_it_does_harm(void **state)
{
	(void)state;
	static struct world world;
	memset(&world, 0, sizeof(world));
	world.seed = 8;
	world.now_ms = WEDNESDAY_19;
	for (unsigned second = 0; second < 3300; second++) {
		const struct load load = {3000.0 * second / 3600, 0.1, 0, 0, 0, 0};
		for (unsigned i = 0; i < 10; i++)
			tick(&world, &load);
	}
	until_begin_ms(&world, &flood, 1000);
	for (unsigned i = 0; i < BASELINE_HOURS; i++)
		assert_int_equal(world.baseline.hours[i].minutes, 0);
}

static void a_crowd_is_told_from_an_attack(void **state)
{
	(void)state;
	struct world *w = learned(9);
	run(w, 1800, &crowd_within_capacity);
	assert_int_equal(w->signal.nature, TRAFFIC_SURGE);
	assert_int_equal(w->natures[TRAFFIC_ATTACK] + w->natures[TRAFFIC_OVERLOAD], 0);
	w = learned(10);
	run(w, 1800, &crowd_beyond_capacity);
	assert_int_equal(w->signal.nature, TRAFFIC_OVERLOAD);
	assert_int_equal(w->natures[TRAFFIC_ATTACK], 0);
}

static void an_attack_that_pauses_is_one(void **state)
{
	(void)state;
	struct world *w = learned(11);
	unsigned begins = 0;
	for (unsigned i = 0; i < 10; i++) {
		run(w, 20, &flood);
		begins += w->begins;
		run(w, 20, NULL);
		begins += w->begins;
	}
	assert_int_equal(begins, 1);
}

static void what_lasts_without_harm_becomes_normal(void **state)
{
	(void)state;
	struct world *w = learned(12);
	static const struct load lasting = {900, 0.7, 0, 0, 0, 0};
	run(w, ONSET_ADAPT_MS / 1000.0 + 3600, &lasting);
	assert_int_equal(w->ends, 1);
	assert_int_equal(w->baseline.in_episode, false);
	until_begin_ms(w, &flood, 1000);
}

static void a_clock_may_jump(void **state)
{
	(void)state;
	struct world *w = learned(13);
	run(w, 700, NULL);
	static const int64_t jumps[] = {3600, -7200, 86400 * 365, -86400 * 300, 5};
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		w->now_ms += (uint64_t)(jumps[i] * 1000);
		run(w, 300, NULL);
	}
	assert_true(baseline_hours_possible(w->baseline.hours));
}

static void regulars_come_again(void **state)
{
	(void)state;
	struct regulars *r;
	assert_int_equal(regulars_new(1000, &r), 0);
	uint64_t now = WEDNESDAY_19 / 1000, hash = 0x9e3779b97f4a7c15;
	assert_false(regulars_meet(r, hash, now, false));
	assert_false(regulars_meet(r, hash, now, true));
	assert_false(regulars_meet(r, hash, now + 60, true));
	assert_true(regulars_meet(r, hash, now + 1300, true));
	/* who came first within the last ten minutes is forgotten when an episode begins, others are not */
	assert_false(regulars_meet(r, hash + (1ull << 40), now + 1300, true));
	regulars_episode_begins(r, now + 1400);
	assert_false(regulars_meet(r, hash + (1ull << 40), now + 9000, false));
	assert_true(regulars_meet(r, hash, now + 9000, false));
	assert_false(regulars_meet(r, hash, now + (REGULARS_KEPT_DAYS + 1) * 86400, false));
	/* a table that is full keeps who came last */
	for (uint64_t i = 1; i <= 100000; i++)
		regulars_meet(r, i * 0x9e3779b97f4a7c15, now + 10 * i, true);
	unsigned kept = 0;
	for (uint64_t i = 99501; i <= 100000; i++)
		kept += regulars_meet(r, i * 0x9e3779b97f4a7c15, now + 1000000 + 2000, false);
	assert_in_range(kept, 450, 500);
	regulars_free(r);
}

/* One request a second, the watch's own, which a busy machine answers after seconds: that is no site's harm. */
static void a_site_that_hardly_anybody_asks_is_not_late(void **state)
{
	(void)state;
	static struct world w;
	for (unsigned known_h = 0; known_h <= 3; known_h += 3) {
		w = (struct world){.now_ms = WEDNESDAY_19, .slack = 1};
		for (unsigned second = 0; second < known_h * 3600 + 120; second++) {
			bool busy = second >= known_h * 3600;
			struct traffic_end end = {.bytes = 500,
						  .status = busy && second % 3 == 0 ? 502 : 200,
						  .origin_us = busy ? 3500000 : 1000};
			traffic_arrival(&w.rates, false);
			traffic_end(&w.rates, &end);
			run(&w, 1, NULL);
			assert_int_equal(w.begins, 0);
		}
	}
	/* where many ask it is told */
	const struct load late = {200, 1, 3500, 0, 0, 0};
	(void)until_begin_ms(&w, &late, 1500);
}

/* What came while the watch could not look is not taken for a moment's. */
static void a_watch_that_was_late_sees_no_surge(void **state)
{
	(void)state;
	struct world *w = learned(41);
	for (unsigned times = 0; times < 20; times++) {
		uint64_t late_ms = 300 + times % 5 * 900, at_ms = w->now_ms;
		struct traffic_tick done;
		double requests = 0, came = 0;
		for (w->begins = 0; w->now_ms < at_ms + late_ms; w->now_ms += TRAFFIC_TICK_MS)
			for (unsigned i = 0; i < 30; i++, came++)
				traffic_arrival(&w->rates, false);
		while (traffic_rates_tick(&w->rates, w->now_ms, &done)) {
			requests += done.value[TRAFFIC_REQUESTS];
			assert_true(done.value[TRAFFIC_REQUESTS] < 31 && done.known < 31);
			w->begins += onset_tick(&w->onset, &w->baseline, &done, w->now_ms / 1000).begins;
		}
		assert_true(fabs(requests - came) < 0.01);
		run(w, 0.5, NULL);
		assert_int_equal(w->begins, 0);
	}
}

/* Nobody is forgotten for it, and nobody becomes a regular by it. */
static void regulars_stay_when_the_clock_is_set_back(void **state)
{
	(void)state;
	struct regulars *r;
	assert_int_equal(regulars_new(1000, &r), 0);
	uint64_t now = WEDNESDAY_19 / 1000, hash = 0x9e3779b97f4a7c15, late = hash + (1ull << 40);
	regulars_meet(r, hash, now - 3600, true);
	assert_true(regulars_meet(r, hash, now, true));
	assert_false(regulars_meet(r, late, now, true));
	now -= 1800;
	assert_true(regulars_meet(r, hash, now, true));
	assert_false(regulars_meet(r, late, now, true));
	regulars_episode_begins(r, now + 60);
	assert_true(regulars_meet(r, hash, now + 1300, false));
	assert_false(regulars_meet(r, late, now + 1300, false));
	regulars_free(r);
}

TEST_MAIN(cmocka_unit_test(what_goes_on_is_not_over_at_once),
	  cmocka_unit_test(what_would_have_come_is_no_more_than_came_just_before), cmocka_unit_test(quiet_is_quiet),
	  cmocka_unit_test(a_flood_is_seen_within_a_second), cmocka_unit_test(where_there_is_no_room_less_tells),
	  cmocka_unit_test(an_attack_under_way_at_start_is_seen_by_its_harm),
	  cmocka_unit_test(an_attack_is_not_learned_and_neither_are_the_minutes_before),
	  cmocka_unit_test(a_ramp_over_an_hour_is_seen_and_not_learned),
	  cmocka_unit_test(a_ramp_where_nothing_is_known_is_not_learned_when_it_does_harm),
	  cmocka_unit_test(a_crowd_is_told_from_an_attack), cmocka_unit_test(an_attack_that_pauses_is_one),
	  cmocka_unit_test(what_lasts_without_harm_becomes_normal), cmocka_unit_test(a_clock_may_jump),
	  cmocka_unit_test(a_site_that_hardly_anybody_asks_is_not_late),
	  cmocka_unit_test(a_watch_that_was_late_sees_no_surge), cmocka_unit_test(regulars_come_again),
	  cmocka_unit_test(regulars_stay_when_the_clock_is_set_back))
