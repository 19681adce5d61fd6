/*
 * Sites by name over all outboxes, with the sums of their counters: exact, whatever became of events. A snapshot each
 * second gives rates.
 */
#ifndef GUIA_WATCH_SITES_H
#define GUIA_WATCH_SITES_H

#include "watch/intake.h"

enum {
	SITES_MAX = 512,
	SITES_SECONDS = 5, /* what rates are over */
	SITE_NONE = UINT16_MAX,
};

/* The form of struct site_counters, in plain numbers. */
struct site_sums {
	uint64_t arrived;
	uint64_t abandoned;
	uint64_t ended[EVENT_VERDICTS][EVENT_REASONS];
	uint64_t status[STATUS_CLASSES];
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t origin_requests;
	uint64_t origin_us;
	uint64_t copies;
	uint64_t findings;
	uint64_t findings_shed;
	uint64_t bodies_shed;
};

_Static_assert(sizeof(struct site_sums) == sizeof(struct site_counters), "one form");

/* Of the origins that a site asks, together. */
struct site_load {
	uint64_t in_use;
	uint64_t at_most; /* 0: nothing is known */
	uint64_t waiting;
};

struct site_view {
	char name[OUTBOX_NAME_BYTES + 2]; /* "": requests of no site */
	struct site_sums now;
	struct site_sums past[SITES_SECONDS]; /* the latest first */
	struct site_load load;
};

struct connection_sums {
	uint64_t accepted;
	uint64_t closed;
	uint64_t abandoned;
	uint64_t silent;
	uint64_t kept_waiting;
	uint64_t now[CONNECTION_STATES];
	uint64_t at_most;
	uint64_t shed[SHED_KINDS];
};

/* All that the gate closed because it brought nothing: who was turned away at the door had no time to. */
uint64_t connection_sums_shed(const struct connection_sums *sums);

struct sites {
	struct site_view *views;
	size_t count;
	size_t seconds; /* how many of `past` there are, up to SITES_SECONDS */
	uint64_t at_ns[SITES_SECONDS + 1];
	struct connection_sums connections;
	unsigned workers;                         /* outboxes with a living writer */
	uint16_t map[OUTBOX_FILES][OUTBOX_SITES]; /* an outbox's number of a site to ours, or SITE_NONE */
	struct outbox_control *control;           /* room for one */
};

/* 0 or -ENOMEM. */
int sites_init(struct sites *sites);
void sites_release(struct sites *sites);

/* Takes a snapshot. */
void sites_take(struct sites *sites, const struct intake *intake, uint64_t now_ns);

/* How origins are; and of connections alone: cheap enough for ten times a second. */
void sites_take_load(struct sites *sites, const struct intake *intake);
void sites_take_connections(struct sites *sites, const struct intake *intake);

/* The number of the site that an outbox calls so; SITE_NONE before it was seen. */
static inline uint16_t sites_number(const struct sites *sites, unsigned box, uint16_t site)
{
	return site < OUTBOX_SITES ? sites->map[box][site] : SITE_NONE;
}

/* How much a sum grew a second, over the last SITES_SECONDS or as many as there are. */
double sites_rate(const struct sites *sites, uint64_t now, uint64_t oldest);

/* How much a sum grew; those of a worker whose file is gone are missing from then on. */
static inline uint64_t sums_grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* The snapshot that rates are from. */
const struct site_sums *sites_oldest(const struct sites *sites, const struct site_view *view);

/* All verdicts and reasons. */
uint64_t site_ended(const struct site_sums *sums);
uint64_t site_verdict(const struct site_sums *sums, enum event_verdict verdict);

#endif
