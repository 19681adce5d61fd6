/* What became of rules at operators, of the watch's and of people's, as their keeper tells (upstream/lease_news.h). */
#ifndef GUIA_WATCH_UPSTREAM_NEWS_H
#define GUIA_WATCH_UPSTREAM_NEWS_H

#include "base/slice.h"

#include <jansson.h>

struct upstream_news {
	struct slice operator_, change, route, why, answer; /* of len 0: there is none */
	uint64_t number, at_ms;
	uint64_t until_ms, rule; /* 0: none */
	uint64_t by;             /* a user; UINT64_MAX: nobody */
};

struct upstream_news_reader {
	uint64_t life, number;                                         /* up to which they were told */
	void (*told)(void *context, const struct upstream_news *news); /* NULL: nobody is */
	void *context;
};

/* Tells what is new of the keeper's answer to `news`. */
void upstream_news_read(struct upstream_news_reader *reader, const json_t *answer);

#endif
