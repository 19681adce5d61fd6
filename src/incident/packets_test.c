/* Floods of packets, as the watch is told of them: what is counted and sampled goes in, and what is said comes out. */
#include "incident/recording.h"

#include "base/test.h"

#include <stdio.h>

enum { TICK_MS = 100, LINES = 32, SECOND = 1000 };

static const struct hash_key key = {41, 42};
static const uint8_t boot[IMAGE_BOOT_BYTES] = {4};

struct told {
	struct defence *defence;
	struct defence_time now;
	struct defence_packets packets;
	struct buffer recording;
	size_t count;
	char lines[LINES][512];
	char changes[LINES][16];
};

static void listen(void *context, struct defence_time now, const struct defence_news *news)
{
	struct told *told = context;
	(void)now;
	assert_true(told->count < LINES);
	assert_null(news->mitigation);
	assert_string_equal(news->site, "");
	snprintf(told->lines[told->count], sizeof(told->lines[0]), "%s", news->line);
	snprintf(told->changes[told->count++], sizeof(told->changes[0]), "%s", news->change);
}

static void make(struct told *told)
{
	assert_int_equal(defence_new(&key, told->now, &told->defence), 0);
	defence_listen(told->defence, listen, told);
}

static void pass(struct told *told, enum packet_flood_kind kind, unsigned per_s, unsigned ms)
{
	for (unsigned at = 0; at < ms; at += TICK_MS) {
		told->now.now_ms += TICK_MS;
		told->now.wall_ms += TICK_MS;
		told->packets.figures[kind].packets += per_s / 10;
		recording_packets(&told->packets, &told->recording);
		recording_time(told->now, &told->recording);
		defence_packets(told->defence, &told->packets);
		defence_tick(told->defence, told->now);
	}
}

/* An edge, and nothing that it has to refuse. */
static void begin(struct told *told)
{
	*told = (struct told){.now = {50000, (uint64_t)1720551600 * 1000}, .recording = buffer_make(NULL)};
	make(told);
	recording_begin(&key, told->now, SLICE(""), &told->recording);
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		told->packets.figures[i] = (struct packet_figures){.known = 1, .held = i != PACKET_FLOOD_LINK};
	pass(told, PACKET_FLOOD_UDP, 0, 5 * SECOND);
	assert_int_equal(told->count, 0);
	assert_true(defence_is_calm(told->defence));
}

static void end(struct told *told)
{
	defence_free(told->defence);
	buffer_free(&told->recording);
}

static void sampled(struct told *told)
{
	told->packets.traits[PACKET_FLOOD_UDP] = (struct packet_traits){.sampled = 500,
									.network_count = 12,
									.destinations = "192.0.2.10 100 %",
									.ports = "udp/53 97 %",
									.from_ports = "udp/*",
									.networks = "198.18.0.0/16 30 %"};
}

static void a_flood_is_told_from_onset_to_end(void **state)
{
	static struct told told;
	(void)state;
	begin(&told);
	sampled(&told);
	pass(&told, PACKET_FLOOD_UDP, 50000, 10 * SECOND);
	const struct packet_flood *flood = &defence_packet_floods(told.defence)[PACKET_FLOOD_UDP];
	assert_true(flood->on && flood->held);
	assert_false(defence_is_calm(told.defence));
	pass(&told, PACKET_FLOOD_UDP, 0, 90 * SECOND);
	assert_false(flood->on);
	assert_int_equal(told.count, 4);
	assert_non_null(strstr(told.lines[0], "UDP above the edge's budget"));
	assert_string_equal(told.changes[0], "begins");
	assert_non_null(strstr(told.lines[1], "to 192.0.2.10 100 %; udp/53 97 %, from udp/*; sources, which may be "
					      "forged, are said to be of 12 networks: 198.18.0.0/16 30 %"));
	assert_non_null(strstr(told.lines[2], "dropped at the edge"));
	assert_string_equal(told.changes[3], "over");
	/* it banned nobody, and refused nothing */
	struct plan_ban ban;
	struct plan_rule rule;
	assert_int_equal(defence_bans_take(told.defence, &ban, 1), 0);
	assert_int_equal(defence_plan(told.defence, &rule, 1), 0);
	end(&told);
}

