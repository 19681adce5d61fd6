/*
 * Who and what comes most often: the sources, networks, operators, countries, paths, agents of arriving requests, and
 * the rules that judged them, over the last few seconds. Time is an argument.
 */
#ifndef GUIA_WATCH_RANKING_H
#define GUIA_WATCH_RANKING_H

#include "limit/place_image.h"
#include "traffic/heavy.h"
#include "watch/sites.h"

enum ranking_dimension {
	RANKING_SOURCE,
	RANKING_NETWORK,  /* /24 of IPv4, /48 of IPv6 */
	RANKING_OPERATOR, /* an autonomous system; where places are known */
	RANKING_COUNTRY,  /* likewise */
	RANKING_PATH,     /* of a site */
	RANKING_AGENT,
	RANKING_RULE,
	RANKING_DIMENSIONS,
};

enum {
	RANKING_SECONDS = 5, /* what counts are of */
	RANKING_TEXT_BYTES = 160,
};

struct ranking_names;

struct ranking {
	struct heavy *by[RANKING_DIMENSIONS];
	struct ranking_names *names;
	const struct place_image *places; /* NULL: not known; the caller's */
	uint64_t window_ns;               /* when it began; 0: not yet */
	uint64_t requests[2];             /* of this window, and the one before */
};

struct ranking_item {
	char text[RANKING_TEXT_BYTES]; /* printable ASCII */
	uint16_t site;                 /* of a path; else SITE_NONE */
	double count;
	double error; /* so much of it may be others' */
};

/* 0 or -ENOMEM. */
int ranking_init(struct ranking *ranking);
void ranking_release(struct ranking *ranking);

/* Windows pass. */
void ranking_tick(struct ranking *ranking, uint64_t now_ns);

void ranking_events(struct ranking *ranking, const struct sites *sites, unsigned box, const struct event *events,
		    size_t count);
/* They say what paths and agents are. */
void ranking_heads(struct ranking *ranking, const struct head *heads, size_t count);

/* Of RANKING_SECONDS, or of as many as have passed. */
double ranking_requests(const struct ranking *ranking, uint64_t now_ns);
size_t ranking_top(const struct ranking *ranking, enum ranking_dimension dimension, uint64_t now_ns,
		   struct ranking_item *items, size_t room);

const char *ranking_dimension_name(enum ranking_dimension dimension);

/* As items of their dimensions are written: a country by its two letters in the low bytes, an operator by its number.
 */
void ranking_country_text(uint64_t key, char text[RANKING_TEXT_BYTES]);
void ranking_operator_text(const struct place_image *places, uint32_t network, char text[RANKING_TEXT_BYTES]);

#endif
