/* What the watch knows, as JSON: one document for `guia status`, one for `guia top`. */
#ifndef GUIA_WATCH_REPORT_H
#define GUIA_WATCH_REPORT_H

#include "base/buffer.h"
#include "watch/defender.h"
#include "watch/intake.h"
#include "watch/places.h"
#include "watch/probe.h"
#include "watch/ranking.h"
#include "watch/sites.h"

struct report {
	struct witness *witness; /* NULL: no evidence is kept */
	const struct intake *intake;
	const struct sites *sites;
	const struct ranking *ranking;
	const struct places *places;
	const struct defender *defender;
	const struct edge_bans *edge;
	const struct upstream *upstream;   /* NULL: none */
	const struct mode_register *modes; /* NULL: none */
	/* How often the gate carried a mitigation out. */
	uint64_t (*hits)(const void *context, uint32_t id);
	const void *context;
	const struct probe *probes;
	size_t probe_count;
	uint64_t began_ns;
	uint64_t now_ns;
};

enum { REPORT_TOP = 50 };

/* Appended, a line each. */
void report_status(const struct report *report, struct buffer *out);

/* `count` of each dimension, REPORT_TOP at most. */
void report_top(const struct report *report, size_t count, struct buffer *out);

#endif
