/*
 * What is seen, and what is wanted because of it; upstream_talk.c has the talk with the keeper. wishes() is asked both
 * for what is to be asked and for the report of what would be.
 */
#include "watch/upstream.h"

#include "base/error.h"
#include "base/file.h"
#include "upstream/keeper.h"
#include "watch/json.h"
#include "watch/upstream_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	NET_BYTES = 4 << 20,  /* of a file of the kernel's */
	SOURCES_AT_ONCE = 32, /* that are asked for */
};

int upstream_begin(const struct upstream_options *options, struct upstream **ret_upstream)
{
	struct upstream *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return -ENOMEM;
	u->options = options;
	u->fd = -1;
	if (options->directory != NULL)
		snprintf(u->socket, sizeof(u->socket), "%s/" KEEPER_SOCKET, options->directory);
	link_meter_init(&u->link);
	*ret_upstream = u;
	return 0;
}

void upstream_end(struct upstream *u)
{
	if (u == NULL)
		return;
	sample_ring_close(u->samples);
	if (u->fd >= 0)
		close(u->fd);
	buffer_free(&u->answer);
	free(u);
}

struct pollfd upstream_waits(const struct upstream *u)
{
	return (struct pollfd){.fd = u != NULL ? u->fd : -1, .events = POLLIN};
}

/* ---- what comes ---- */

static bool sample_take(void *context, const struct edge_sample *sample)
{
	struct upstream *u = context;
	struct packet_head packet;
	if (u->sampled != NULL)
		u->sampled(u->sampled_context, sample);
	size_t len = sample->head_bytes < EDGE_SAMPLE_BYTES ? sample->head_bytes : EDGE_SAMPLE_BYTES;
	if (packet_head_read(slice_make(sample->head, len), &packet)) {
		packet.at_ms = sample->time_ns / 1000000;
		flood_add(&u->flood, &packet);
	}
	return true;
}

void upstream_on_sample(struct upstream *u, void (*told)(void *context, const struct edge_sample *sample),
			void *context)
{
	if (u == NULL)
		return;
	u->sampled = told;
	u->sampled_context = context;
}

void upstream_on_news(struct upstream *u, void (*told)(void *context, const struct upstream_news *news), void *context)
{
	if (u == NULL)
		return;
	u->news.told = told;
	u->news.context = context;
}

void upstream_edge(struct upstream *u, const struct edge *edge)
{
	if (u == NULL)
		return;
	if (edge == NULL) {
		sample_ring_close(u->samples);
		u->samples = NULL;
	} else if (u->samples == NULL && sample_ring_open(edge, &u->samples) != 0) {
		u->samples = NULL; /* again in a second */
	}
}

/* Both are of the network that this process is in; /sys would be of the one that mounted it. */
static bool link_count(const struct upstream *u, struct link_counter *ret_counter)
{
	struct buffer routes = buffer_make(NULL), counters = buffer_make(NULL);
	struct slice name = slice_from_string(u->options->interface);
	bool good = u->options->interface != NULL || (file_read("/proc/self/net/route", NET_BYTES, &routes) == 0 &&
						      link_default_read(buffer_slice(&routes), &name));
	good = good && file_read("/proc/self/net/dev", NET_BYTES, &counters) == 0 &&
	       link_counter_read(buffer_slice(&counters), name, ret_counter);
	buffer_free(&routes);
	buffer_free(&counters);
	return good;
}

struct upstream_link upstream_link(struct upstream *u, uint64_t now_ms)
{
	struct upstream_link link = {0};
	if (u == NULL || u->options->link_mbit == 0)
		return link;
	struct link_counter counter = {0};
	link.known = link_count(u, &counter);
	if (link.known)
		link_meter_tick(&u->link, now_ms, counter.bytes, u->options->link_mbit);
	link.full = u->link.full;
	link.packets = counter.packets;
	link.asked = requests_sent(&u->requests);
	return link;
}

void upstream_banned(struct upstream *u, const struct prefix *source, uint32_t id)
{
	if (u != NULL)
		u->sources[u->source_count++ % UPSTREAM_SOURCES] = (struct upstream_source){*source, id};
}

void upstream_events(struct upstream *u, const struct event *events, size_t count)
{
	unsigned flags = 0;
	if (u == NULL || u->forwarded)
		return;
	for (size_t i = 0; i < count; i++)
		flags |= events[i].flags;
	u->forwarded = (flags & EVENT_FROM_HEADER) != 0;
}

