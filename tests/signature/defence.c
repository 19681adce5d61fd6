/*
 * The whole way of a decision in worlds of which the truth is known (world.h): events as the gate would tell them, an
 * origin that can do so much, a gate that refuses what the plan says, and a clock of its own. Every fourth world is a
 * crowd within what the origin can do; in every other one a crawler is allowed whose requests are like the attack's.
 *
 *     defence FIRST COUNT [--fresh | --start] [--pulse] [-v]
 *
 * Seeds; with --fresh the gate was started half a minute before, with --start the attack is under way when it starts;
 * with --pulse the attack returns twice, after pauses of 20 s.
 */
#include "incident/defence.h"
#include "limit/source_pace.h"
#include "wire/outbox.h"
#include "verdict.h"
#include "world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEP_MS = 25,
	CRAWL_MS = 100,
	KNOWN_MS = 2 * 3600 * 1000,
	FRESH_MS = 30 * 1000,
	ATTACK_MS = 20 * 1000,
	ATTACK_AT_START_MS = 60 * 1000, /* so that visitors can be known by what they do */
	AFTER_MS = 150 * 1000,
	PAUSE_MS = 20 * 1000, /* and as long again it is back */
	BANS_MOST = 1 << 16,
	BAN_MS = 60 * 1000, /* the first of a source */
	PACED_SOURCES = 1 << 16,
	TRUTH_SECONDS = 10, /* of what the defence tells visitors' success */
	NORMAL_A_SECOND = 60,
	NORMAL_AT_START_A_SECOND = 300,
	ORIGIN_A_SECOND = 1000,
};

struct scene {
	struct world *world;
	struct defence *defence;
	struct source_pace *pace; /* the gate's */
	struct defence_time now;
	uint16_t sites[OUTBOX_SITES];
	struct prefix banned[BANS_MOST];
	uint32_t banned_id[BANS_MOST];
	uint64_t banned_until_ms[BANS_MOST];
	size_t banned_count;
	struct {
		uint32_t id;
		uint64_t count;
	} hits[256];
	uint64_t number;
	bool verbose, crowd, pulse;
	double normal; /* visitors' requests a second */
	bool crawler;  /* somebody is allowed who sends what attackers will */
	double origin_left;
	double debt[2]; /* requests due, of visitors and intruders */
	uint64_t visitors, visitors_hit, intruders, intruders_hit;
	struct truth {
		uint64_t asked, answered;
	} truth, at_second[TRUTH_SECONDS]; /* visitors so far; when a second began: a ring */
};

static void say(void *context, struct defence_time now, const struct defence_news *news)
{
	const struct scene *s = context;
	if (s->verbose)
		printf("#   %8.2f %s\n", (double)(now.now_ms - 1000000) / 1000, news->line);
}

static void hit(struct scene *s, uint32_t id)
{
	size_t i = 0;
	while (i < 255 && s->hits[i].id != id && s->hits[i].id != 0)
		i++;
	s->hits[i].id = id;
	s->hits[i].count++;
}

static uint64_t hits_of(const void *context, uint32_t id)
{
	const struct scene *s = context;
	for (size_t i = 0; i < 256; i++)
		if (s->hits[i].id == id)
			return s->hits[i].count;
	return 0;
}

/* A length that is of a class. */
static uint64_t length_of(uint64_t class)
{
	uint64_t length = class < 8 ? class : (uint64_t)1 << class / 4;
	while (signature_class(length) < class)
		length += 1 + length / 16;
	return length;
}

static struct event arrival_of(const struct scene *s, const struct signature_request *r)
{
	struct event event = {.kind = EVENT_ARRIVAL,
			      .at_ns = s->now.now_ms * 1000000,
			      .wall_ms = s->now.wall_ms,
			      .request = s->number,
			      .site = 1,
			      .method = (uint8_t)r->field[SIGNATURE_METHOD],
			      .path = r->field[SIGNATURE_PATH],
			      .agent = r->field[SIGNATURE_AGENT],
			      .shape = r->field[SIGNATURE_SHAPE]};
	static const uint16_t protocols[4] = {0, 0, EVENT_TLS | EVENT_HTTP2, EVENT_TLS};
	memcpy(event.source, r->source.bytes, sizeof(event.source));
	event.flags = protocols[r->field[SIGNATURE_PROTOCOL] % 4];
	event.arrival = (struct event_arrival){.query = r->field[SIGNATURE_QUERY],
					       .accept = r->field[SIGNATURE_ACCEPT],
					       .language = r->field[SIGNATURE_LANGUAGE],
					       .length = length_of(r->field[SIGNATURE_LENGTH]),
					       .present = r->present,
					       .headers = (uint16_t)r->field[SIGNATURE_HEADERS]};
	return event;
}

