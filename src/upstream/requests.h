/*
 * What the watch asks of operators by itself while the link is full: sources that are banned, and what floods of
 * packets look like. Each is asked for a few minutes, again before they are over while it is needed, and looked behind
 * from time to time (probing.h). Pure: whoever has it carries out what is due, and says what came of it.
 */
#ifndef GUIA_UPSTREAM_REQUESTS_H
#define GUIA_UPSTREAM_REQUESTS_H

#include "upstream/probing.h"
#include "upstream/route.h"

enum {
	REQUESTS_MOST = 64,
	REQUEST_WHY_BYTES = 96,
	REQUEST_IDS = 8, /* operators that took it */
	REQUEST_SECONDS = 180,
	REQUEST_AGAIN_MS = 90 * 1000, /* so long before its end it is asked again */
	REQUEST_RETRY_MS = 30 * 1000, /* after a refusal */
	REQUEST_HITS = 20,            /* so many while a ban's rule is lifted, and the attack is still there */
};

/* What is to be done with a request. */
enum request_due { REQUEST_NOTHING, REQUEST_ASK, REQUEST_LIFT, REQUEST_RAISE, REQUEST_END };

struct request {
	struct route route;
	char why[REQUEST_WHY_BYTES];
	uint32_t ban; /* the id whose hits tell of it at the gate; 0: none */
	enum request_due due;
	bool asked; /* at least one operator has it */
	uint32_t ids[REQUEST_IDS];
	size_t id_count;
	bool sent; /* to a router at least: with those that take no such rules it waits, and does nothing */
	uint64_t asked_ms;
	uint64_t hits; /* when it was lifted */
	struct probing probing;
};

struct requests {
	struct request items[REQUESTS_MOST];
	size_t count;
};

/* What is seen this second. */
struct requests_sight {
	uint64_t now_ms;
	bool full; /* the link is */
	bool busy; /* or nearly so */
	uint64_t (*hits)(const void *context, uint32_t ban);
	/* Whether a source still is banned, and nobody there allowed; NULL: all are. */
	bool (*stands)(const void *context, const struct prefix *source);
	const void *context;
};

/* Wanted from now on, unless it is there. False: there is no room. */
bool requests_want(struct requests *requests, const struct route *route, uint32_t ban, const char *why);

/* One that is announced already, of an earlier watch: goes on from here. */
void requests_adopt(struct requests *requests, const struct route *route, uint32_t id, const char *why, bool sent,
		    uint64_t now_ms);

/*
 * A second has passed: decides what is due. What is against a source ends when its ban does, whatever the link is like.
 * Not while a request is being carried out: they change their places.
 */
void requests_second(struct requests *requests, const struct requests_sight *sight);

/* One with something due, or NULL: what is to be raised first. */
struct request *requests_next(struct requests *requests);

/* How many are asked of somebody and may be at a router. */
uint32_t requests_sent(const struct requests *requests);

/* What was due was done: `ids` are those of the rules, for REQUEST_ASK; none: it was refused. `sent`: as above. */
void requests_done(struct requests *requests, struct request *request, const uint32_t *ids, size_t count, bool sent,
		   uint64_t now_ms);

#endif