/* ---- what is wanted ---- */

/*
 * Whether packets of a banned source may be asked to be dropped ahead: its ban holds now, and nobody of it is allowed.
 * An allowance around it holds over what the watch decided, and not over a person's own ban.
 */
static bool ban_stands(const struct upstream_sight *sight, const struct prefix *source)
{
	const struct ban_record *records;
	struct ban_entry entry;
	if (sight->bans == NULL)
		return false;
	bool person = ban_register_said(sight->bans, source, BAN_BY_PERSON, sight->now, &entry);
	if (!person && !ban_register_said(sight->bans, source, BAN_AUTOMATIC, sight->now, &entry))
		return false;
	size_t count = ban_register_records(sight->bans, &records);
	for (size_t i = 0; i < count; i++) {
		const struct ban_record *allowed = &records[i];
		if (allowed->kind != BAN_ALLOW || allowed->expires_ms <= sight->now.boot_ms)
			continue;
		if (prefix_has(source, &allowed->prefix.address) ||
		    (!person && prefix_has(&allowed->prefix, &source->address)))
			return false;
	}
	return entry.kind == BAN_REFUSE;
}

/* Called for each; false: enough. */
typedef bool wish_fn(void *context, const struct route *route, uint32_t ban, const char *why);

static bool wish_source(const struct upstream *u, const struct prefix *source, uint32_t id, wish_fn *wish,
			void *context)
{
	for (size_t i = 0; i < u->options->address_count; i++) {
		const struct address *to = &u->options->addresses[i];
		if (address_is_v4(to) != prefix_is_v4(source))
			continue;
		const struct route route = {.kind = ROUTE_FLOW,
					    .flow = {.v6 = !address_is_v4(to),
						     .destination = {true, 0, {*to, ADDRESS_BITS}},
						     .source = {true, 0, *source}}};
		if (!wish(context, &route, id, UPSTREAM_WHY "a banned source"))
			return false;
	}
	return true;
}

/* Floods first: they fill links. Then what people banned, then what the watch did, the latest first. */
static void wishes(struct upstream *u, const struct upstream_sight *sight, wish_fn *wish, void *context)
{
	struct route routes[FLOOD_ROUTES];
	const struct ban_record *records;
	size_t sources = 0;
	size_t found =
		flood_find(&u->flood, sight->now.boot_ms, u->options->addresses, u->options->address_count, routes);
	for (size_t i = 0; i < found; i++)
		if (!wish(context, &routes[i], 0, UPSTREAM_WHY "most of it is such packets"))
			return;
	if (u->forwarded)
		return;
	size_t count = sight->bans != NULL ? ban_register_records(sight->bans, &records) : 0;
	for (size_t i = 0; i < count && sources < SOURCES_AT_ONCE; i++)
		if (records[i].kind == BAN_REFUSE && ban_stands(sight, &records[i].prefix) &&
		    sources++ < SOURCES_AT_ONCE && !wish_source(u, &records[i].prefix, records[i].id, wish, context))
			return;
	size_t have = u->source_count < UPSTREAM_SOURCES ? u->source_count : UPSTREAM_SOURCES;
	for (size_t i = 0; i < have && sources < SOURCES_AT_ONCE; i++) {
		const struct upstream_source *source = &u->sources[(u->source_count - 1 - i) % UPSTREAM_SOURCES];
		if (!ban_stands(sight, &source->prefix))
			continue;
		sources++;
		if (!wish_source(u, &source->prefix, source->id, wish, context))
			return;
	}
}

static uint64_t hits_of(const void *context, uint32_t ban)
{
	const struct upstream_sight *sight = context;
	return sight->hits(sight->context, ban);
}

static bool still_stands(const void *context, const struct prefix *source)
{
	return ban_stands(context, source);
}

static bool want(void *context, const struct route *route, uint32_t ban, const char *why)
{
	struct upstream *u = context;
	return requests_want(&u->requests, route, ban, why);
}