static bool is_banned(struct scene *s, const struct address *source)
{
	for (size_t i = 0; i < s->banned_count; i++)
		if (s->now.now_ms < s->banned_until_ms[i] && prefix_has(&s->banned[i], source)) {
			hit(s, s->banned_id[i]);
			return true;
		}
	return false;
}

/* What the gate answers: refused by a rule of the plan, by the origin's limit, or answered. */
static bool answer(struct scene *s, const struct event *arrival, const struct signature_request *request,
		   bool *ret_answered)
{
	struct plan_rule rules[SIGNATURE_RULES_MOST];
	size_t count = defence_plan(s->defence, rules, SIGNATURE_RULES_MOST);
	struct event event = *arrival;
	event.kind = EVENT_END;
	event.end = (struct event_end){.bytes_out = 4000, .status = 200, .total_us = 60000};
	bool allowed = (event.flags & EVENT_ALLOWED) != 0;
	for (size_t i = 0; i < count && event.end.reason == EVENT_NO_REASON && !allowed; i++)
		if (signature_matches(rules[i].signature, request)) {
			event.end.reason = EVENT_BY_SIGNATURE;
			event.end.status = 403;
			hit(s, rules[i].id);
		}
	bool refused = event.end.reason != EVENT_NO_REASON;
	if (!refused && s->origin_left < 1) {
		event.end.reason = EVENT_CROWDED_OUT;
		event.end.status = 503;
	} else if (!refused) {
		s->origin_left--;
		event.end.origin_us = 50000;
		event.flags |= EVENT_ORIGIN;
	}
	defence_events(s->defence, s->sites, &event, 1);
	*ret_answered = event.end.status == 200;
	return refused;
}

static void request(struct scene *s, bool intruder)
{
	struct signature_request r = intruder ? world_intruder(s->world) : world_visitor(s->world);
	bool refused = is_banned(s, &r.source), answered = false;
	s->number++;
	if (!refused) {
		struct event event = arrival_of(s, &r);
		r = signature_request_from(&event, source_pace_meet(s->pace, &r.source, s->now.now_ms), false);
		defence_events(s->defence, s->sites, &event, 1);
		refused = answer(s, &event, &r, &answered);
	}
	s->truth.asked += !intruder;
	s->truth.answered += !intruder && answered;
	*(intruder ? &s->intruders : &s->visitors) += 1;
	*(intruder ? &s->intruders_hit : &s->visitors_hit) += refused;
}

static void crawl(struct scene *s)
{
	struct signature_request r = world_intruder(s->world);
	struct event event = arrival_of(s, &r);
	event.flags |= EVENT_ALLOWED;
	s->number++;
	defence_events(s->defence, s->sites, &event, 1);
	bool answered;
	(void)answer(s, &event, &r, &answered);
}

static void step(struct scene *s, double visitors, double intruders)
{
	struct plan_ban bans[1024];
	const double due[2] = {visitors * STEP_MS / 1000, intruders * STEP_MS / 1000};
	if (s->now.now_ms / 1000 != (s->now.now_ms + STEP_MS) / 1000)
		defence_hits(s->defence, hits_of, s);
	s->now.now_ms += STEP_MS;
	s->now.wall_ms += STEP_MS;
	defence_tick(s->defence, s->now);
	s->origin_left = fmin(s->origin_left + ORIGIN_A_SECOND * STEP_MS / 1000.0, ORIGIN_A_SECOND / 10.0);
	if (s->crawler && s->now.now_ms % CRAWL_MS == 0)
		crawl(s);
	s->debt[0] += due[0];
	s->debt[1] += due[1];
	while (s->debt[0] + s->debt[1] >= 1) {
		/* Mixed, as they come. */
		bool intruder = (double)world_random(s->world, 1000000) < 1e6 * s->debt[1] / (s->debt[0] + s->debt[1]);
		s->debt[intruder]--;
		request(s, intruder);
	}
	struct defence_search *search = defence_search_take(s->defence);
	if (search != NULL) {
		defence_search_run(search);
		defence_search_give(s->defence, search);
	}
	size_t count = defence_bans_take(s->defence, bans, 1024);
	for (size_t i = 0; i < count && s->banned_count < BANS_MOST; i++, s->banned_count++) {
		s->banned[s->banned_count] = bans[i].prefix;
		s->banned_id[s->banned_count] = bans[i].id;
		s->banned_until_ms[s->banned_count] = s->now.now_ms + BAN_MS;
	}
}

