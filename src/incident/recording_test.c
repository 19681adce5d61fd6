#include "incident/recording.h"

#include "base/test.h"
#include "wire/outbox.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A site with three browsers, half a minute of quiet, and a flood that the origin cannot bear. */
enum { STEP_MS = 25, QUIET_MS = 30 * 1000, FLOOD_MS = 4 * 1000, NORMAL = 2, FLOOD = 75 /* a step */ };

struct lines {
	size_t count;
	char text[64][256];
};

static void listen(void *context, struct defence_time now, const struct defence_news *news)
{
	struct lines *lines = context;
	(void)now;
	if (lines->count < 64)
		snprintf(lines->text[lines->count++], sizeof(lines->text[0]), "%s", news->line);
}

struct live {
	struct defence *defence;
	struct defence_time now;
	struct buffer recording;
	uint16_t sites[OUTBOX_SITES];
	uint64_t number;
};

static const struct hash_key key = {21, 22};

static void tell(struct live *live, const struct event *event)
{
	recording_events(live->sites, event, 1, &live->recording);
	defence_events(live->defence, live->sites, event, 1);
}

static void request(struct live *live, bool attack)
{
	uint64_t number = live->number++, browser = number % 3;
	struct event event = {.kind = EVENT_ARRIVAL,
			      .at_ns = live->now.now_ms * 1000000,
			      .site = 7,
			      .method = EVENT_GET,
			      .path = 100 + number % 20,
			      .agent = 200 + browser,
			      .shape = attack ? 999 : 300 + browser,
			      .arrival = {.accept = 400 + browser, .present = 0xff, .headers = 9}};
	struct address source =
		address_from_words(0x20010db800000000 + (attack ? 5000 + number % 900 * 65536 : number % 200), 1);
	memcpy(event.source, source.bytes, sizeof(event.source));
	tell(live, &event);
	event.kind = EVENT_END;
	event.end = (struct event_end){.status = attack ? 503 : 200, .total_us = 50000, .origin_us = 40000};
	tell(live, &event);
}

static void step(struct live *live, unsigned attack)
{
	struct plan_ban bans[512];
	live->now.now_ms += STEP_MS;
	live->now.wall_ms += STEP_MS;
	struct defence_search *search = defence_search_take(live->defence);
	if (search != NULL) {
		defence_search_run(search);
		defence_search_give(live->defence, search);
	}
	(void)defence_bans_take(live->defence, bans, 512);
	recording_time(live->now, &live->recording);
	defence_tick(live->defence, live->now);
	for (unsigned i = 0; i < NORMAL; i++)
		request(live, false);
	for (unsigned i = 0; i < attack; i++)
		request(live, true);
}

static struct buffer record(struct lines *lines)
{
	static const struct prefix spared[] = {{{{[15] = 1}}, ADDRESS_BITS}};
	struct live live = {.now = {50000, (uint64_t)1720551600 * 1000}, .recording = buffer_make(NULL)};
	memset(live.sites, 0xff, sizeof(live.sites));
	live.sites[7] = 0;
	assert_int_equal(defence_new(&key, live.now, &live.defence), 0);
	defence_listen(live.defence, listen, lines);
	recording_begin(&key, live.now, SLICE(""), &live.recording);
	recording_spared(spared, 1, &live.recording);
	assert_int_equal(defence_spare(live.defence, spared, 1), 0);
	recording_site(0, "www.example.mo", &live.recording);
	assert_int_equal(defence_site(live.defence, 0, "www.example.mo"), 0);
	for (unsigned ms = 0; ms < QUIET_MS; ms += STEP_MS)
		step(&live, 0);
	for (unsigned ms = 0; ms < FLOOD_MS; ms += STEP_MS)
		step(&live, FLOOD);
	defence_free(live.defence);
	assert_int_equal(live.recording.error, 0);
	return live.recording;
}

/* Plays as much as is there. */
static int play(struct slice bytes, struct lines *lines)
{
	struct recording_player player = {.say = listen, .context = lines};
	struct recording_head head;
	struct recording_chunk chunk;
	int r = 0;
	memcpy(&head, bytes.ptr, sizeof(head));
	assert_true(recording_is_ours(&head));
	for (size_t at = sizeof(head); r == 0 && at + sizeof(chunk) <= bytes.len;) {
		memcpy(&chunk, bytes.ptr + at, sizeof(chunk));
		at += sizeof(chunk);
		if (chunk.bytes > bytes.len - at)
			break;
		r = recording_play(&player, chunk.kind, slice_make(bytes.ptr + at, chunk.bytes));
		at += chunk.bytes;
	}
	recording_player_end(&player);
	return r;
}

static void what_is_told_again_is_decided_again(void **state)
{
	static struct lines then, again;
	struct buffer bytes = record(&then);
	size_t at = 0;
	(void)state;
	assert_in_range(then.count, 3, 10);
	assert_non_null(strstr(then.text[1], "on trial: what has a certain order of headers"));
	assert_int_equal(play(buffer_slice(&bytes), &again), 0);
	for (size_t i = 0; i < again.count; i++)
		if (strstr(again.text[i], "banned") == NULL)
			assert_string_equal(again.text[i], then.text[at++]);
	assert_int_equal(at, then.count);
	assert_true(again.count > then.count); /* and who would have been banned */
	buffer_free(&bytes);
}

static void what_is_no_chunk_is_refused(void **state)
{
	struct recording_player player = {.say = NULL};
	struct buffer begin = buffer_make(NULL);
	static const uint8_t zeroes[64];
	(void)state;
	assert_int_equal(recording_play(&player, RECORDING_TIME, slice_make(zeroes, sizeof(struct defence_time))),
			 RECORDING_BAD);
	recording_begin(&key, (struct defence_time){1, 2}, SLICE(""), &begin);
	struct slice first =
		slice_after(buffer_slice(&begin), sizeof(struct recording_head) + sizeof(struct recording_chunk));
	assert_int_equal(recording_play(&player, RECORDING_BEGIN, first), 0);
	assert_int_equal(recording_play(&player, RECORDING_BEGIN, first), RECORDING_BAD);
	for (uint32_t kind = 0; kind < 10; kind++)
		for (size_t len = 0; len < sizeof(zeroes); len++) {
			int r = recording_play(&player, kind, slice_make(zeroes, len));
			bool may_be = (kind == RECORDING_TIME && len == sizeof(struct defence_time)) ||
				      (kind == RECORDING_EVENTS && len == 0) ||
				      (kind == RECORDING_SPARED && len % sizeof(struct prefix) == 0) ||
				      (kind == RECORDING_SITE && len >= 2) ||
				      (kind == RECORDING_STANDS && len == 8 + sizeof(struct defence_standing));
			assert_int_equal(r, may_be ? 0 : RECORDING_BAD);
		}
	static const double no_counts[] = {-1, 1e300, NAN, INFINITY};
	for (size_t i = 0; i < sizeof(no_counts) / sizeof(no_counts[0]); i++) {
		const struct {
			uint64_t number;
			struct defence_standing standing;
		} stands = {0, {.shed = no_counts[i]}};
		assert_int_equal(recording_play(&player, RECORDING_STANDS, slice_make(&stands, sizeof(stands))),
				 RECORDING_BAD);
	}
	const struct prefix impossible = {{{0}}, ADDRESS_BITS + 1};
	assert_int_equal(recording_play(&player, RECORDING_SPARED, slice_make(&impossible, sizeof(impossible))),
			 RECORDING_BAD);
	recording_player_end(&player);
	buffer_free(&begin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_again_is_decided_again),
		cmocka_unit_test(what_is_no_chunk_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
