/*
 * Decides and has it carried out: what the gate tells goes into a defence (incident/defence.h), and what that wants to
 * be in force is published for the gate. Made once the key of the events' hashes is known, anew if that changes.
 */
#ifndef GUIA_WATCH_GUARD_H
#define GUIA_WATCH_GUARD_H

#include "incident/defence.h"
#include "mitigate/ban_register.h"
#include "mitigate/rule_register.h"
#include "watch/intake.h"
#include "watch/searcher.h"
#include "watch/sites.h"

struct guard {
	struct defence *defence; /* NULL: no key yet */
	struct searcher *searcher;
	struct ban_register *bans;   /* the watch's; NULL: nothing can be carried out */
	struct rule_register *rules; /* NULL likewise */
	const struct intake *intake;
	struct hash_key key;
	uint64_t second;
	int rules_told; /* what went wrong with them, as last said */
};

/* `directory` is that of the bans; NULL: decisions are made, and not carried out. 0 or -errno, with *ret_what. */
int guard_begin(struct guard *guard, const char *directory, struct ban_register *bans, const struct intake *intake,
		const char **ret_what);
void guard_end(struct guard *guard);

/* Once a second: sites may have come. */
void guard_look(struct guard *guard, const struct sites *sites, struct ban_times now);

void guard_events(struct guard *guard, const struct sites *sites, unsigned box, const struct event *events,
		  size_t count);

/* Before the events of each look at the rings; and after them. */
void guard_tick(struct guard *guard, struct ban_times now);
void guard_carry_out(struct guard *guard, struct ban_times now);

#endif