static struct defence_view look(const struct scene *s)
{
	struct defence_view view;
	if (!defence_look(s->defence, 0, &view))
		abort();
	return view;
}

/* Sums of what is told each second of the last ten, and of what was so. */
struct estimate {
	struct truth told, was;
};

static void estimate_step(struct scene *s, struct estimate *sums)
{
	uint64_t second = s->now.now_ms / 1000, ms = s->now.now_ms % 1000;
	if (ms == 0)
		s->at_second[second % TRUTH_SECONDS] = s->truth;
	if (sums == NULL || ms != 1000 - STEP_MS)
		return;
	const struct truth *before = &s->at_second[(second + 1) % TRUTH_SECONDS];
	struct defence_visitors told = look(s).visitors;
	sums->told.asked += told.asked;
	sums->told.answered += told.answered;
	sums->was.asked += s->truth.asked - before->asked;
	sums->was.answered += s->truth.answered - before->answered;
}

/* Of none that asked all were answered. */
static double percent(struct truth sums)
{
	return sums.asked > 0 ? 100.0 * (double)sums.answered / (double)sums.asked : 100;
}

static void pass(struct scene *s, uint64_t ms, double visitors, double intruders)
{
	for (uint64_t at = 0; at < ms; at += STEP_MS) {
		step(s, visitors, intruders);
		estimate_step(s, NULL);
	}
}

/* Twice. The share that is refused. */
static double come_back(struct scene *s, double intruders)
{
	s->intruders = s->intruders_hit = 0;
	for (unsigned i = 0; i < 2; i++) {
		pass(s, PAUSE_MS, s->normal, 0);
		pass(s, PAUSE_MS, s->normal, intruders);
	}
	return (double)s->intruders_hit / (double)s->intruders;
}

static unsigned busiest_minute(const struct episode *episode)
{
	unsigned most = 0;
	for (size_t i = 0; i < episode->change_count; i++) {
		unsigned count = 0;
		for (size_t j = i; j < episode->change_count; j++)
			count += episode->changes[i].at_ms - episode->changes[j].at_ms < 60 * 1000;
		most = count > most ? count : most;
	}
	return most;
}

static void make_defence(struct scene *s)
{
	static const struct hash_key key = {4, 5};
	if (defence_new(&key, s->now, &s->defence) != 0)
		abort();
	defence_listen(s->defence, say, s);
}

static void name_site(struct scene *s)
{
	if (defence_site(s->defence, 0, "www") != 0)
		abort();
}

/* The watch is killed, and another comes: whether it has the same in force. */
static bool replace_defence(struct scene *s)
{
	static const uint8_t boot[IMAGE_BOOT_BYTES] = {1};
	struct plan_rule before[SIGNATURE_RULES_MOST], after[SIGNATURE_RULES_MOST];
	struct buffer kept = buffer_make(NULL), learned = buffer_make(NULL);
	size_t count = defence_plan(s->defence, before, SIGNATURE_RULES_MOST);
	uint32_t episode = look(s).episode->id;
	if (defence_keep(s->defence, boot, &kept) != 0 || defence_remember(s->defence, &learned) != 0)
		abort();
	defence_free(s->defence);
	s->now.now_ms += 3000;
	s->now.wall_ms += 3000;
	make_defence(s);
	bool good = defence_recall(s->defence, &learned) == TRAFFIC_MEMORY_GOOD &&
		    defence_restore(s->defence, buffer_slice(&kept), boot) == IMAGE_GOOD;
	name_site(s);
	good = good && look(s).episode->id == episode && defence_plan(s->defence, after, SIGNATURE_RULES_MOST) == count;
	for (size_t i = 0; i < count && good; i++)
		good = before[i].id == after[i].id;
	buffer_free(&kept);
	return good;
}

