/* An export from within: what its parts share. */
#ifndef GUIA_BUNDLE_EXPORT_INSIDE_H
#define GUIA_BUNDLE_EXPORT_INSIDE_H

#include "bundle/export.h"
#include "evidence/body_read.h"

#include <stdio.h>

#define EXPORT_DONE_FOLDER ".done"

struct work {
	const struct export_order *order;
	struct export_result *result;
	struct export_plan
		*wished; /* what is asked for now; an export that is gone on with has the plan of its beginning */
	struct export_plan plan;
	char part[PATH_MAX];
	int bag;
	struct export_key *key;
	struct body_parcels parcels;
	struct body_index *bodies;
	char bodies_path[PATH_MAX];
	uint64_t done, of; /* bundles */
};

/* What an error would be of; "": the bag. */
static inline void export_at(struct work *w, const char *what)
{
	snprintf(w->result->what, sizeof(w->result->what), "%s", what);
}

static inline void export_progress(const struct work *w, const char *what, uint64_t done, uint64_t of)
{
	if (w->order->progress != NULL)
		w->order->progress(w->order->context, what, done, of);
}

/* ---- export_done.c: what was done of an export, for one that goes on with it ---- */

int export_done_put(const struct work *w, unsigned epoch, uint64_t chunk, const struct chunk_sums *sums);
bool export_done_get(const struct work *w, unsigned epoch, uint64_t chunk, struct chunk_sums *ret_sums);

/* ---- export_messages.c: messages, in clear or as they are sealed ---- */

/* Which there are by now, and the key. 0, EXPORT_KEY_BAD or -errno. */
int export_messages_open(struct work *w);
enum plan_messages export_messages_wish(const struct work *w);
/* Those of the plan's time, and what is in them. */
int export_messages_index(struct work *w);
/* Parcels that were not opened and of which a record in the bag names a message. */
int export_messages_copy(struct work *w);

/* ---- export_manifests.c ---- */

/* And the tags; *ret_hash: of the manifest of manifests. */
int export_manifests(struct work *w, const struct papers *papers, struct merkle_hash *ret_hash);

#endif
