/*
 * What a person orders through the control socket: `ban`, `allow`, `unban`, and `bans`, the list; `mode`, and `modes`;
 * `lift`.
 *
 *   ban|allow PREFIX SECONDS force|- WHY        SECONDS 0: until it is lifted
 *   unban PREFIX
 *   mode SITE open|guarded|local SECONDS WHY
 *   lift ID WHY                                 a measure of Guia's own: signature, bans of those who ask for most
 */
#ifndef GUIA_WATCH_ORDERS_H
#define GUIA_WATCH_ORDERS_H

#include "incident/defence.h"
#include "mitigate/ban_register.h"
#include "mitigate/mode_register.h"
#include "watch/homes.h"
#include "wire/hit_table.h"

struct orders {
	struct ban_register *bans;   /* NULL: this watch has no directory for them */
	struct mode_register *modes; /* likewise */
	const struct homes *homes;
	const struct prefix *spared; /* this machine and proxies: banned only by who says that it is meant */
	size_t spared_count;
	struct ban_times now;
	uid_t by;
	/* How often gate and edge carried a mitigation out. */
	uint64_t (*hits)(const void *context, uint32_t id);
	/* How it stands at the edge (mitigate/edge_bans.h); NULL: there is none. */
	const char *(*edge)(const void *context, const struct prefix *prefix, enum ban_kind kind);
	/* Whether the gate serves a site of this name. */
	bool (*serves)(const void *context, struct slice site);
	const void *context;
	struct defence *defence; /* NULL: nothing is decided yet */
};

/* False if the question is not one of these. The answer is a line of JSON: what is in force, or {"fault": ...}. */
bool orders_answer(const struct orders *orders, struct slice question, struct buffer *out);

#endif