static struct outcome play(struct scene *s, enum past past)
{
	static const uint64_t quiet_ms[PASTS] = {[PAST_KNOWN] = KNOWN_MS, [PAST_FRESH] = FRESH_MS};
	const uint64_t attack_ms = past == PAST_NONE ? ATTACK_AT_START_MS : ATTACK_MS;
	const uint64_t killed_ms = past == PAST_NONE ? attack_ms * 3 / 4 : attack_ms / 2;
	struct outcome outcome = {.detected_s = -1, .in_force_s = -1, .went_on = true};
	double intruders = s->normal * (1 / world_normal_share(s->world) - 1);
	/* An attack is beyond what the origin can do; a crowd is not. */
	intruders =
		s->crowd ? fmin(intruders, ORIGIN_A_SECOND * 0.9 - s->normal) : fmax(intruders, 3 * ORIGIN_A_SECOND);
	s->now = (struct defence_time){1000000, (uint64_t)1720551600 * 1000};
	s->pace = calloc(1, source_pace_bytes(PACED_SOURCES));
	if (s->pace == NULL)
		abort();
	source_pace_init(s->pace, PACED_SOURCES);
	make_defence(s);
	name_site(s);
	for (size_t i = 0; i < OUTBOX_SITES; i++)
		s->sites[i] = i == 1 ? 0 : DEFENCE_SITE_NONE;
	pass(s, quiet_ms[past], s->normal, 0);
	uint64_t onset_ms = s->now.now_ms;
	struct estimate estimate = {0};
	s->visitors = s->visitors_hit = 0;
	for (uint64_t at = 0; at < attack_ms; at += STEP_MS) {
		step(s, s->normal, intruders);
		estimate_step(s, at < ATTACK_MS / 2 ? &estimate : NULL);
		if (at == killed_ms)
			outcome.went_on = replace_defence(s);
		struct defence_view view = look(s);
		if (outcome.in_force_s < 0 && view.episode->mitigated_ms > onset_ms)
			s->intruders = s->intruders_hit = 0;
		if (view.episode->detected_ms > onset_ms)
			outcome.detected_s = (double)(view.episode->detected_ms - onset_ms) / 1000;
		if (view.episode->mitigated_ms > onset_ms)
			outcome.in_force_s = (double)(view.episode->mitigated_ms - onset_ms) / 1000;
	}
	outcome.covered = s->intruders > 0 ? (double)s->intruders_hit / (double)s->intruders : 0;
	outcome.returned = s->pulse && !s->crowd ? come_back(s, intruders) : outcome.covered;
	pass(s, AFTER_MS, s->normal, 0);
	outcome.hit = (double)s->visitors_hit / (double)s->visitors;
	outcome.estimate_off = fabs(percent(estimate.told) - percent(estimate.was));
	outcome.over = look(s).episode->state == EPISODE_QUIET;
	outcome.changes = busiest_minute(look(s).episode);
	defence_free(s->defence);
	free(s->pace);
	return outcome;
}

int main(int argc, char **argv)
{
	static struct scene scene;
	struct verdict_sums sums = {0};
	bool verbose = false, pulse = false;
	enum past past = PAST_KNOWN;
	if (argc < 3)
		return 2;
	uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "--fresh") == 0)
			past = PAST_FRESH;
		if (strcmp(argv[i], "--start") == 0)
			past = PAST_NONE;
		pulse = pulse || strcmp(argv[i], "--pulse") == 0;
		verbose = verbose || strcmp(argv[i], "-v") == 0;
	}
	for (uint64_t seed = first; seed < first + count; seed++) {
		bool crowd = seed % 4 == 0;
		scene = (struct scene){.verbose = verbose, .crowd = crowd, .pulse = pulse, .crawler = seed % 2 == 1};
		scene.normal = past == PAST_NONE ? NORMAL_AT_START_A_SECOND : NORMAL_A_SECOND;
		scene.world = world_new(seed, crowd ? WORLD_CROWD : WORLD_ATTACK);
		struct outcome outcome = play(&scene, past);
		if (verbose)
			printf("# %lu: detected %.2f s, in force %.2f s, refused %.1f %%, returned %.1f %%, visitors "
			       "%.3f %%, "
			       "estimate %.1f off, %s, %u changes: %s\n",
			       seed, outcome.detected_s, outcome.in_force_s, outcome.covered * 100,
			       outcome.returned * 100, outcome.hit * 100, outcome.estimate_off,
			       outcome.over ? "over" : "still on", outcome.changes, world_text(scene.world));
		verdict_add(&sums, crowd, seed, &outcome);
		world_free(scene.world);
	}
	return verdict_print(&sums, past) ? 0 : 1;
}
