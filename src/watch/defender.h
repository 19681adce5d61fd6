/*
 * Decides and has it carried out: what the gate tells goes into a defence (incident/defence.h), and what that wants to
 * be in force is published for the gate. Made once the key of the events' hashes is known, anew if that changes.
 *
 * What was learned, and what is decided, lies in files of the watch's own beside the bans, so that one that was killed
 * goes on where it was. What is to be in force is kept before it is published.
 */
#ifndef GUIA_WATCH_DEFENDER_H
#define GUIA_WATCH_DEFENDER_H

#include "incident/defence.h"
#include "mitigate/ban_register.h"
#include "mitigate/edge_bans.h"
#include "mitigate/mode_register.h"
#include "mitigate/rule_register.h"
#include "watch/background.h"
#include "watch/intake.h"
#include "watch/recorder.h"
#include "watch/sites.h"

#include <limits.h>

/* In the directory of bans. */
#define DEFENDER_MEMORY_FILE   "memory"
#define DEFENDER_EPISODES_FILE "episodes"

struct defender_job;

struct defender {
	struct defence *defence; /* NULL: no key yet */
	struct background *background;
	struct defender_job *job;    /* under way; NULL: none */
	struct ban_register *bans;   /* the watch's; NULL: nothing can be carried out */
	struct mode_register *modes; /* the watch's; NULL likewise */
	struct rule_register *rules; /* NULL likewise */
	const struct intake *intake;
	const struct edge_bans *edge; /* NULL: none */
	const struct prefix *spared;  /* the watch's: whom no decision bans */
	size_t spared_count;
	struct upstream *upstream; /* is told of bans; NULL: nobody is */
	struct witness *witness;   /* writes down what is decided; NULL: nobody does */
	/* Is told of what is decided, besides stderr; NULL: nobody is. */
	void (*said)(void *context, const char *line);
	void *said_context;
	struct recorder recorder;
	struct hash_key key;
	uint8_t boot[IMAGE_BOOT_BYTES];
	char memory[PATH_MAX]; /* "": nothing is kept */
	char episodes[PATH_MAX];
	uint64_t second;
	uint64_t remember_ms; /* what was learned is written next; ever more seldom */
	uint64_t remember_pause_ms;
	uint64_t kept_ms;
	uint64_t kept_state;
	uint64_t full_ms; /* before it nothing more is said of a register that is full */
	int told;         /* what went wrong with files, as last said */
};

/*
 * `directory` is that of the bans; NULL: decisions are made, and not carried out. `record` is a file to write down what
 * is told, or NULL. 0 or -errno, with *ret_what.
 */
int defender_begin(struct defender *defender, const char *directory, const char *record, struct ban_register *bans,
		   const struct intake *intake, const char **ret_what);
void defender_end(struct defender *defender);

/* Once a second: sites may have come. */
void defender_look(struct defender *defender, const struct sites *sites, struct ban_times now);

/* Ten times a second: what connections do. */
void defender_connections(struct defender *defender, const struct sites *sites);

/* Likewise: what packets do. */
void defender_packets(struct defender *defender, const struct defence_packets *packets);

void defender_events(struct defender *defender, const struct sites *sites, unsigned box, const struct event *events,
		     size_t count);

/* Nothing is wrong at any site, as far as is known. */
bool defender_is_calm(const struct defender *defender);

/* Before the events of each look at the rings; and after them. */
void defender_tick(struct defender *defender, struct ban_times now);
void defender_carry_out(struct defender *defender, struct ban_times now);

#endif
