/* What the forms of running programs of markers share: one for each kind of processor (marker_by_8.c, marker_by_4.c).
 */
#ifndef GUIA_MATCH_MARKER_FORM_H
#define GUIA_MATCH_MARKER_FORM_H

#include "match/marker_internal.h"

enum {
	MARKER_STEP = 8, /* words that are gone over at a time */
	MARKER_WORDS_MOST = (MARKER_BYTES_MOST / 64 / MARKER_STEP + 1) * MARKER_STEP,
	MARKER_STREAMS_OTHER = MARKER_REGISTERS + MARKER_ASSERTIONS,
	MARKER_TOGETHER = 8, /* streams that are made at once */
};

/* Which words of a register have markers, a bit each. */
struct marker_busy {
	uint64_t words[(MARKER_WORDS_MOST + 63) / 64];
};

/* Registers, streams of assertions, streams of sets: MARKER_STEP words or more each, one after another. */
struct marker_room {
	uint64_t *words;
	size_t sets;                          /* for so many there is room */
	uint64_t made[MARKER_SETS_MOST / 64]; /* a bit for each set whose stream is there */
	uint32_t assertions_made;
	struct marker_busy busy[MARKER_REGISTERS];
};

/* A value that is gone over. */
struct marker_value {
	const struct markers *markers;
	const struct marker_program *program; /* that is being run */
	struct marker_room *room;
	struct slice bytes;
	bool lowered;
	size_t words;      /* of a stream */
	size_t busy_words; /* of those of its registers */
	size_t few;
	size_t ops_left;
};

/* As markers_narrow(), of a value that is not too long; `asked`: those of `slots` that have a program. */
void markers_narrow_by_8(struct marker_value *v, const uint64_t *asked, uint64_t *slots);
void markers_narrow_by_4(struct marker_value *v, const uint64_t *asked, uint64_t *slots);

#endif
