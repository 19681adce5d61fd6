/*
 * What is to be done at every site, decided from what the gate tells: events in, and a plan out, which is data. No
 * clock, no file, no thread is in here, so that recorded events lead to the same decisions again.
 *
 * Whoever has one tells it of sites, of events as they come, and of the time every 100 ms or sooner; takes the searches
 * for signatures that it wants, runs them wherever there is time, and gives them back; and carries the plan out. Times
 * are milliseconds: CLOCK_BOOTTIME, and wall time.
 */
#ifndef GUIA_INCIDENT_DEFENCE_H
#define GUIA_INCIDENT_DEFENCE_H

#include "base/hash.h"
#include "incident/episode.h"
#include "incident/mitigation.h"
#include "traffic/packet_flood.h"
#include "traffic/memory.h"
#include "wire/event.h"

enum {
	DEFENCE_SITES = 512,
	DEFENCE_MITIGATIONS = 4, /* of a site at once */
	DEFENCE_NAME_BYTES = 256,
	DEFENCE_SITE_NONE = UINT16_MAX,
};

struct defence;

struct defence_time {
	uint64_t now_ms;
	uint64_t wall_ms;
};

/* `key` is that of the events' hashes: what is kept is kept under it. 0 or -ENOMEM. */
int defence_new(const struct hash_key *key, struct defence_time now, struct defence **ret_defence);
void defence_free(struct defence *defence); /* NULL is allowed */

/* Site `number` has this name. Numbers count up from 0. 0 or -ENOMEM. */
int defence_site(struct defence *defence, uint16_t number, const char *name);

/* ---- over restarts ---- */

/*
 * What was learned, to a buffer that is empty; and taken over again, before any site comes: bytes of the heap, which
 * are the defence's if they are good. Nothing is to be kept while an episode is on.
 */
int defence_remember(const struct defence *defence, struct buffer *out);
enum traffic_memory_fault defence_recall(struct defence *defence, struct buffer *bytes);
bool defence_is_calm(const struct defence *defence);

/*
 * What is decided, likewise; what was kept more than half a minute ago is over. `boot` is of limit/image.h.
 * defence_state() counts up when it should be kept anew.
 */
int defence_keep(const struct defence *defence, const uint8_t boot[IMAGE_BOOT_BYTES], struct buffer *out);
enum image_fault defence_restore(struct defence *defence, struct slice bytes, const uint8_t boot[IMAGE_BOOT_BYTES]);
uint64_t defence_state(const struct defence *defence);

/* ---- what is told ---- */

/*
 * What stands at a site: requests at its origin, how many that takes at once (0: not known; then all that is in
 * flight), connections by state, of which those that wait do so for a slot.
 */
struct defence_standing {
	double slots, slots_at_most;
	double states[4];
	double connections_at_most; /* 0: not known */
	double shed;                /* that the gate closed because they brought nothing, so far */
};
void defence_stands(struct defence *defence, uint16_t number, const struct defence_standing *standing);

/* What packets do that become no request, ten times a second: counted, and sampled. */
struct defence_packets {
	struct packet_figures figures[PACKET_FLOODS];
	struct packet_traits traits[PACKET_FLOODS];
	uint64_t overflowed; /* connections that found no room at the gate, so far */
};
void defence_packets(struct defence *defence, const struct defence_packets *packets);

/*
 * Events of one worker; `sites` says what number of ours each of its sites has. Those from before the beginning are of
 * an earlier watch: nothing is made of them.
 */
void defence_events(struct defence *defence, const uint16_t *sites, const struct event *events, size_t count);

/* Time passes. */
void defence_tick(struct defence *defence, struct defence_time now);

/* ---- searching ---- */

/* A search, with copies of all it needs; whoever takes it may run it in another thread. */
struct defence_search {
	uint16_t site;
	uint32_t episode;
	struct signature_question question; /* owned */
	int result;                         /* of signature_search() */
	struct signature found;             /* owned, where the result is 0 */
};

/* One at a time. NULL: none is wanted. */
struct defence_search *defence_search_take(struct defence *defence);
void defence_search_run(struct defence_search *search);
/* It is over, and the defence's again. */
void defence_search_give(struct defence *defence, struct defence_search *search);
/* It is not given back; NULL is allowed. */
void defence_search_free(struct defence_search *search);

/* ---- the plan ---- */

/* Counts up whenever what is in force has changed. */
uint64_t defence_version(const struct defence *defence);

struct plan_rule {
	uint32_t id;
	const char *site;
	const struct signature *signature;
	char why[SIGNATURE_WHY_BYTES];
};
/* What is to be in force; good until the next call that changes anything. At most SIGNATURE_RULES_MOST. */
size_t defence_plan(const struct defence *defence, struct plan_rule *rules, size_t room);

/* Whether the gate is to close slow connections before they run short. */
bool defence_sheds(const struct defence *defence);

/*
 * A person does not want a signature, or the bans of those who ask for most, to go on; for a while nothing new takes
 * its place at that site. False: nothing of this number is in force. Bans that it led to end by themselves.
 */
bool defence_lift(struct defence *defence, uint32_t id);

/*
 * Whom no decision bans, whatever he asks: this machine, from where sites are fetched, and our proxies; nor a network
 * that has one of them in it. In place of those of before; copied. 0 or -ENOMEM.
 */
int defence_spare(struct defence *defence, const struct prefix *spared, size_t count);

/* A person took back a ban: nobody of the prefix is banned again in the episodes that are on. */
void defence_pardon(struct defence *defence, const struct prefix *prefix);

struct plan_ban {
	struct prefix prefix;
	uint32_t id; /* the mitigation for which it is, or the episode's own */
};
/* Sources to be banned since it was last asked; of one whose ban is still on it may be told again. */
size_t defence_bans_take(struct defence *defence, struct plan_ban *bans, size_t room);

/* What the gate refused by an id's bans so far; asked each second. */
typedef uint64_t defence_hits_fn(const void *context, uint32_t id);
void defence_hits(struct defence *defence, defence_hits_fn *hits, const void *context);

/* ---- what a person wants to know ---- */

/*
 * Visitors' requests of the last ten seconds: those that no ban, limit, rule or signature refused. From an episode's
 * onset on clients that were here before stand for as many as would have come.
 */
struct defence_visitors {
	uint64_t asked;
	uint64_t answered; /* in time, by the origin or from the cache */
	uint64_t copies;   /* a last good copy instead */
};

struct defence_view {
	const char *name;
	const struct episode *episode;
	enum traffic_nature nature; /* now */
	const struct mitigation *mitigations;
	size_t mitigation_count;
	struct defence_visitors visitors;
	size_t quiet_requests; /* kept of quiet days */
	uint64_t bans;         /* ordered in this episode */
	uint64_t searches;     /* in this episode */
	bool known;            /* what is normal at this hour */
};
/* False: there is no such site. */
bool defence_look(const struct defence *defence, uint16_t number, struct defence_view *ret_view);

/* Floods of packets, one of each kind: what is on and what was on last. PACKET_FLOODS of them. */
const struct packet_flood *defence_packet_floods(const struct defence *defence);

/* What has been decided, as it happens. */
struct defence_news {
	const char *line; /* for people: all of it */
	const char *site; /* "": requests of no site */
	uint32_t episode;
	const struct mitigation *mitigation; /* that it is about; NULL: the episode itself */
	const char *change;                  /* "begins", "on trial", "in force", ... */
};
typedef void defence_say_fn(void *context, struct defence_time now, const struct defence_news *news);
void defence_listen(struct defence *defence, defence_say_fn *say, void *context);

#endif
