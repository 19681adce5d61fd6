/*
 * Structures go out as they lie in memory, so only the same version reads them. What is read may be of anyone's making:
 * it is bounded before a defence is told of it.
 */
#include "incident/recording.h"

#include "base/error.h"
#include "wire/outbox.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	VERSION = 5,
	BANS_AT_ONCE = 512,
	BANS_SHOWN = 3,
	LINE_BYTES = 512,
	EVENTS_AT_ONCE = 64,
	SPARED_MOST = 1 << 16,
};

static const uint8_t MAGIC[8] = {'G', 'u', 'i', 'a', 'R', 'e', 'c', '1'};

struct begin_record {
	struct hash_key key;
	struct defence_time now;
};

struct stands_record {
	uint64_t number;
	struct defence_standing standing;
};

/* ---- writing ---- */

static void chunk(enum recording_kind kind, struct slice bytes, struct buffer *out)
{
	const struct recording_chunk head = {kind, (uint32_t)bytes.len};
	buffer_add(out, slice_make(&head, sizeof(head)));
	buffer_add(out, bytes);
}

void recording_begin(const struct hash_key *key, struct defence_time now, struct slice memory, struct buffer *out)
{
	struct recording_head head = {.version = VERSION, .event_bytes = sizeof(struct event)};
	const struct begin_record begin = {*key, now};
	memcpy(head.magic, MAGIC, sizeof(MAGIC));
	buffer_add(out, slice_make(&head, sizeof(head)));
	chunk(RECORDING_BEGIN, slice_make(&begin, sizeof(begin)), out);
	if (memory.len > 0 && memory.len <= RECORDING_CHUNK_MOST)
		chunk(RECORDING_MEMORY, memory, out);
}

void recording_spared(const struct prefix *spared, size_t count, struct buffer *out)
{
	chunk(RECORDING_SPARED, slice_make(spared, count * sizeof(*spared)), out);
}

void recording_site(uint16_t number, const char *name, struct buffer *out)
{
	uint8_t bytes[sizeof(number) + DEFENCE_NAME_BYTES];
	size_t len = strnlen(name, DEFENCE_NAME_BYTES - 1);
	memcpy(bytes, &number, sizeof(number));
	memcpy(bytes + sizeof(number), name, len);
	chunk(RECORDING_SITE, slice_make(bytes, sizeof(number) + len), out);
}

void recording_stands(uint16_t number, const struct defence_standing *standing, struct buffer *out)
{
	const struct stands_record record = {number, *standing};
	chunk(RECORDING_STANDS, slice_make(&record, sizeof(record)), out);
}

void recording_packets(const struct defence_packets *packets, struct buffer *out)
{
	chunk(RECORDING_PACKETS, slice_make(packets, sizeof(*packets)), out);
}

void recording_time(struct defence_time now, struct buffer *out)
{
	chunk(RECORDING_TIME, slice_make(&now, sizeof(now)), out);
}

void recording_events(const uint16_t *sites, const struct event *events, size_t count, struct buffer *out)
{
	const struct recording_chunk head = {RECORDING_EVENTS, (uint32_t)(count * sizeof(*events))};
	buffer_add(out, slice_make(&head, sizeof(head)));
	for (size_t i = 0; i < count; i++) {
		struct event event = events[i];
		event.site = event.site < OUTBOX_SITES ? sites[event.site] : DEFENCE_SITE_NONE;
		buffer_add(out, slice_make(&event, sizeof(event)));
	}
}

/* ---- telling it again ---- */

bool recording_is_ours(const struct recording_head *head)
{
	return memcmp(head->magic, MAGIC, sizeof(MAGIC)) == 0 && head->version == VERSION &&
	       head->event_bytes == sizeof(struct event);
}

static int play_begin(struct recording_player *player, struct slice bytes)
{
	struct begin_record begin;
	if (player->defence != NULL || bytes.len != sizeof(begin))
		return RECORDING_BAD;
	memcpy(&begin, bytes.ptr, sizeof(begin));
	int r = defence_new(&begin.key, begin.now, &player->defence);
	if (r == 0)
		defence_listen(player->defence, player->say, player->context);
	return r;
}

static int play_memory(struct recording_player *player, struct slice bytes)
{
	struct buffer copy = buffer_make(NULL);
	buffer_add(&copy, bytes);
	if (copy.error != 0)
		return copy.error;
	enum traffic_memory_fault fault = defence_recall(player->defence, &copy);
	buffer_free(&copy);
	return fault == TRAFFIC_MEMORY_GOOD ? 0 : RECORDING_BAD;
}

static int play_spared(struct recording_player *player, struct slice bytes)
{
	size_t count = bytes.len / sizeof(struct prefix);
	struct prefix *spared = calloc(count + 1, sizeof(*spared));
	if (spared == NULL)
		return -ENOMEM;
	bool good = bytes.len % sizeof(*spared) == 0 && count <= SPARED_MOST;
	if (good && count > 0)
		memcpy(spared, bytes.ptr, bytes.len);
	for (size_t i = 0; i < count && good; i++)
		good = spared[i].bits <= ADDRESS_BITS;
	int r = good ? defence_spare(player->defence, spared, count) : RECORDING_BAD;
	free(spared);
	return r;
}

