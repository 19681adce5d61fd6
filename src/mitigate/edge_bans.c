/*
 * An edge is found, held and let go in edge_bans_look(). A change is said as all ranks anew: lifted, then what lies
 * around in pieces, then what stands. What that took away of others within is laid again, seldom.
 */
#include "mitigate/edge_bans.h"

#include "base/error.h"
#include "base/hash.h"
#include "edge/bans.h"
#include "edge/loader.h"

#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

enum {
	SWEPT_EACH_MS = 20,
	RELAID_EACH_MS = 10000,
	SWEPT_AT_ONCE = 16384, /* places: all of them in ten seconds or so, a tenth of a millisecond each time */
	PROXY_RANK = BAN_RANKS,
};

/* Bits of an image's rank and of a word's are two: proxies have the one above all. */
_Static_assert(PROXY_RANK == 3, "the edge's ranks have two bits");

void edge_bans_begin(struct edge_bans *edge, const char *directory, const struct prefix *proxies, size_t proxy_count,
		     struct ban_register *bans)
{
	*edge = (struct edge_bans){.directory = directory,
				   .proxies = proxies,
				   .proxy_count = proxy_count,
				   .bans = bans,
				   .told = -ENOENT,
				   .who = hash_key_random().k0 | 1};
}

static void let_go(struct edge_bans *edge)
{
	if (edge->bans != NULL)
		ban_register_follow(edge->bans, NULL);
	if (edge->held)
		edge_close(&edge->edge);
	edge->held = false;
	edge_strangers_forget(&edge->strangers);
}

void edge_bans_end(struct edge_bans *edge)
{
	let_go(edge);
}

static void say_ranks(struct edge_bans *edge, const struct prefix *prefix, struct ban_times now)
{
	for (unsigned rank = 0; rank < BAN_RANKS; rank++) {
		struct ban_entry entry;
		if (ban_register_said(edge->bans, prefix, rank, now, &entry))
			(void)edge_say(&edge->edge, &entry, now.boot_ms);
	}
}

/* Where it lies in wider ones that are kept in pieces, its place may have been one of these. */
static void say_around(struct edge_bans *edge, const struct prefix *prefix, struct ban_times now)
{
	unsigned least = prefix_is_v4(prefix) ? ADDRESS_V4_BITS : 0;
	for (unsigned wider = EDGE_PIECE_BITS; wider > 0; wider--) {
		if (prefix->bits < least + wider)
			continue;
		const struct prefix around = address_prefix(&prefix->address, prefix->bits - wider);
		if (edge_in_pieces(&around))
			say_ranks(edge, &around, now);
	}
}

/* All ranks of a prefix anew: the edge has one ban of it, the highest's, and one allowance. */
static void changed(void *context, const struct prefix *prefix, struct ban_times now)
{
	struct edge_bans *edge = context;
	edge->behind = edge->behind || edge_in_pieces(prefix);
	for (unsigned rank = 0; rank < BAN_RANKS; rank++) {
		const struct ban_entry lifted = {
			.address = prefix->address, .bits = prefix->bits, .kind = BAN_LIFTED, .rank = (uint8_t)rank};
		(void)edge_say(&edge->edge, &lifted, now.boot_ms);
	}
	say_around(edge, prefix, now);
	say_ranks(edge, prefix, now);
}

/* What lies in the places of a ban that was lifted stands again. Seldom: the book may hold a million. */
static void relay(struct edge_bans *edge, struct ban_times now)
{
	struct buffer bytes = buffer_make(NULL);
	struct ban_image image;
	if (!edge->behind || now.boot_ms - edge->relaid_ms < RELAID_EACH_MS)
		return;
	edge->relaid_ms = now.boot_ms;
	if (ban_register_image(edge->bans, now, &bytes, &image) == 0) {
		struct ban_entry entry;
		for (uint64_t cursor = 0; ban_image_next(&image, &cursor, &entry);)
			if (entry.kind == BAN_REFUSE)
				(void)edge_say(&edge->edge, &entry, now.boot_ms);
		edge->behind = false;
	}
	buffer_free(&bytes);
}

