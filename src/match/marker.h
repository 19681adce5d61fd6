/*
 * Whether a pattern may match a long value, told for 64 places at a time. A marker is a bit for a place; the bytes of
 * each set that a pattern names are a stream of bits, and so is where the pattern may stand in the value after so much
 * of it was gone through: a byte of a set takes all markers on by one shift and one AND, an endless repeat of a set by
 * one addition (Cameron et al., "Bitwise Data Parallelism in Regular Expression Matching", 2014). Most patterns have no
 * marker left after a byte or two, in kilobytes of text.
 *
 * A pattern is cut where so much of it is rare enough, and bounded repeats are taken for endless ones, so that markers
 * tell for certain only what does not match.
 */
#ifndef GUIA_MATCH_MARKER_H
#define GUIA_MATCH_MARKER_H

#include "base/buffer.h"
#include "base/reader.h"
#include "match/pattern.h"

enum { MARKER_BYTES_MOST = 128 * 1024 /* of a value */ };

/* What is sought for the patterns of a set, by slot. Immutable, once all were added. */
struct markers;

/* A worker's streams. */
struct marker_room;

/* Whether this machine can; where not, nothing is ever taken out. */
bool marker_is_possible(void);

/* 0 or -ENOMEM. */
int markers_create(size_t slots, struct markers **ret_markers);
void markers_free(struct markers *markers);

/* A pattern is left out that takes more operations than so many on plain text, by a guess. 0 or -ENOMEM. */
int markers_add(struct markers *markers, size_t slot, const struct pattern *pattern, unsigned ops_most);

/* When all were added. */
void markers_finish(struct markers *markers);

/* After that: as bytes for a process of the same build, and back (match/image.h): 0, -ENOMEM, or -EBADMSG. */
void markers_write(const struct markers *markers, struct buffer *out);
int markers_read(struct reader *in, struct markers **ret_markers);

/* Address space that becomes memory as values are long. 0 or -ENOMEM. */
int marker_room_create(struct marker_room **ret_room);
int marker_room_fit(struct marker_room *room, const struct markers *markers);
void marker_room_free(struct marker_room *room);

/*
 * Takes out of `slots`, a bit each, those whose patterns do not match the value, if it has no more than
 * MARKER_BYTES_MOST. `lowered`: it is taken as if its ASCII letters were lower case. The room is fitted to the markers.
 */
void markers_narrow(const struct markers *markers, struct marker_room *room, struct slice value, bool lowered,
		    uint64_t *slots);

#endif
