/* What building programs of markers and running them share. */
#ifndef GUIA_MATCH_MARKER_INTERNAL_H
#define GUIA_MATCH_MARKER_INTERNAL_H

#include "match/marker.h"

enum {
	MARKER_REGISTERS = 24,
	MARKER_SETS_MOST = 1024,
	MARKER_SLOTS_MOST = 1024, /* those behind have no program */
	MARKER_ASSERTIONS = PATTERN_NO_WORD_EDGE + 1,
};

enum marker_kind {
	MARKER_TAKE,   /* `to`: `from` behind a byte of the stream */
	MARKER_STAR,   /* `to`: `from`, and behind any number of such bytes */
	MARKER_HOLD,   /* `to`: those of `from` that are in the stream */
	MARKER_CLEAR,  /* `to`: none */
	MARKER_COPY,   /* `to`: `from` */
	MARKER_JOIN,   /* `to`: `from` as well */
	MARKER_GROW,   /* the same; if they were not there before, goes back to `skip` */
	MARKER_ACCEPT, /* the pattern may match */
	MARKER_REJECT, /* it does not */
};

/* TAKE, HOLD and COPY go on at `skip` where they leave no marker. */
struct marker_op {
	uint8_t kind;
	uint8_t to; /* registers; number 0 has a marker at each place */
	uint8_t from;
	uint16_t stream; /* a set's number; behind those of sets are assertions */
	uint16_t skip;
};

struct marker_program {
	uint32_t first;
	uint32_t count; /* 0: none */
	uint32_t first_common;
	uint32_t common_count; /* sets that are asked for at many places of plain text */
};

/* A set by halves of bytes: for each low half, a bit for each high half below 8, and for those from 8 on. */
struct marker_halves {
	uint8_t ascii[16];
	uint8_t beyond[16];
};

struct marker_set {
	struct pattern_set bytes;
	struct pattern_set lowered; /* bytes that are in it in lower case */
	struct marker_halves halves;
	struct marker_halves lowered_halves;
	double share; /* of plain text */
};

struct markers {
	size_t slots;
	struct marker_program *programs; /* by slot */
	uint64_t *has_program;           /* a bit for each slot */
	struct marker_op *ops;
	size_t op_count;
	size_t op_capacity;
	struct marker_set *sets;
	size_t set_count;
	size_t set_capacity;
	uint16_t *table;   /* of sets, by hash: number + 1 */
	uint16_t *commons; /* of programs, one after another */
	size_t common_count;
	size_t common_capacity;
	uint16_t words; /* numbers of the sets that assertions ask for */
	uint16_t newlines;
};

/* How many words are taken at once: by AVX-512 and VBMI, or by AVX2. */
enum marker_form { MARKER_BY_4, MARKER_BY_8 };

bool marker_form_is_possible(enum marker_form form);

/* As markers_narrow(), in that form, if it is possible. */
void markers_narrow_by(enum marker_form form, const struct markers *markers, struct marker_room *room,
		       struct slice value, bool lowered, uint64_t *slots);

#endif