static int play_site(struct recording_player *player, struct slice bytes)
{
	uint16_t number;
	char name[DEFENCE_NAME_BYTES];
	if (bytes.len < sizeof(number) || bytes.len >= sizeof(number) + DEFENCE_NAME_BYTES)
		return RECORDING_BAD;
	memcpy(&number, bytes.ptr, sizeof(number));
	snprintf(name, sizeof(name), "%.*s", (int)(bytes.len - sizeof(number)),
		 (const char *)bytes.ptr + sizeof(number));
	return number < DEFENCE_SITES ? defence_site(player->defence, number, name) : RECORDING_BAD;
}

/* No such number is as large: it stays a number in whatever is counted of it. */
static bool is_count(double value)
{
	return value >= 0 && value <= 1e15;
}

static bool standing_is_possible(const struct defence_standing *standing)
{
	bool good = is_count(standing->slots) && is_count(standing->slots_at_most) &&
		    is_count(standing->connections_at_most) && is_count(standing->shed);
	for (size_t i = 0; i < sizeof(standing->states) / sizeof(standing->states[0]); i++)
		good = good && is_count(standing->states[i]);
	return good;
}

static int play_stands(struct recording_player *player, struct slice bytes)
{
	struct stands_record record;
	if (bytes.len != sizeof(record))
		return RECORDING_BAD;
	memcpy(&record, bytes.ptr, sizeof(record));
	if (record.number >= DEFENCE_SITES || !standing_is_possible(&record.standing))
		return RECORDING_BAD;
	defence_stands(player->defence, (uint16_t)record.number, &record.standing);
	return 0;
}

static bool is_text(const char text[PACKET_TRAITS_BYTES])
{
	return memchr(text, '\0', PACKET_TRAITS_BYTES) != NULL;
}

static int play_packets(struct recording_player *player, struct slice bytes)
{
	struct defence_packets packets;
	if (bytes.len != sizeof(packets))
		return RECORDING_BAD;
	memcpy(&packets, bytes.ptr, sizeof(packets));
	for (size_t i = 0; i < PACKET_FLOODS; i++) {
		const struct packet_traits *traits = &packets.traits[i];
		if (!is_text(traits->destinations) || !is_text(traits->ports) || !is_text(traits->from_ports) ||
		    !is_text(traits->networks))
			return RECORDING_BAD;
	}
	defence_packets(player->defence, &packets);
	return 0;
}

static int play_events(struct recording_player *player, struct slice bytes)
{
	struct event events[EVENTS_AT_ONCE];
	uint16_t sites[OUTBOX_SITES];
	if (bytes.len % sizeof(struct event) != 0)
		return RECORDING_BAD;
	for (size_t at = 0; at < bytes.len;) {
		size_t count = 0;
		/* The map is from numbers of a worker's: those of a batch are put in one by one. */
		for (; count < EVENTS_AT_ONCE && at < bytes.len; count++, at += sizeof(struct event)) {
			memcpy(&events[count], bytes.ptr + at, sizeof(struct event));
			sites[count] = events[count].site;
			events[count].site = (uint16_t)count;
		}
		defence_events(player->defence, sites, events, count);
	}
	return 0;
}

static void tell_bans(struct recording_player *player, struct defence_time now)
{
	struct plan_ban bans[BANS_AT_ONCE];
	char line[LINE_BYTES], text[ADDRESS_TEXT_BYTES];
	size_t count = defence_bans_take(player->defence, bans, BANS_AT_ONCE);
	int len = snprintf(line, sizeof(line), "%zu sources banned:", count);
	for (size_t i = 0; i < count && i < BANS_SHOWN; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " %s", prefix_format(&bans[i].prefix, text));
	if (count > 0 && player->say != NULL) {
		snprintf(line + len, sizeof(line) - (size_t)len, "%s", count > BANS_SHOWN ? " ..." : "");
		const struct defence_news news = {.line = line, .site = "", .change = "banned"};
		player->say(player->context, now, &news);
	}
}

/* Nobody counts what would have been refused. */
static uint64_t no_hits(const void *context, uint32_t id)
{
	(void)context;
	(void)id;
	return 0;
}

static int play_time(struct recording_player *player, struct slice bytes)
{
	struct defence_time now;
	if (bytes.len != sizeof(now))
		return RECORDING_BAD;
	memcpy(&now, bytes.ptr, sizeof(now));
	struct defence_search *search = defence_search_take(player->defence);
	if (search != NULL) {
		defence_search_run(search);
		defence_search_give(player->defence, search);
	}
	tell_bans(player, now);
	if (now.now_ms / 1000 != player->second)
		defence_hits(player->defence, no_hits, NULL);
	player->second = now.now_ms / 1000;
	defence_tick(player->defence, now);
	return 0;
}

int recording_play(struct recording_player *player, uint32_t kind, struct slice bytes)
{
	if (kind == RECORDING_BEGIN)
		return play_begin(player, bytes);
	if (player->defence == NULL)
		return RECORDING_BAD;
	switch (kind) {
	case RECORDING_MEMORY:
		return play_memory(player, bytes);
	case RECORDING_SPARED:
		return play_spared(player, bytes);
	case RECORDING_SITE:
		return play_site(player, bytes);
	case RECORDING_STANDS:
		return play_stands(player, bytes);
	case RECORDING_TIME:
		return play_time(player, bytes);
	case RECORDING_PACKETS:
		return play_packets(player, bytes);
	case RECORDING_EVENTS:
		return play_events(player, bytes);
	default:
		return RECORDING_BAD;
	}
}

void recording_player_end(struct recording_player *player)
{
	defence_free(player->defence);
	*player = (struct recording_player){0};
}