static int say_all(struct edge_bans *edge, struct ban_times now)
{
	struct buffer bytes = buffer_make(NULL);
	struct ban_image image;
	int r = ban_register_image(edge->bans, now, &bytes, &image);
	r = r != 0 ? r : edge_take(&edge->edge, &image, now.boot_ms, &edge->refused);
	buffer_free(&bytes);
	for (size_t i = 0; i < edge->proxy_count && r == 0; i++) {
		const struct ban_entry proxy = {.address = edge->proxies[i].address,
						.bits = edge->proxies[i].bits,
						.expires_ms = BAN_FOR_EVER,
						.kind = BAN_ALLOW,
						.rank = PROXY_RANK};
		r = edge_say(&edge->edge, &proxy, now.boot_ms);
		edge->refused += r > 0;
		r = r > 0 ? 0 : r; /* it has no place for it, which is told with the others' */
	}
	return r;
}

enum { HELD_BY_ANOTHER = 100 };

static int find(struct edge_bans *edge, struct ban_times now)
{
	const struct ban_follower follower = {changed, edge};
	int r = edge_adopt(edge->directory, &edge->edge);
	if (r != 0)
		return r;
	if (!edge_hold(&edge->edge, edge->who, now.boot_ms)) {
		edge_close(&edge->edge);
		return HELD_BY_ANOTHER;
	}
	ban_table_mend(&edge->edge.table);
	if ((r = say_all(edge, now)) != 0) {
		edge_close(&edge->edge);
		return r;
	}
	edge->held = true;
	edge_strangers_adopt(&edge->strangers, &edge->edge);
	edge->swept = 0;
	ban_register_follow(edge->bans, &follower);
	(void)edge_count(&edge->edge, &edge->counts);
	edge->before = edge->counts;
	edge->before_ms = edge->counted_ms = now.boot_ms;
	return 0;
}

static void take_name(void *context, const char *name, const char *mode)
{
	if (strcmp(mode, "gone") != 0)
		snprintf(context, IF_NAMESIZE, "%s", name);
}

/* Whose maps they would have to be. */
static void say_barred(const char *directory, char text[EDGE_BANS_FAULT_BYTES])
{
	const struct passwd *user = getpwuid(geteuid());
	char number[24], interface[IF_NAMESIZE] = "INTERFACE";
	bool usual = strcmp(directory, EDGE_DIRECTORY) == 0;
	snprintf(number, sizeof(number), "user %u", (unsigned)geteuid());
	edge_interfaces(directory, take_name, interface);
	snprintf(text, EDGE_BANS_FAULT_BYTES,
		 "the edge is not %s's, who the watch runs as: no ban and no unban reaches it, and it drops whom it "
		 "had: guia edge attach %s --user %s%s%.64s",
		 user != NULL ? user->pw_name : number, interface, user != NULL ? user->pw_name : "NAME",
		 usual ? "" : " --at ", usual ? "" : directory);
}

static void say_fault(const char *directory, int outcome, char text[EDGE_BANS_FAULT_BYTES])
{
	switch (outcome) {
	case 0:
	case -ENOENT:
		text[0] = '\0';
		break;
	case EDGE_FOREIGN:
		snprintf(text, EDGE_BANS_FAULT_BYTES, "the edge is of another version: the gate alone has the bans");
		break;
	case HELD_BY_ANOTHER:
		snprintf(text, EDGE_BANS_FAULT_BYTES, "another watch has the edge: the gate alone has the bans");
		break;
	case -EACCES:
		say_barred(directory, text);
		break;
	default:
		snprintf(text, EDGE_BANS_FAULT_BYTES, "the edge cannot be had: %s: the gate alone has the bans",
			 strerror(-outcome));
	}
}

const char *edge_bans_fault(const struct edge_bans *edge)
{
	return edge->fault[0] != '\0' ? edge->fault : NULL;
}

static void count(struct edge_bans *edge, struct ban_times now)
{
	struct edge_counts counts;
	if (edge_count(&edge->edge, &counts) != 0)
		return;
	edge->before = edge->counts;
	edge->before_ms = edge->counted_ms;
	edge->counts = counts;
	edge->counted_ms = now.boot_ms;
}

/*
 * Whether the kernel takes cookies that it did not send itself, may change at any time. Where it does not, whoever is
 * answered with one is shut out.
 */
