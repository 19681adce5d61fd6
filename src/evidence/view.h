/*
 * One epoch as it was when it was signed last, for taking records and hashes out of it: from tiles where they are, from
 * the journal where they are not yet. A log may be written meanwhile: what was signed stays what it was.
 */
#ifndef GUIA_EVIDENCE_VIEW_H
#define GUIA_EVIDENCE_VIEW_H

#include "evidence/checkpoint.h"
#include "evidence/tail.h"

struct view {
	int folder; /* the caller's */
	struct tail tail;
	bool has_tail;
	struct buffer note;
	struct checkpoint checkpoint; /* points into the note */
};

/* 0, -ENOENT: nothing was signed; -EBADMSG or -errno. To be closed in any case. */
int view_open(int folder, struct view *ret_view);
/* As it was when `note` was signed. */
int view_open_at(int folder, struct slice note, struct view *ret_view);
void view_close(struct view *view);

/* The records of bundle `number`, as in tile/entries: at least those that were signed. Appended. 0, -ENOENT, -errno. */
int view_bundle(const struct view *view, uint64_t number, struct buffer *out);

/* What is signed of it, hashed: at most TILE_WIDTH. */
int view_bundle_hashes(const struct view *view, uint64_t number, struct merkle_hash *out, unsigned *ret_count);

/* The record, appended. */
int view_record(const struct view *view, uint64_t index, struct buffer *out);

/* Hashes of whole subtrees: `context` is the view. */
struct merkle_source view_source(const struct view *view);

/*
 * The key by which the note is signed, following the records that changed it; `rotated` (NULL: nobody) is told of each
 * bundle that has one. -EBADMSG: by none of them.
 */
typedef void view_rotated_fn(void *context, uint64_t bundle);
int view_key(const struct view *view, view_rotated_fn *rotated, void *context, struct public_key *ret_key);

#endif
