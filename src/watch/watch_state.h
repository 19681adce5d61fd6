/* What the watch's own files share of one watch. */
#ifndef GUIA_WATCH_WATCH_STATE_H
#define GUIA_WATCH_WATCH_STATE_H

#include "base/control.h"
#include "mitigate/edge_bans.h"
#include "watch/cases.h"
#include "watch/defender.h"
#include "watch/homes.h"
#include "watch/intake.h"
#include "watch/packets.h"
#include "watch/places.h"
#include "watch/probe.h"
#include "watch/ranking.h"
#include "watch/sites.h"
#include "watch/upstream.h"
#include "watch/witness.h"

#include <openssl/types.h>
#include <poll.h>

struct watch {
	struct intake intake;
	struct sites sites;
	struct ranking ranking;
	struct places places;
	struct homes homes;
	struct control control;
	struct control inner; /* for the screen, which is of the user that we became */
	struct defender defender;
	struct prefix *spared; /* whom no decision bans */
	size_t spared_count;
	struct cases *cases;
	struct witness *witness; /* NULL: no evidence is kept */
	struct upstream *upstream;
	struct packets packets;
	struct ban_register *bans;   /* NULL: none */
	struct mode_register *modes; /* NULL likewise */
	struct edge_bans edge;
	int bans_told; /* what went wrong with them, as last said */
	struct probe *probes;
	size_t probe_count;
	struct pollfd *waits; /* room for all */
	SSL_CTX *tls;
	int signals;
	uint64_t began_ns;
	uint64_t now_ns;
	uint64_t look_ns;
	uint64_t connections_ns;
	int64_t watchdog_ms;
	uint64_t watchdog_ns;
	uint64_t lost_told; /* events lost, as last said */
	int error_told;
};

/* Now, by the boot's clock and by the wall's, in ms. */
struct ban_times watch_times(const struct watch *w);

/* How often the mitigation `id` has hit, at the gate and at the edge. `context` is a struct watch. */
uint64_t watch_hits(const void *context, uint32_t id);

struct upstream_sight watch_upstream_sight(const struct watch *w);

/* Answers a line of the control socket by a line of JSON; as control_step() wants it, with a struct watch for
 * `context`. */
void watch_answer(void *context, uid_t who, struct slice question, struct buffer *out);

#endif
