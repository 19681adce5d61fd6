/* Which sources are banned: those that a signature matches alone, and, for want of one, those who take most. */
#include "incident/inside.h"

#include "limit/ban_book.h"

enum {
	BAN_MATCHES = 10,
	BAN_MATCHES_CROWDED = 1,
	BAN_WATCHED_MS = 20 * 1000, /* where nobody is known from before: so long ... */
	BAN_A_SECOND = 20,          /* ... so many requests that match */
	BAN_CLIENTS_MOST = 2,       /* kinds: behind an address with more there are people */
	HEAVY_LEAST_MS = 2000,      /* of the origin's time */
	LIMITED_LEAST = 20,         /* requests that a limit refused */
	INSISTS_MS = 5000,          /* so long at least ... */
	INSISTS_A_SECOND = 20,      /* ... so many requests */
};

static const double HEAVY_SHARE = 0.5; /* of a slot, for as long as it has been here */

static bool ban(struct defence *d, struct site *site, struct offender *offender, uint32_t id)
{
	if (d->bans_waiting == BANS_WAITING)
		return false;
	d->bans[d->bans_waiting++] = (struct plan_ban){offender->prefix, id};
	site->bans += offender->free_ms == 0;
	offender->free_ms = d->now.now_ms + BAN_FIRST_MS;
	/* What it takes counts anew once it is free. */
	offender->unmatched_then = offender->unmatched;
	offender->limited = offender->origin_ms = offender->origin_us = 0;
	return true;
}

/* Again too, where it goes on when its ban is over: how long it is banned then is said by whoever carries it out. */
static bool may_be_banned(const struct defence *d, const struct offender *offender)
{
	static const struct address none;
	return d->now.now_ms >= offender->free_ms && !offender->pardoned && !offender->known && !offender->named &&
	       !address_equal(&offender->prefix.address, &none) && !defence_spares(d, &offender->prefix);
}

/*
 * While listeners' queues are full the gate sees few of what a source sends, and greeting those whom it then refuses
 * takes the places of visitors: it must not wait for more.
 */
static uint32_t matches_least(const struct defence *d)
{
	return d->now.now_ms < d->crowded_until_ms ? BAN_MATCHES_CROWDED : BAN_MATCHES;
}

/*
 * Where nobody is known from before, who shares an address with an attacker is seen only by his coming too; and a ban
 * is for those who send much: what others send the signature refuses as well.
 */
void decide_offender(struct defence *d, uint16_t number, struct offender *offender, const struct mitigation *mitigation)
{
	struct site *site = d->sites[number];
	uint64_t ms = d->now.now_ms - mitigation->since_ms;
	bool is_due = site->knowledge != KNOWLEDGE_NONE ||
		      (ms >= BAN_WATCHED_MS && offender->matched * UINT64_C(1000) >= BAN_A_SECOND * ms);
	if (is_due && offender->matched >= matches_least(d) && offender->unmatched == 0 && may_be_banned(d, offender))
		(void)ban(d, site, offender, mitigation->id);
}

static bool is_heavy(const struct offender *offender, uint64_t now_ms)
{
	uint64_t since_ms = offender->free_ms != 0 ? offender->free_ms : offender->since_ms;
	double here_ms = now_ms > since_ms ? (double)(now_ms - since_ms) : 0;
	double asked = offender->unmatched - offender->unmatched_then;
	bool insists = here_ms >= INSISTS_MS && asked * 1000 >= INSISTS_A_SECOND * here_ms;
	return offender_clients(offender) <= BAN_CLIENTS_MOST &&
	       (insists || offender->limited >= LIMITED_LEAST ||
		(offender->origin_ms >= HEAVY_LEAST_MS && offender->origin_ms >= HEAVY_SHARE * here_ms));
}

/* No signature: those who take most of the origin's time, or run into limits all the time. */
void decide_heavy(struct defence *d, uint16_t number)
{
	struct site *site = d->sites[number];
	size_t cursor = 0;
	for (struct offender *o; (o = offenders_next(d->offenders, &cursor)) != NULL;) {
		if (o->site != number || !is_heavy(o, d->now.now_ms) || !may_be_banned(d, o))
			continue;
		struct mitigation *bans = mitigation_of_kind(d, site, MITIGATION_BANS);
		if (bans == NULL || !ban(d, site, o, bans->id))
			return;
	}
}

void defence_pardon(struct defence *defence, const struct prefix *prefix)
{
	size_t cursor = 0;
	for (struct offender *o;
	     defence->offenders != NULL && (o = offenders_next(defence->offenders, &cursor)) != NULL;)
		o->pardoned = o->pardoned || (prefix->bits <= o->prefix.bits && prefix_has(prefix, &o->prefix.address));
}

size_t defence_bans_take(struct defence *defence, struct plan_ban *bans, size_t room)
{
	size_t count = defence->bans_waiting < room ? defence->bans_waiting : room;
	memcpy(bans, defence->bans, count * sizeof(*bans));
	defence->bans_waiting -= count;
	memmove(defence->bans, defence->bans + count, defence->bans_waiting * sizeof(*bans));
	return count;
}
