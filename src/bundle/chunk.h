/*
 * What a bag takes out of 65,536 records of an epoch (a tile of level 1): a WARC file with those that belong to the
 * incident, and for each bundle its tile of hashes and, a line a record, where the record is and the hashes that lead
 * from it to its bundle's root; the last line leads from there to the root that was signed.
 */
#ifndef GUIA_BUNDLE_CHUNK_H
#define GUIA_BUNDLE_CHUNK_H

#include "bundle/export_plan.h"
#include "evidence/body_read.h"
#include "evidence/pyramid.h"
#include "evidence/view.h"

/* How an epoch is in the bag. */
struct extract {
	const struct export_plan *plan;
	const struct export_epoch *epoch;
	const struct view *view;
	const struct pyramid *pyramid;
	struct body_index *bodies; /* NULL: messages stay sealed */
	int folder;                /* the bag */
	uint8_t *wanted;           /* of each bundle, enum chunk_wish */
};

enum chunk_wish {
	CHUNK_LEAVES_OUT,
	CHUNK_TILE,   /* its hashes alone: the bundle at the edge */
	CHUNK_PAPERS, /* and records of keys, and of this export */
	CHUNK_ALL,    /* and records of the incident's time */
};

struct chunk_sums {
	uint64_t records;         /* in the bag */
	uint64_t other_sites;     /* left out because they are of sites that the incident is not of */
	uint64_t other_incidents; /* because they are of others */
	uint64_t messages;        /* in clear */
	uint64_t unfound;         /* records of messages that are not there any more, or cannot be opened */
};

enum { CHUNK_BUNDLES = TILE_WIDTH };

/* How many of its bundles are wanted. */
unsigned chunk_bundles(const struct extract *extract, uint64_t chunk);

/* 0, -EBADMSG: the records are not what was signed, or -errno. What was there of it is written over. */
int chunk_write(const struct extract *extract, uint64_t chunk, struct chunk_sums *ret_sums);

#endif