static const char *heed_cookies(struct edge_bans *edge)
{
	uint32_t *answers = &edge->edge.table.control->answers;
	int cookies = edge_syn_cookies();
	bool takes = cookies == EDGE_COOKIES_ALWAYS;
	if (cookies < 0 || takes == (__atomic_load_n(answers, __ATOMIC_RELAXED) != 0))
		return NULL;
	__atomic_store_n(answers, takes, __ATOMIC_RELAXED);
	return takes ? "net.ipv4.tcp_syncookies is 2: SYNs above the budget are answered with cookies"
		     : "net.ipv4.tcp_syncookies is no longer 2: SYNs above the budget are left to the kernel";
}

/* Once it does it is taken to go on: entries that the edge makes would say so, too. */
static void heed_tracking(struct edge_bans *edge)
{
	uint32_t *tracks = &edge->edge.table.control->tracks;
	if (__atomic_load_n(tracks, __ATOMIC_RELAXED) == 0 && edge_tracked() > 0)
		__atomic_store_n(tracks, 1, __ATOMIC_RELAXED);
}

const char *edge_bans_look(struct edge_bans *edge, struct ban_times now)
{
	int outcome = 0;
	if (edge->directory == NULL || edge->bans == NULL)
		return NULL;
	if (edge->held && edge_is_retired(&edge->edge))
		outcome = EDGE_RETIRED;
	else if (edge->held && edge_is_barred(edge->directory))
		outcome = -EACCES;
	else if (edge->held && !edge_hold(&edge->edge, edge->who, now.boot_ms))
		outcome = HELD_BY_ANOTHER;
	if (outcome != 0)
		let_go(edge);
	else if (!edge->held)
		outcome = find(edge, now);
	else {
		count(edge, now);
		heed_tracking(edge);
		relay(edge, now);
	}
	outcome = outcome == EDGE_RETIRED ? -ENOENT : outcome;
	if (outcome == edge->told)
		return edge->held ? heed_cookies(edge) : NULL;
	edge->told = outcome;
	say_fault(edge->directory, outcome, edge->fault);
	return outcome == 0         ? "the edge has the bans too"
	       : outcome == -ENOENT ? "there is no edge any more: the gate alone has the bans"
				    : edge->fault;
}

void edge_bans_tick(struct edge_bans *edge, struct ban_times now)
{
	if (!edge->held || edge_is_retired(&edge->edge) || now.boot_ms - edge->swept_ms < SWEPT_EACH_MS)
		return;
	edge->swept_ms = now.boot_ms;
	edge_expire(&edge->edge, &edge->swept, SWEPT_AT_ONCE, now.boot_ms);
}

void edge_bans_meet(struct edge_bans *edge, const struct address *source, struct ban_times now)
{
	if (edge->held)
		edge_strangers_meet(&edge->strangers, source, now.boot_ms);
}

void edge_bans_strangers(struct edge_bans *edge, bool calm, struct strangers_told told, struct ban_times now)
{
	if (edge->held && !edge_is_retired(&edge->edge))
		edge_strangers_tick(&edge->strangers, &edge->edge, calm, told, now.boot_ms);
}

const struct edge *edge_bans_edge(const struct edge_bans *edge)
{
	return edge->held ? &edge->edge : NULL;
}

uint64_t edge_bans_hits(const struct edge_bans *edge, uint32_t id)
{
	uint64_t hits = 0;
	return edge->held && edge_mitigation_hits(&edge->edge, id, &hits) == 0 ? hits : 0;
}

const char *edge_bans_standing(const struct edge_bans *edge, const struct prefix *prefix, enum ban_kind kind)
{
	const struct ban_entry entry = {.address = prefix->address, .bits = prefix->bits, .kind = (uint8_t)kind};
	if (!edge->held)
		return edge->fault[0] != '\0' ? "not reached, see guia status" : NULL;
	if (kind == BAN_LIFTED)
		return NULL;
	switch (edge_says(&edge->edge, &entry)) {
	case 0:
		return "in force";
	case EDGE_TOO_WIDE:
		return "too wide for it";
	default:
		return "no place for it";
	}
}

void edge_bans_rates(const struct edge_bans *edge, double rates[EDGE_REASONS])
{
	double seconds = (double)(edge->counted_ms - edge->before_ms) / 1000;
	for (unsigned i = 0; i < EDGE_REASONS; i++)
		rates[i] = !edge->held || seconds <= 0
				   ? 0
				   : (double)(edge->counts.packets[i] - edge->before.packets[i]) / seconds;
}
