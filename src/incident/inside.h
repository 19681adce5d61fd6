/* The inside of a defence, for the files of this room alone. */
#ifndef GUIA_INCIDENT_INSIDE_H
#define GUIA_INCIDENT_INSIDE_H

#include "base/growth.h"
#include "incident/defence.h"
#include "limit/source_pace.h"
#include "traffic/acquaintances.h"
#include "traffic/memory.h"
#include "traffic/offenders.h"
#include "traffic/regulars.h"
#include "traffic/sample.h"
#include "traffic/visits.h"

enum {
	BANS_WAITING = 4096,
	VISITOR_SECONDS = 10,
	SEARCH_PAUSE_MS = 500,
	RESEARCH_MS = 2000,   /* once something is in force: of the last so much is searched for what it leaves over */
	ONSET_LATE_MS = 1000, /* after which it is told, at most */
	ONSET_MARGIN_MS = 2000, /* who came so shortly before an onset may belong to it */
};

/* Requests that are known from quiet, by what they could show that a signature spares. */
enum knowledge {
	KNOWLEDGE_ENOUGH,
	KNOWLEDGE_THIN, /* not that it spares all but a thousandth */
	KNOWLEDGE_NONE,
};

struct site {
	char name[DEFENCE_NAME_BYTES];
	bool is_named;
	struct traffic_rates rates;
	struct baseline baseline;
	struct onset onset;
	struct onset_signal signal;
	struct quiet_sample quiet;
	struct recent_sample recent;
	enum knowledge knowledge; /* of visitors, when it began; where there is none who comes in visits is asked too */
	struct visits *visits;    /* of this episode, where it is; NULL: none yet */
	struct episode episode;
	struct mitigation mitigations[DEFENCE_MITIGATIONS];
	double normal; /* requests of a tick that would come anyway, at the onset; < 0: not known */

	uint64_t arrivals, allowed, uncovered; /* of this second: all, those of who is allowed, and those that nothing
						* in force matches */
	double allowed_share;                  /* of arrivals in quiet, in the mean: they are none of visitors */
	unsigned allowed_seconds;              /* that it is of, up to a bound */
	double uncovered_rate;                 /* of the second before */

	struct growth shed; /* connections, by the gate */
	bool sheds;         /* the gate is told to, before they run short */

	uint64_t attack_ms;      /* when it last was one */
	uint64_t quiet_since_ms; /* figures and hits are as usual */
	uint64_t next_search_ms;
	uint64_t lifted_ms; /* when a person last lifted something; 0: nobody did */
	uint64_t search_pause_ms;
	bool cautious; /* what was found hit visitors: who was here before is asked too */
	uint64_t hold_ms;
	uint64_t searches, bans;
	bool searching;

	struct visitor_second {
		uint64_t second;
		struct defence_visitors all;
		struct defence_visitors known; /* who was here before the episode, with the same client */
	} visitors[VISITOR_SECONDS];           /* a ring */
};

struct defence {
	struct hash_key key;
	struct defence_time began, now;
	struct site *sites[DEFENCE_SITES];
	size_t count;
	struct source_pace *pace;
	struct acquaintances *acquaintances;
	struct regulars *regulars;
	struct offenders *offenders;  /* NULL until there is an episode */
	struct traffic_memory memory; /* of sites that have not come yet */
	struct kept *kept;            /* likewise; NULL: nothing */
	struct plan_ban bans[BANS_WAITING];
	size_t bans_waiting;
	struct prefix *spared; /* owned */
	size_t spared_count;
	struct packet_flood packets[PACKET_FLOODS];
	struct growth overflowed;  /* connections without room */
	uint64_t crowded_until_ms; /* the gate gets more connections than it can take in */
	uint32_t last_id;
	uint64_t version, state;
	uint64_t second;
	bool searching;
	defence_say_fn *say;
	void *say_context;
};

static inline bool site_has_episode(const struct site *site)
{
	return site->episode.state != EPISODE_QUIET;
}