static void a_full_link_is_held_when_it_is_not_full_any_more(void **state)
{
	static struct told told;
	struct packet_figures *link = &told.packets.figures[PACKET_FLOOD_LINK];
	(void)state;
	begin(&told);
	link->full = 1;
	pass(&told, PACKET_FLOOD_LINK, 80000, 5 * SECOND);
	assert_int_equal(told.count, 1);
	link->full = 0;
	link->asked = 2;
	pass(&told, PACKET_FLOOD_LINK, 4000, 100 * SECOND);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.changes[1], "held");
	link->asked = 0;
	pass(&told, PACKET_FLOOD_LINK, 4000, 61 * SECOND);
	assert_string_equal(told.changes[2], "over");
	end(&told);
}

static void the_next_watch_goes_on_with_it(void **state)
{
	static struct told told;
	struct buffer kept = buffer_make(NULL);
	(void)state;
	begin(&told);
	pass(&told, PACKET_FLOOD_UDP, 50000, 10 * SECOND);
	struct packet_flood before = defence_packet_floods(told.defence)[PACKET_FLOOD_UDP];
	assert_int_equal(defence_keep(told.defence, boot, &kept), 0);
	defence_free(told.defence);
	told.count = 0;
	told.now.now_ms += 2 * SECOND;
	make(&told);
	assert_int_equal(defence_restore(told.defence, buffer_slice(&kept), boot), IMAGE_GOOD);
	const struct packet_flood *flood = &defence_packet_floods(told.defence)[PACKET_FLOOD_UDP];
	assert_int_equal(told.count, 1);
	assert_string_equal(told.changes[0], "goes on");
	pass(&told, PACKET_FLOOD_UDP, 50000, 10 * SECOND);
	assert_int_equal(told.count, 1);
	assert_int_equal(flood->id, before.id);
	assert_int_equal(flood->onset_ms, before.onset_ms);
	assert_true(flood->packets >= before.packets + 50000 * 9);
	pass(&told, PACKET_FLOOD_UDP, 0, 70 * SECOND);
	assert_string_equal(told.changes[1], "over");
	/* what cannot be is not taken */
	kept.ptr[kept.len / 2] ^= 1;
	assert_int_not_equal(defence_restore(told.defence, buffer_slice(&kept), boot), IMAGE_GOOD);
	buffer_free(&kept);
	end(&told);
}

static void it_is_told_again_from_a_recording(void **state)
{
	static struct told told, again;
	struct recording_player player = {.say = listen, .context = &again};
	struct recording_chunk chunk;
	(void)state;
	begin(&told);
	sampled(&told);
	pass(&told, PACKET_FLOOD_UDP, 50000, 10 * SECOND);
	again.count = 0;
	for (size_t at = sizeof(struct recording_head); at < told.recording.len; at += chunk.bytes) {
		memcpy(&chunk, told.recording.ptr + at, sizeof(chunk));
		at += sizeof(chunk);
		assert_int_equal(recording_play(&player, chunk.kind, slice_make(told.recording.ptr + at, chunk.bytes)),
				 0);
	}
	assert_int_equal(again.count, told.count);
	for (size_t i = 0; i < told.count; i++)
		assert_string_equal(again.lines[i], told.lines[i]);
	/* a text without an end is none */
	memset(told.packets.traits[0].ports, 'x', PACKET_TRAITS_BYTES);
	assert_int_equal(recording_play(&player, RECORDING_PACKETS, slice_make(&told.packets, sizeof(told.packets))),
			 RECORDING_BAD);
	recording_player_end(&player);
	end(&told);
}

TEST_MAIN(cmocka_unit_test(a_flood_is_told_from_onset_to_end),
	  cmocka_unit_test(a_full_link_is_held_when_it_is_not_full_any_more),
	  cmocka_unit_test(the_next_watch_goes_on_with_it), cmocka_unit_test(it_is_told_again_from_a_recording))
