/* The watch's side of operators from within: what upstream.c and its talk with the keeper share. */
#ifndef GUIA_WATCH_UPSTREAM_INSIDE_H
#define GUIA_WATCH_UPSTREAM_INSIDE_H

#include "edge/sample_ring.h"
#include "upstream/flood.h"
#include "upstream/link.h"
#include "upstream/requests.h"
#include "watch/upstream.h"
#include "watch/upstream_news.h"

#include <limits.h>

enum {
	UPSTREAM_SOURCES = 256, /* banned by the watch, the latest that are remembered */
	UPSTREAM_FAULT_BYTES = 256,
};

/* What the reasons of all that the watch asks for by itself begin with: by this they are known again. */
#define UPSTREAM_WHY "link full: "

/* What the keeper was asked and has not answered. */
enum asking { ASKING_NOTHING, ASKING_STATUS, ASKING_HOLD, ASKING_NEWS, ASKING_REQUEST };

struct upstream_source {
	struct prefix prefix;
	uint32_t id;
};

struct upstream {
	const struct upstream_options *options;

	/* What is seen. */
	struct link_meter link;
	struct sample_ring *samples; /* NULL: there is no edge */
	struct flood flood;
	struct upstream_source sources[UPSTREAM_SOURCES]; /* a ring */
	size_t source_count;
	bool forwarded; /* a proxy named the source of a request */
	bool alone;     /* a person was told that the link is full and nobody can be asked */
	bool told_full; /* a person was told that the link is full */
	void (*sampled)(void *context, const struct edge_sample *sample); /* NULL: nobody is told */
	void *sampled_context;

	/* What is wanted, and the talk with the keeper about it. */
	struct requests requests;
	char socket[PATH_MAX];
	int fd; /* -1: nothing is asked */
	enum asking asking;
	size_t at; /* the request, and the rule of it, that is asked about */
	size_t id_at;
	struct buffer answer; /* so far */
	uint64_t asked_ms;
	unsigned unanswered;              /* questions, since the last answer */
	int error;                        /* that `fault` tells of */
	uint64_t hold_ms;                 /* when the rules are held again */
	bool adopted;                     /* what an earlier watch asked is known */
	char fault[UPSTREAM_FAULT_BYTES]; /* why the keeper does not answer; empty: it does, or was not asked yet */
	size_t up;                        /* operators' sessions that may carry rules, as the keeper said last; ... */
	size_t unfit;                     /* up, but with a router that takes none; of so many, */
	size_t operators;
	size_t rules; /* and how many rules they were asked for, whoever did */
	struct upstream_news_reader news;
	bool news_due;
};

/* A turn of the talk with the keeper: takes what it has answered, and asks what is next. */
void upstream_talk(struct upstream *u, uint64_t now_ms);

#endif