void upstream_second(struct upstream *u, const struct upstream_sight *sight)
{
	struct link_counter counter;
	if (u == NULL)
		return;
	bool might = u->link.may_be_full;
	if (link_count(u, &counter))
		link_meter_feed(&u->link, sight->now.boot_ms, counter.bytes, u->options->link_mbit, sight->visitors);
	if (u->link.may_be_full != might)
		fprintf(stderr, "guia: watch: the link %s (%.0f Mbit/s; nobody said how wide it is)\n",
			u->link.may_be_full ? "may be full: visitors fall away" : "is not full, or not any more",
			u->link.bytes_a_second * 8 / 1e6);
	if (u->told_full != u->link.full)
		fprintf(stderr, "guia: watch: the link is %s (%.0f %% of %" PRIu64 " Mbit/s%s)\n",
			u->link.full ? "full" : "free again", u->link.share, u->options->link_mbit,
			u->link.falling ? ", visitors fall away" : "");
	if (u->link.full && u->up == 0 && !u->alone)
		fprintf(stderr,
			"guia: watch: the link is full and no operator's session %s: nobody can be asked; "
			"telephone\n",
			u->unfit > 0 ? "carries rules" : "is up");
	u->told_full = u->link.full;
	u->alone = u->link.full && u->up == 0;
	if (u->link.full && u->adopted)
		wishes(u, sight, want, u);
	const struct requests_sight seen = {.now_ms = sight->now.boot_ms,
					    .full = u->link.full,
					    .busy = u->link.share >= LINK_BUSY_PERCENT,
					    .hits = hits_of,
					    .stands = still_stands,
					    .context = sight};
	if (u->asking != ASKING_REQUEST && u->id_at == 0)
		requests_second(&u->requests, &seen);
}

void upstream_step(struct upstream *u, uint64_t now_ms)
{
	if (u == NULL)
		return;
	if (u->samples != NULL)
		(void)sample_ring_drain(u->samples, sample_take, u);
	if (u->options->directory == NULL)
		return;
	upstream_talk(u, now_ms);
}

/* ---- telling ---- */

static bool list(void *context, const struct route *route, uint32_t ban, const char *why)
{
	struct buffer *out = context, text = buffer_make(NULL);
	(void)ban;
	json_comma(out);
	buffer_text(out, "{\"told\":");
	route_tell(route, &text);
	text_add_json(out, buffer_slice(&text));
	buffer_clear(&text);
	(void)route_write(route, &text);
	buffer_text(out, ",\"route\":");
	text_add_json(out, buffer_slice(&text));
	buffer_text(out, ",\"why\":");
	text_add_json(out, slice_from_string(why));
	buffer_text(out, "}");
	buffer_free(&text);
	return out->error == 0;
}

void upstream_report(struct upstream *u, const struct upstream_sight *sight, struct buffer *out)
{
	if (u == NULL || u->options->directory == NULL) {
		buffer_text(out, "{\"fault\":\"this watch asks no operator: it was started without --upstream\"}\n");
		return;
	}
	buffer_printf(out,
		      "{\"link\":{\"mbit\":%" PRIu64 ",\"percent\":%.1f,\"full\":%s,\"visitors_fall\":%s},\"edge\":%s,",
		      u->options->link_mbit, u->link.share, u->link.full ? "true" : "false",
		      u->link.falling ? "true" : "false", u->samples != NULL ? "true" : "false");
	buffer_printf(out, "\"addresses\":%zu,\"forwarded\":%s,\"keeper\":%s,\"wishes\":[", u->options->address_count,
		      u->forwarded ? "true" : "false", u->adopted ? "true" : "false");
	if (out->error == 0)
		wishes(u, sight, list, out);
	buffer_text(out, "]}\n");
}

void upstream_link_report(const struct upstream *u, struct buffer *out)
{
	if (u != NULL && u->fault[0] != '\0') {
		json_open(out, "keeper", '{');
		json_text(out, "socket", u->socket);
		json_text(out, "fault", u->fault);
		buffer_byte(out, '}');
	}
	if (u == NULL || (u->options->link_mbit == 0 && !u->link.may_be_full))
		return;
	json_open(out, "link", '{');
	json_number(out, "mbit", u->options->link_mbit);
	json_decimal(out, "share_percent", u->link.share);
	json_truth(out, "full", u->link.full);
	if (u->link.may_be_full) {
		json_truth(out, "may_be_full", true);
		json_decimal(out, "mbit_now", u->link.bytes_a_second * 8 / 1e6);
	}
	json_truth(out, "visitors_falling", u->link.falling);
	if (u->operators > 0 && u->fault[0] == '\0') {
		json_number(out, "operators", u->operators);
		json_number(out, "rules", u->rules);
	}
	json_number(out, "operators_up", u->up);
	json_number(out, "operators_unfit", u->unfit);
	buffer_byte(out, '}');
}