/* Of a source; of one kind of client at it: behind an address there may be visitors and attackers. */
static inline uint64_t source_hash(const struct defence *d, const struct address *source)
{
	return hash_words(&d->key, address_high(source), address_low(source));
}

static inline uint64_t client_hash(const struct defence *d, uint64_t source, uint64_t shape, uint64_t agent)
{
	return hash_words(&d->key, source, shape ^ agent);
}

/* Whether a source, seen first at `since_ms`, was here before the site's episode. */
static inline bool site_knew(const struct site *site, uint64_t since_ms)
{
	return since_ms != ACQUAINTANCE_NEVER && since_ms + ONSET_MARGIN_MS < site->episode.onset_ms;
}

/* Whether it is one of whom defence_spare() told, or has one in it. */
bool defence_spares(const struct defence *d, const struct prefix *who);

/* ---- tell.c ---- */

void defence_tell(const struct defence *defence, const struct site *site, const struct mitigation *mitigation,
		  const char *change, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Of a flood of packets, which is at no site. */
void defence_tell_packets(const struct defence *defence, const struct packet_flood *flood, const char *change,
			  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- site_mitigations.c ---- */

bool site_has_mitigation(const struct site *site, enum mitigation_kind kind, enum mitigation_stage stage);

/* A place for one more; NULL: as many are there as may be. */
struct mitigation *site_free_place(struct site *site);

/* Whether a person lifted something a while ago: nothing is put in force again behind his back. */
bool site_is_left_alone(const struct defence *defence, const struct site *site);

/* Nothing was found: it is searched again after a while. */
void site_pause_search(struct defence *defence, struct site *site);

/* What sources have done counts from now on: for one that is tried now. */
void site_restart_counts(struct defence *defence, uint16_t number);

/* The one of a kind that needs no search; put in force if there is none. NULL: there is no place. */
struct mitigation *mitigation_of_kind(struct defence *defence, struct site *site, enum mitigation_kind kind);

/* One on trial: to be put in force, or to be let go, as soon as that can be told. With each tick. */
void mitigation_try(struct defence *defence, uint16_t number, struct mitigation *mitigation);

/* How many visitors each mitigation hits, of all sites: before they are tended. */
void mitigations_count_known(struct defence *defence);

/* One on trial has been there, for what is remembered, since the onset. */
void mitigation_match_past(struct defence *defence, uint16_t number, const struct mitigation *mitigation);

/* One in force: withdrawn where it hits visitors, or hardly anybody any more. Each second. */
void mitigation_tend(struct defence *defence, uint16_t number, struct mitigation *mitigation);

/* ---- banning.c ---- */

/* A request of this source matched a mitigation in force: whether the source is to be banned. */
void decide_offender(struct defence *defence, uint16_t number, struct offender *offender,
		     const struct mitigation *mitigation);

/* No signature: those who take most of the origin's time, run into limits all the time, or insist. */
void decide_heavy(struct defence *defence, uint16_t number);

/* ---- decide.c ---- */

/* A tick of the site's has passed; a second has. */
void decide_tick(struct defence *defence, uint16_t number);
void decide_second(struct defence *defence, uint16_t number);

/* The gate has closed so many more slow connections. */
void decide_shed(struct defence *defence, uint16_t number, uint64_t more);

/* Whoever has an episode counts what each source does. */
void decide_need_offenders(struct defence *defence);

/* ---- record.c ---- */

/* What an earlier watch decided for a site that comes now. */
void kept_take(struct defence *defence, struct site *site);
void kept_free(struct kept *kept); /* NULL is allowed */

/* ---- question.c ---- */

/* From before the site's onset. */
enum knowledge question_knowledge(const struct defence *defence, const struct site *site);

/* Makes the question for a site; NULL: too little is known, or there is no memory. */
struct defence_search *question_make(struct defence *defence, uint16_t number);

#endif
