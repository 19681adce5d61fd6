/*
 * Requests of note that seem to be of one doing: an actor. It may be one address or many; who is behind it nobody
 * knows, and nothing here says. What of a request makes it one more of an actor's is a table of signs with weights:
 * whoever asks from a network nearby, with the same tool, for the same thing, in the same minutes, with the same class
 * of attack, shares enough of them.
 *
 * Of fixed size whatever comes: of each dimension the items that came most often are kept by name.
 */
#ifndef GUIA_CASEBOOK_ACTOR_H
#define GUIA_CASEBOOK_ACTOR_H

#include "base/address.h"
#include "casebook/kind.h"
#include "wire/finding.h"

enum actor_dimension {
	ACTOR_SOURCE,
	ACTOR_NETWORK, /* /24 of IPv4, /48 of IPv6 */
	ACTOR_PATH,
	ACTOR_AGENT,
	ACTOR_RULE,
	ACTOR_DIMENSIONS,
};

/* As tallies are called in the store. */
const char *actor_dimension_name(enum actor_dimension dimension);

enum {
	ACTOR_ITEMS = 24,
	ACTOR_TEXT_BYTES = 160,
	ACTOR_RECENT = 8,
	ACTOR_SITES = 16,
	ACTOR_SITE_BYTES = 256,
	ACTOR_SKETCH_BITS = 4096,
	ACTOR_PATH_BITS = 256,
	ACTOR_LINKED = 4, /* of weight, at least */
	ACTOR_NO_SITE = UINT16_MAX,
};

struct actor_item {
	uint64_t key;
	struct address address; /* of a source */
	uint32_t count;
	uint32_t told;               /* of those, what the store was told of */
	char text[ACTOR_TEXT_BYTES]; /* printable ASCII */
};

/* What it did at one site. */
struct actor_site {
	char name[ACTOR_SITE_BYTES];
	uint64_t onset_ms;
	uint64_t until_ms;
	uint64_t blocked; /* its requests that were refused by rules */
	uint64_t passed;  /* that matched and were not */
	uint64_t blocked_told;
	uint64_t passed_told;
	double peak; /* requests between two looks, at most */
};

struct actor {
	bool used;
	uint64_t since_ms;  /* its place is its own */
	uint64_t onset_ms;  /* what it does now began; 0: nothing within the window */
	uint64_t last_ms;   /* something of note */
	uint64_t known_ms;  /* a watch before this one took what came until then; 0: there was none */
	uint64_t passed_ms; /* something of note was not refused; 0: never */
	uint32_t findings;
	uint32_t window[CASE_KINDS]; /* findings that speak for a kind, since window_ms, and before */
	uint32_t window_before[CASE_KINDS];
	uint64_t window_ms;
	uint32_t classes;
	uint32_t missing;              /* asked for, and not there */
	bool scans;                    /* so many of them that it is a scan */
	uint16_t leaks_at;             /* the site that leaks by itself, whoever asks; ACTOR_NO_SITE: it is no such */
	uint64_t scanner;              /* the agent that a rule knows as a scanner's; 0: none */
	uint64_t shapes[ACTOR_RECENT]; /* the latest first, as are those below */
	uint64_t asked[ACTOR_RECENT];  /* paths with the names of arguments */
	size_t site_count;
	struct actor_site sites[ACTOR_SITES];
	struct actor_item items[ACTOR_DIMENSIONS][ACTOR_ITEMS];
	uint64_t sources[ACTOR_SKETCH_BITS / 64]; /* a bit for each, by hash */
	uint64_t paths[ACTOR_PATH_BITS / 64];
	uint32_t incident; /* the caller's: its number and one, or 0 */
	bool waits;        /* the caller's: for one */
};

/* What is seen of one request. */
struct actor_sight {
	uint64_t at_ms;
	struct address source; /* all zero: nobody that could be told from others */
	uint16_t site;
	const char *site_name;
	uint64_t agent;
	uint64_t shape;
	uint64_t asked; /* the path with the names of arguments; 0: not looked at */
	uint32_t classes;
	const struct finding *finding; /* NULL: it asks for what is not there, again and again */
	unsigned kinds;                /* case_kinds_of() */
};

/* By which weight a request is the actor's: the sum of the signs that it shares. */
unsigned actor_likeness(const struct actor *actor, const struct actor_sight *sight);

void actor_begin(struct actor *actor, const struct actor_sight *sight);
void actor_add(struct actor *actor, const struct actor_sight *sight);
/* So many pages that are not there, from one of its addresses; `sight` without a finding. */
void actor_add_missing(struct actor *actor, const struct actor_sight *sight, uint64_t path, uint32_t count);

/* Windows pass. */
void actor_tick(struct actor *actor, uint64_t now_ms);

/* That it seemed to scan does not count. */
void actor_forgive_scan(struct actor *actor);

/* How many addresses and paths it had, estimated where they are many. */
uint64_t actor_sources(const struct actor *actor);
uint64_t actor_paths(const struct actor *actor);

/* The gravest kind of which there was enough; CASE_FLOOD: of none. */
enum case_kind actor_kind(const struct actor *actor);

/* Its item of that key, which may take the place of one that came seldom. */
struct actor_item *actor_item_of(struct actor *actor, enum actor_dimension dimension, uint64_t key, struct slice text);
void actor_add_source(struct actor *actor, const struct address *source);

/* All that its items count was told before. */
void actor_told(struct actor *actor);

#endif
