/* How an epoch is prepared for a bag: which bundles are wanted of it, and the tree above them. */
#ifndef GUIA_BUNDLE_EXTRACT_H
#define GUIA_BUNDLE_EXTRACT_H

#include "bundle/chunk.h"

struct epoch_source {
	int folder; /* of the log's epoch */
	struct view view;
	struct pyramid *pyramid;
	uint8_t *wanted;
	uint64_t first_wanted, last_wanted; /* bundles of the incident's time; first > last: none */
};

/* 0, -EBADMSG: the log is not what was signed, or -errno. To be freed in any case. */
int epoch_source_open(const char *log, const struct export_plan *plan, const struct export_epoch *epoch,
		      struct epoch_source *ret_source);
void epoch_source_free(struct epoch_source *source);

/* Bundles, with the one at the edge. */
static inline uint64_t epoch_source_bundles(const struct epoch_source *source)
{
	return source->pyramid->bundles + (source->pyramid->edge_count > 0 ? 1 : 0);
}

/* The tiles of hashes above the bundles, what was signed, the key and the timestamps, into the bag. 0 or -errno. */
int epoch_source_place(const struct epoch_source *source, const struct export_epoch *epoch, int bag);

#endif
