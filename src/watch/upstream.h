/*
 * The watch's side of what is asked of operators: it holds the keeper's rules for as long as it lives, sees whether the
 * link is full, and then asks for what it can tell of the flood (upstream/requests.h). The keeper is another process
 * and may be away; nothing here waits for it.
 */
#ifndef GUIA_WATCH_UPSTREAM_H
#define GUIA_WATCH_UPSTREAM_H

#include "base/buffer.h"
#include "mitigate/ban_register.h"
#include "wire/edge_layout.h"
#include "wire/event.h"

#include <poll.h>

enum { UPSTREAM_ADDRESSES = 64 };

struct upstream_options {
	const char *directory;                        /* the keeper's; NULL: no operator is asked, the link is seen */
	struct address addresses[UPSTREAM_ADDRESSES]; /* of ours, that sites are reached at */
	size_t address_count;
	uint64_t link_mbit;    /* 0: nobody said; it may be full, and nobody is asked */
	const char *interface; /* NULL: that of the default route */
};

struct edge;
struct upstream;
struct upstream_news;

/* What is seen beside the link. */
struct upstream_sight {
	struct ban_times now;
	double visitors;                 /* requests a second that nothing refused */
	const struct ban_register *bans; /* NULL: none */
	uint64_t (*hits)(const void *context, uint32_t ban);
	const void *context;
};

/* The link to the operators as it is now; all zero where nobody said how wide it is. */
struct upstream_link {
	bool known; /* what it has received is */
	bool full;
	uint64_t packets; /* received so far */
	uint32_t asked;   /* rules that operators' routers have for it */
};

/* The options are borrowed. 0 or -ENOMEM. NULL is allowed in all that follows. */
int upstream_begin(const struct upstream_options *options, struct upstream **ret_upstream);
void upstream_end(struct upstream *upstream);

/* Who is told of each packet that the edge sampled. */
void upstream_on_sample(struct upstream *upstream, void (*told)(void *context, const struct edge_sample *sample),
			void *context);
/* Who is told of what becomes of rules. */
void upstream_on_news(struct upstream *upstream, void (*told)(void *context, const struct upstream_news *news),
		      void *context);

/* What to wait for; fd is -1 where there is nothing. */
struct pollfd upstream_waits(const struct upstream *upstream);

/* Looks at the link, some ten times a second. */
struct upstream_link upstream_link(struct upstream *upstream, uint64_t now_ms);

/* With every turn of the loop; and once a second. */
void upstream_step(struct upstream *upstream, uint64_t now_ms);
void upstream_second(struct upstream *upstream, const struct upstream_sight *sight);

/* The edge that the watch holds, whose samples are taken; NULL: none. Each time when it was looked for. */
void upstream_edge(struct upstream *upstream, const struct edge *edge);

/* Where a proxy names sources, none is asked for: what an operator would filter is the proxy. */
void upstream_events(struct upstream *upstream, const struct event *events, size_t count);

/* The watch banned a source by itself. */
void upstream_banned(struct upstream *upstream, const struct prefix *source, uint32_t id);

/* What would be asked if the link were full now, and what is: the answer to `upstream`, a line of JSON. */
void upstream_report(struct upstream *upstream, const struct upstream_sight *sight, struct buffer *out);

/* Whether the link is full, and whether anybody could be asked: "link" of `status` and `top`, where its width is known
 * or it may be full. */
void upstream_link_report(const struct upstream *upstream, struct buffer *out);

#endif
